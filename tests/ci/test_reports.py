"""A plan as a comment."""

from __future__ import annotations

from reconciler.forge.escaping import ZWSP, neutralize
from reconciler.reports.preview_markdown import preview_markdown
from reconciler.values.plans import Hold, Reason
from reconciler.values.subjects import Subject
from tests.reports.test_preview import preview

HIT = Hold(Subject.parse("pricing.yaml"), Reason.PRICE_JUMP, "so much, @team #1 <b>", ours=True)


def test_a_plan_in_a_comment_keeps_its_form() -> None:
    """Folds, tables and lists stay; nothing but spaces of no width is put in."""
    made = preview_markdown(preview(ceilings=(HIT,), warnings=("so much of 100 %",)))
    safe = neutralize(made)
    assert safe.replace(ZWSP, "") == made
    assert [line for line in made.split("\n") if line.startswith(("<", "|"))] == [
        line for line in safe.split("\n") if line.startswith(("<", "|"))
    ]
    assert f"@{ZWSP}team #{ZWSP}1" in safe
