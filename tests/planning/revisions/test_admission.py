"""Which revision is applied: the newest, or the last one with the reason."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from reconciler.planning.revisions.admission import Admission, admit
from reconciler.values.desired import Fault, Revision, Revisions
from reconciler.values.limits import Limits
from reconciler.values.plans import Reason
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.repository import CommitHeader
from reconciler.values.revision_verdict import VerdictKind
from tests.makers import PRICING, desired, planning_input, remembered

APPLIED = Revision(replace(desired(), commit="a" * 40))
NEWEST = Revision(desired())
RAISED = Revision(desired(pricing=replace(PRICING, cpu_millicores=Decimal("1.5"))))
FREE_GPU = Revision(replace(desired(pricing=replace(PRICING, gpu=Decimal(0))), commit="a" * 40))


def admission_of(reading: Reading[Revisions], limits: Limits, **changes: Any) -> Admission:
    known = {"memory": remembered(applied="a" * 40)} | changes
    inputs = planning_input(wanted=reading, limits=limits, **known)
    return admit(inputs, inputs.memory)


def admitted(newest: Revision, limits: Limits, applied: Revision | None = APPLIED) -> tuple[str, set[Reason]]:
    """The commit in force, and why it is not the newest."""
    made = admission_of(Seen(Revisions(newest, applied)), limits)
    assert all(hold.ours for hold in made.holds)
    return made.desired.commit[:1] if made.desired else "", {hold.reason for hold in made.holds}


@pytest.mark.parametrize(
    ("newest", "limits", "reason"),
    [
        (replace(NEWEST, descends=False), Limits(), Reason.REWRITTEN_HISTORY),
        (NEWEST, Limits(require_signature=True), Reason.UNSIGNED),
        (RAISED, Limits(price_change_percent=49), Reason.PRICE_JUMP),
        (RAISED, Limits(price_max={"cpu_millicores": Decimal("1.724")}), Reason.PRICE_OUT_OF_BOUNDS),
        (RAISED, Limits(price_min={"cpu_millicores": Decimal("1.6")}), Reason.PRICE_OUT_OF_BOUNDS),
    ],
)
def test_a_revision_over_a_limit_is_held_and_the_applied_one_stays(
    newest: Revision, limits: Limits, reason: Reason
) -> None:
    assert admitted(newest, limits) == ("a", {reason})
    jump = reason is Reason.PRICE_JUMP  # which needs something to jump from
    assert admitted(newest, limits, applied=None) == (("c", set()) if jump else ("", {reason}))


@pytest.mark.parametrize(
    ("newest", "limits"),
    [
        (NEWEST, Limits()),
        (replace(NEWEST, descends=False), Limits(allow_rewrite=True)),
        (replace(NEWEST, signer="olga"), Limits(require_signature=True)),
        (RAISED, Limits(price_change_percent=50)),
        (RAISED, Limits(price_max={"cpu_millicores": Decimal("1.725")})),
    ],
)
def test_what_keeps_them_is_applied(newest: Revision, limits: Limits) -> None:
    assert admitted(newest, limits) == ("c", set())


def test_a_first_price_of_something_that_was_free_needs_approval() -> None:
    assert admitted(NEWEST, Limits(price_change_percent=100_000), FREE_GPU) == ("a", {Reason.PRICE_JUMP})


def test_a_faulty_file_is_reported_and_holds_no_commit() -> None:
    fault, warning = Fault("pricing.yaml", 4, 3, "bad"), Fault("config.yaml", 1, 1, "odd", warning=True)
    newest = Revision(desired(faults=(fault, warning)))
    assert admitted(newest, Limits()) == ("c", {Reason.FILE_FAULTY})
    [hold] = admission_of(Seen(Revisions(newest)), Limits()).holds
    assert hold.message == "pricing.yaml:4:3: bad"
    replaced = Revision(replace(newest.desired, stale=frozenset({"pricing.yaml"})))
    [hold] = admission_of(Seen(Revisions(replaced)), Limits()).holds
    assert hold.message == "pricing.yaml:4:3: bad; its last valid version stays in force"


def test_an_unreachable_repository_keeps_the_last_fetch() -> None:
    made = admission_of(Seen(Revisions(NEWEST, APPLIED, stale="no answer")), Limits())
    assert made.desired is NEWEST.desired
    assert [(hold.reason, hold.message) for hold in made.holds] == [(Reason.REPOSITORY_UNSEEN, "no answer")]
    never = admission_of(Unseen("never read"), Limits())
    assert never.desired is None
    assert [hold.message for hold in never.holds] == ["never read"]


@pytest.mark.parametrize("known", [APPLIED, None])
def test_an_applied_revision_stays_when_its_signing_key_expires(known: Revision | None) -> None:
    limits = Limits(require_signature=True)
    memory = remembered(applied=NEWEST.desired.commit)
    made = admission_of(Seen(Revisions(NEWEST, known)), limits, memory=memory)
    assert (made.desired, made.holds) == (NEWEST.desired, ())
    older = remembered(applied=APPLIED.desired.commit)
    assert admission_of(Seen(Revisions(NEWEST, APPLIED)), limits, memory=older).desired is APPLIED.desired


def test_what_the_newest_supersedes_whether_it_is_applied_or_held() -> None:
    between = (CommitHeader("1" * 40, "Olga", "One"), CommitHeader("2" * 40, "Olga", "Two", "1" * 40))
    newest = replace(NEWEST, superseded=between)
    for limits in (Limits(), Limits(require_signature=True)):
        found = admission_of(Seen(Revisions(newest, APPLIED)), limits).superseded
        assert [(each.commit[0], each.verdict, each.reverts[:1]) for each in found] == [
            ("1", VerdictKind.SUPERSEDED, ""),
            ("2", VerdictKind.SUPERSEDED, "1"),
        ]
        assert found[0].describe() == (
            "Superseded commit 111111111111 by Olga: One "
            "(commit cccccccccccc is newer and is evaluated instead)"
        )
