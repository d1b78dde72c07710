"""What the review takes from the plan's reports is what they hold."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.forge.escaping import APART, harmless
from reconciler.reports.preview_json import preview_json
from reconciler.reports.preview_markdown import preview_markdown
from reconciler.values.plans import Hold, Reason
from tests.ci.changes import SCRIPT
from tests.reports.test_preview import preview

HIT = Hold("pricing.yaml", Reason.PRICE_JUMP, "so much, @team #1 <b>", ours=True)


@pytest.mark.parametrize("holds", [(), (HIT,)])
def test_what_is_withheld_is_found_as_the_script_looks_for_it(
    holds: tuple[Hold, ...], tmp_path: Path
) -> None:
    [pattern] = re.findall(r"grep -q '(.*withheld.*)'", SCRIPT.read_text())
    made = preview()
    (tmp_path / "plan.json").write_text(preview_json(replace(made, after=replace(made.after, holds=holds))))
    grep = subprocess.run(["grep", "-q", pattern, str(tmp_path / "plan.json")], check=False)
    assert (grep.returncode == 0) is bool(holds)


@pytest.mark.parametrize("ceilings", [(), (HIT,), (HIT, HIT)])
def test_ceilings_are_found_as_the_script_looks_for_them(ceilings: tuple[Hold, ...], tmp_path: Path) -> None:
    [pattern] = re.findall(r"grep -q '(.*ceilings.*)'", SCRIPT.read_text())
    (tmp_path / "plan.json").write_text(preview_json(preview(ceilings=ceilings)))
    grep = subprocess.run(["grep", "-q", pattern, str(tmp_path / "plan.json")], check=False)
    assert (grep.returncode == 0) is (not ceilings)


def test_a_plan_in_a_comment_keeps_its_form() -> None:
    """Folds, tables and lists stay; nothing but spaces of no width is put in."""
    made = preview_markdown(preview(ceilings=(HIT,), warnings=("so much of 100 %",)))
    safe = harmless(made)
    assert safe.replace(APART, "") == made
    assert [line for line in made.split("\n") if line.startswith(("<", "|"))] == [
        line for line in safe.split("\n") if line.startswith(("<", "|"))
    ]
    assert f"&#64;{APART}team &#35;{APART}1" in safe
