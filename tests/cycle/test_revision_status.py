"""How the newest commit stands, and what of it is still to be said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.cycle.planned_cycle import PlannedCycle
from reconciler.cycle.revision_status import KEPT, add_status, add_superseded, commit_status_of, mark_reported
from reconciler.planning.planner import plan
from reconciler.values.approvals import Breach
from reconciler.values.commit_status import CommitStatus, ReportedStatus, StatusState
from reconciler.values.desired import Desired, Fault
from reconciler.values.limits import Limits
from reconciler.values.memory import Retry
from reconciler.values.plans import Hold, Plan, Reason
from reconciler.values.readings import Unseen
from reconciler.values.revision_verdict import RevisionVerdict, VerdictKind
from reconciler.values.subjects import EffectKey, Subject
from tests import makers

RUNS = makers.workload()
A, B, C = (CommitStatus(letter * 40, StatusState.SUCCESS, "applied") for letter in "abc")


def found(wanted: Desired | None = None, market: Any = None, **changes: Any) -> PlannedCycle:
    inputs = makers.planning_input(market or makers.market(), wanted or makers.desired(), **changes)
    return PlannedCycle(inputs, plan(inputs))


def state(planned: PlannedCycle) -> tuple[StatusState, str]:
    made = commit_status_of(planned)
    assert made is not None
    assert made.commit == planned.inputs.desired.view.newest.desired.commit  # type: ignore[union-attr]  # seen
    return made.state, made.description


def held(value: CommitStatus) -> CommitStatus:
    return replace(value, state=StatusState.PENDING, description="held: so much")


def test_a_commit_that_is_applied() -> None:
    assert state(found()) == (StatusState.SUCCESS, "applied")
    watching = found(limits=replace(Limits(), observe_only=True))
    assert state(watching) == (StatusState.SUCCESS, "applied; nothing is signed (--observe-only)")


def test_a_commit_whose_workload_is_being_applied() -> None:
    market = makers.market(leases=[makers.lease()])
    under_way = found(makers.desired(RUNS), market)
    assert state(under_way) == (StatusState.PENDING, "seen; workloads are being changed")
    done = found(makers.desired(RUNS), market, adapters=makers.adapter(makers.running(RUNS)))
    assert state(done)[0] is StatusState.SUCCESS


def test_and_as_long_as_that_fails() -> None:
    """Between two tries the plan has nothing to do, and yet it is not applied."""
    retry = Retry(3, makers.NOW + 600, "Unreachable", "the cluster says no")
    planned = found(makers.desired(RUNS), makers.market(leases=[makers.lease()]))
    memory = replace(planned.plan.memory, retries={EffectKey.parse(f"ApplyWorkload:{RUNS.id}"): retry})
    waiting = PlannedCycle(planned.inputs, replace(planned.plan, actions=(), memory=memory))
    assert state(waiting) == (StatusState.PENDING, "seen; workloads are being changed")


def test_an_unobserved_revision_is_not_reported_as_applied() -> None:
    view = makers.adapter()["kubernetes"]
    blind = {"kubernetes": replace(view, workloads=Unseen("down"))}
    stand, words = state(found(makers.desired(RUNS), adapters=blind))
    assert (stand, words.split(",")[0]) == (StatusState.PENDING, "seen; the machines are not seen")
    stand, words = state(found(makers.desired(RUNS), Unseen("down")))
    assert (stand, words.split(",")[0]) == (StatusState.PENDING, "seen; the chain is not seen")


def test_an_unavailable_repository_reports_nothing() -> None:
    inputs = replace(makers.planning_input(makers.market()), desired=Unseen("down"))
    assert commit_status_of(PlannedCycle(inputs, plan(inputs))) is None


def test_files_at_fault() -> None:
    faults = (
        Fault("pricing.yaml", 8, 3, "no number", "write one"),
        Fault("pricing.yaml", 9, 3, "no number", "write one"),
        Fault("README.md", 1, 1, "odd", "see", warning=True),
    )
    stand, words = state(found(makers.desired(faults=faults)))
    assert stand is StatusState.FAILURE
    assert words.startswith(
        "1 file has errors; the last valid version stays in force: pricing.yaml:8:3: no number"
    )
    assert len(words) <= 140
    assert state(found(makers.desired(faults=faults[2:])))[0] is StatusState.SUCCESS


def test_a_commit_that_nobody_may_let_pass() -> None:
    unsigned = replace(makers.remembered(), applied="")
    stand, words = state(found(limits=replace(Limits(), require_signature=True), memory=unsigned))
    assert (stand, words.startswith("refused: Unsigned: commit ")) == (StatusState.FAILURE, True)


def test_a_commit_that_is_held() -> None:
    """With what lets it pass, in words that are not cut off."""
    planned = found()
    revision_verdict = planned.plan.revision_verdict
    assert revision_verdict is not None
    waiting = replace(revision_verdict, verdict=VerdictKind.HELD, why="PriceJump: " + "so much " * 30)
    plain = replace(planned.plan, revision_verdict=waiting)
    stand, words = state(PlannedCycle(planned.inputs, plain))
    assert (stand, words.startswith("held: PriceJump: so much")) == (StatusState.PENDING, True)
    hold = Hold(
        Subject.parse("pricing.yaml"), Reason.PRICE_JUMP, "so much", ours=True, approval="0123456789abcdef"
    )
    stand, words = state(PlannedCycle(planned.inputs, replace(plain, holds=(hold,))))
    assert words.startswith("held (provider-daemon approve 01234567): PriceJump: so much")


def test_what_else_may_be_approved_does_not_let_it_pass() -> None:
    planned = found()
    revision_verdict = planned.plan.revision_verdict
    assert revision_verdict is not None
    spend = Breach("e" * 40, "spend_per_hour", "1uve", (makers.US,))
    jump = Breach(revision_verdict.commit, "price_change_percent", "10", ("gpu",))
    holds = tuple(
        Hold(Subject.parse("a"), Reason.CEILING, "so much", approval=each.digest) for each in (spend, jump)
    )
    memory = replace(planned.plan.memory, approvable={each.digest: each for each in (spend, jump)})
    waiting = replace(revision_verdict, verdict=VerdictKind.HELD, why="PriceJump: so much")
    made = replace(planned.plan, revision_verdict=waiting, holds=holds, memory=memory)
    _, words = state(PlannedCycle(planned.inputs, made))
    assert words.startswith(f"held (provider-daemon approve {jump.digest[:8]})")


def test_nothing_is_reported_twice() -> None:
    assert add_status((), A) == (ReportedStatus(A),)
    said = mark_reported((ReportedStatus(A),), A)
    assert said == (ReportedStatus(A, reported=True),)
    assert add_status(said, A) is said
    assert add_status(said, replace(A, description="otherwise")) is said
    assert add_status(said, held(A)) is said


def test_a_changed_state_is_reported() -> None:
    waits = mark_reported((ReportedStatus(held(A)),), held(A))
    assert add_status(waits, held(A)) is waits
    assert add_status(waits, A) == (ReportedStatus(A),)
    other = replace(held(A), description="held: otherwise")
    assert add_status(waits, other) == (ReportedStatus(other),)


def test_one_that_never_was_applied_gets_its_last_word() -> None:
    known = add_status((ReportedStatus(held(A), reported=True), ReportedStatus(B, reported=True)), C)
    last = CommitStatus(A.commit, StatusState.PENDING, "followed by cccccccccccc before it was applied")
    assert known == (ReportedStatus(last), ReportedStatus(B, reported=True), ReportedStatus(C))
    after = add_status(known, CommitStatus("d" * 40, StatusState.SUCCESS, "applied"))
    assert after[0] == ReportedStatus(last)


def test_unreported_states_are_kept() -> None:
    assert add_status((ReportedStatus(A),), B) == (ReportedStatus(A), ReportedStatus(B))


def test_memory_ends() -> None:
    known: tuple[ReportedStatus, ...] = ()
    for number in range(KEPT + 5):
        known = add_status(known, CommitStatus(f"{number:040x}", StatusState.SUCCESS, "applied"))
    assert len(known) == KEPT
    assert known[-1].status.commit == f"{KEPT + 4:040x}"


def over(newest: CommitStatus, *older: CommitStatus) -> Plan:
    """A plan with a newest commit and those that it supersedes."""
    revision_verdict = RevisionVerdict(newest.commit, "Olga", "", VerdictKind.APPLIED)
    between = tuple(RevisionVerdict(each.commit, "Olga", "", VerdictKind.SUPERSEDED) for each in older)
    return replace(found().plan, revision_verdict=revision_verdict, superseded=between)


def pending(value: CommitStatus, newer: CommitStatus) -> CommitStatus:
    words = f"superseded by {newer.commit[:12]} before it was applied"
    return CommitStatus(value.commit, StatusState.PENDING, words)


def test_a_superseded_commit_is_applied_with_the_newest() -> None:
    known = add_superseded((), over(C, A, B))
    assert known == (ReportedStatus(pending(A, C)), ReportedStatus(pending(B, C)))
    waits = add_status(known, held(C))
    assert waits == (*known, ReportedStatus(held(C)))
    assert add_superseded(waits, over(C, A, B)) == waits, "nothing is written twice"
    applied = add_status(waits, C)
    done = "superseded by cccccccccccc: applied"
    assert [(s.status.commit[0], s.status.state, s.status.description) for s in applied] == [
        ("a", StatusState.SUCCESS, done),
        ("b", StatusState.SUCCESS, done),
        ("c", StatusState.SUCCESS, "applied"),
    ]
    assert add_superseded(applied, over(C)) is applied


def test_a_superseded_commit_stays_pending_until_a_newer_one_is_applied() -> None:
    """The held commit that superseded it was evaluated itself: its own last word stays."""
    known = add_status(add_superseded((), over(B, A)), held(B))
    known = add_status(add_superseded(known, over(C, A, B)), C)
    assert [(s.status.commit[0], s.status.state) for s in known] == [
        ("a", StatusState.SUCCESS),
        ("b", StatusState.PENDING),
        ("c", StatusState.SUCCESS),
    ]
    assert known[1].status.description == "followed by cccccccccccc before it was applied"


def test_a_superseded_commit_is_not_successful_with_a_rewritten_branch() -> None:
    known = add_status(add_superseded((), over(B, A)), held(B))
    assert add_status(add_superseded(known, over(C)), C)[0] == ReportedStatus(pending(A, B))


def test_more_superseded_commits_than_are_remembered() -> None:
    older = [CommitStatus(f"{number:040x}", StatusState.SUCCESS, "applied") for number in range(100)]
    known = add_status(add_superseded((ReportedStatus(A, reported=True),), over(C, *older)), held(C))
    assert [s.status.commit for s in known] == [*(each.commit for each in older[1 - KEPT :]), C.commit]
    assert add_superseded(known, over(C, *older)) == known
