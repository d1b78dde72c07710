"""Plans as text and as JSON, against golden files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.reports.grouping import subject_of_hold
from reconciler.reports.plan_json import plan_digest, plan_json
from reconciler.reports.plan_text import headline, plan_text
from reconciler.values.plans import Hold, Plan, Reason
from reconciler.values.subjects import Subject
from reconciler.values.text import printable
from tests.reports.plans import EMPTY, FULL, OTHER_MEMORY

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(("name", "plan"), [("full", FULL), ("empty", EMPTY)])
def test_text_and_json_match_the_golden_files(name: str, plan: Plan) -> None:
    assert plan_text(plan) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert plan_json(plan) == (GOLDEN / f"{name}.json").read_text(encoding="utf-8")


def test_every_action_and_hold_is_listed() -> None:
    text = plan_text(FULL)
    tree = json.loads(plan_json(FULL))
    assert text.count("\n    + ") + text.count("\n  + ") == 6 + 1 + 2 + 1 + 1 + 1 + 1
    assert text.count("- held, ") == len(FULL.holds) == len(tree["holds"])
    assert [a["kind"] for a in tree["actions"]] == [type(a).__name__ for a in FULL.actions]


def test_control_characters_are_escaped() -> None:
    assert "\x1b" not in plan_text(FULL)
    assert "\u202e" not in plan_text(FULL)
    assert printable("a\x1b[2J\n\x9b") == "a\\u001b[2J\\u000a\\u009b"
    assert printable("\u061c\u200b\u200f\ud800") == "\\u061c\\u200b\\u200f\\ud800"


def test_the_digest_covers_actions_and_holds_but_not_memory() -> None:
    assert plan_digest(FULL) == plan_digest(OTHER_MEMORY)
    assert plan_digest(FULL) != plan_digest(replace(FULL, holds=FULL.holds[1:]))
    assert len(plan_digest(EMPTY)) == 64


def test_different_plans_have_different_digests() -> None:
    low = Reason.PRICE_TOO_LOW
    held = [
        (Hold(Subject.parse("a"), low, "bc"),),
        (Hold(Subject.parse("ab"), low, "c"),),
        (Hold(Subject.parse("a"), low, "bc", ours=True),),
        (Hold(Subject.parse("a"), low, "b"), Hold(Subject.parse("a"), low, "c")),
        (Hold(Subject.parse("a"), low, "b"), Hold(Subject.parse("c"), low, "")),
        (Hold(Subject.parse("a"), low, f"b1:c{len(low)}:{low}"),),
        (),
    ]
    digests = [plan_digest(replace(EMPTY, holds=holds)) for holds in held]
    assert len(set(digests)) == len(held)
    assert plan_digest(replace(FULL, actions=FULL.actions[1:])) != plan_digest(FULL)
    assert plan_digest(replace(FULL, revision="b" * 40)) != plan_digest(FULL)


def test_the_headline_has_the_counts() -> None:
    assert headline(EMPTY) == "Plan for no commit that could be applied: nothing to do, 0 held"
    assert headline(replace(FULL, actions=FULL.actions[:1])) == (
        "Plan for commit 3f2a3f2a3f2a: 1 action, 8 held"
    )


def test_a_hold_on_a_bid_is_reported_with_its_order() -> None:
    order, workload = Subject.parse("owner/1/1/1"), Subject.parse("1-1-1-abcdefghij")
    assert subject_of_hold(Hold(Subject.parse("owner/1/1/1/provider"), Reason.CEILING, "x")) == order
    assert subject_of_hold(Hold(workload, Reason.CEILING, "x")) == workload
