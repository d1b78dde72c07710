"""Plans as text and as JSON, against golden files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.reports.grouping import PlanSubject, SubjectKind, of_hold
from reconciler.reports.plan_json import plan_digest, plan_json
from reconciler.reports.plan_text import headline, plan_text
from reconciler.values.plans import Hold, Plan, Reason
from reconciler.values.text import printable
from tests.reports.plans import EMPTY, FULL, OTHER_MEMORY

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(("name", "plan"), [("full", FULL), ("empty", EMPTY)])
def test_a_plan_is_told_as_the_golden_files_have_it(name: str, plan: Plan) -> None:
    assert plan_text(plan) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert plan_json(plan) == (GOLDEN / f"{name}.json").read_text(encoding="utf-8")


def test_every_action_and_hold_is_told() -> None:
    text = plan_text(FULL)
    tree = json.loads(plan_json(FULL))
    assert text.count("\n    + ") + text.count("\n  + ") == 6 + 1 + 2 + 1 + 1 + 1 + 1
    assert text.count("- held, ") == len(FULL.holds) == len(tree["holds"])
    assert [a["kind"] for a in tree["actions"]] == [type(a).__name__ for a in FULL.actions]


def test_strangers_cannot_write_to_the_terminal() -> None:
    assert "\x1b" not in plan_text(FULL)
    assert "\u202e" not in plan_text(FULL)
    assert printable("a\x1b[2J\n\x9b") == "a\\u001b[2J\\u000a\\u009b"
    assert printable("\u061c\u200b\u200f\ud800") == "\\u061c\\u200b\\u200f\\ud800"


def test_the_digest_is_of_what_is_decided() -> None:
    assert plan_digest(FULL) == plan_digest(OTHER_MEMORY)
    assert plan_digest(FULL) != plan_digest(replace(FULL, holds=FULL.holds[1:]))
    assert len(plan_digest(EMPTY)) == 64


def test_no_two_plans_have_one_digest() -> None:
    low = Reason.PRICE_TOO_LOW
    held = [
        (Hold("a", low, "bc"),),
        (Hold("ab", low, "c"),),
        (Hold("a", low, "bc", ours=True),),
        (Hold("a", low, "b"), Hold("a", low, "c")),
        (Hold("a", low, "b"), Hold("c", low, "")),
        (Hold("a", low, f"b1:c{len(low)}:{low}"),),
        (),
    ]
    digests = [plan_digest(replace(EMPTY, holds=holds)) for holds in held]
    assert len(set(digests)) == len(held)
    assert plan_digest(replace(FULL, actions=FULL.actions[1:])) != plan_digest(FULL)
    assert plan_digest(replace(FULL, revision="b" * 40)) != plan_digest(FULL)


def test_the_headline_counts() -> None:
    assert headline(EMPTY) == "Plan for no commit that could be applied: nothing to do, 0 held"
    assert headline(replace(FULL, actions=FULL.actions[:1])) == (
        "Plan for commit 3f2a3f2a3f2a: 1 action, 8 held"
    )


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("", SubjectKind.PROVIDER),
        ("repository", SubjectKind.PROVIDER),
        ("ve1provider", SubjectKind.PROVIDER),
        ("a/b/c/d", SubjectKind.PROVIDER),
        ("workloads/1-1-1-abcdefghij.yaml", SubjectKind.FILE),
        ("owner/1/1/1", SubjectKind.ORDER),
        ("owner/1/1/1/provider", SubjectKind.ORDER),
        ("1-1-1-abcdefghij", SubjectKind.WORKLOAD),
        ("ansible", SubjectKind.ADAPTER),
        ("AB" * 32, SubjectKind.TRANSACTION),
    ],
)
def test_a_hold_is_told_with_its_object(subject: str, kind: SubjectKind) -> None:
    found = of_hold(Hold(subject, Reason.CEILING, "x"))
    assert found == PlanSubject(kind, "owner/1/1/1" if kind is SubjectKind.ORDER else subject)
