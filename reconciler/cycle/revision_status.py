"""The state of the newest commit for the forge, and which states are still to be reported. Pure."""

from __future__ import annotations

from reconciler.cycle.planned_cycle import PlannedCycle
from reconciler.values.commit_status import DESCRIPTION_CHARACTERS, CommitStatus, ReportedStatus, StatusState
from reconciler.values.plans import ApplyWorkload, Plan, PrepareAdapter, RemoveWorkload
from reconciler.values.readings import Unseen
from reconciler.values.revision_verdict import VerdictKind
from reconciler.values.text import one_line

WORKING = (ApplyWorkload, PrepareAdapter, RemoveWorkload)
KEPT = 20
"""Remembered commits; states of older ones are no longer reported."""

DIGITS = 8

FOLLOWED = "followed by "
SUPERSEDED = "superseded by "


def commit_status_of(planned: PlannedCycle) -> CommitStatus | None:
    """The state: faulty, refused, held, in progress, or applied; None without a commit."""
    revision_verdict, reading = planned.plan.revision_verdict, planned.inputs.desired
    if revision_verdict is None or isinstance(reading, Unseen):
        return None
    errors = [fault for fault in reading.view.newest.desired.faults if not fault.warning]
    if errors:
        count = len({fault.path for fault in errors})
        files = "1 file has errors" if count == 1 else f"{count} files have errors"
        stand, why = (
            StatusState.FAILURE,
            f"{files}; the last valid version stays in force: {errors[0].describe()}",
        )
    elif revision_verdict.verdict is VerdictKind.REFUSED:
        stand, why = StatusState.FAILURE, f"refused: {revision_verdict.why}"
    elif revision_verdict.verdict is VerdictKind.HELD:
        stand, why = (
            StatusState.PENDING,
            f"held{_approve_command(planned, revision_verdict.commit)}: {revision_verdict.why}",
        )
    elif waits := _waiting_reason(planned):
        stand, why = StatusState.PENDING, waits
    else:
        observing = planned.inputs.limits.observe_only
        stand, why = (
            StatusState.SUCCESS,
            "applied; nothing is signed (--observe-only)" if observing else "applied",
        )
    return CommitStatus(revision_verdict.commit, stand, one_line(why, DESCRIPTION_CHARACTERS))


def add_superseded(known: tuple[ReportedStatus, ...], plan: Plan) -> tuple[ReportedStatus, ...]:
    """With the commits that the newest supersedes, pending until it is applied; one that was evaluated keeps
    its state. They come last, before the newest, so that none is dropped while the newest stays the newest.
    """
    revision_verdict = plan.revision_verdict
    if revision_verdict is None or not plan.superseded:
        return known
    words = f"{SUPERSEDED}{revision_verdict.commit[:12]} before it was applied"
    by_commit = {each.status.commit: each for each in known}
    named = [each.commit for each in plan.superseded[1 - KEPT :]]
    pending = (CommitStatus(each, StatusState.PENDING, words) for each in named)
    between = [_mark_superseded(by_commit.get(each.commit), each) for each in pending]
    others = [each for each in known if each.status.commit not in (*named, revision_verdict.commit)]
    newest = [by_commit[revision_verdict.commit]] if revision_verdict.commit in by_commit else []
    return (*others, *between, *newest)[-KEPT:]


def add_status(known: tuple[ReportedStatus, ...], now: CommitStatus) -> tuple[ReportedStatus, ...]:
    """The states to report, oldest first: none twice, none after a commit was applied, and a final one for
    commits that never were. Commits that an applied one supersedes are applied as a part of it.
    """
    old = next((each.status for each in known if each.status.commit == now.commit), None)
    if old is not None and (old == now or old.state is StatusState.SUCCESS):
        return known
    others = [_follow_newer(each, now) for each in known if each.status.commit != now.commit]
    return (*others, ReportedStatus(now))[-KEPT:]


def mark_reported(known: tuple[ReportedStatus, ...], status: CommitStatus) -> tuple[ReportedStatus, ...]:
    """The states with this one marked as reported."""
    reported = ReportedStatus(status, reported=True)
    return tuple(reported if each.status == status else each for each in known)


def _approve_command(planned: PlannedCycle, commit: str) -> str:
    """The approve command, before the text that may be truncated; the first digits of a digest suffice.

    Breaches of the revision in force (spending) do not concern this commit.
    """
    waiting = planned.plan.memory.approvable
    named = (hold.approval for hold in planned.plan.holds if hold.approval)
    digest = next((each for each in named if each not in waiting or waiting[each].revision == commit), "")
    return f" (provider-daemon approve {digest[:DIGITS]})" if digest else ""


def _waiting_reason(planned: PlannedCycle) -> str:
    """Why it is not applied yet; the text is constant while that lasts."""
    plan, inputs = planned.plan, planned.inputs
    if inputs.seen_market is None:
        return "seen; the chain is not seen, and without it nothing is applied"
    if any(isinstance(view.workloads, Unseen) for view in inputs.adapters.values()):
        return "seen; the machines are not seen, and without them nothing is applied"
    kinds = {kind.__name__ for kind in WORKING}
    if any(isinstance(action, WORKING) for action in plan.actions) or any(
        key.kind in kinds for key in plan.memory.retries
    ):
        return "seen; workloads are being changed"
    return ""


def _follow_newer(stated: ReportedStatus, now: CommitStatus) -> ReportedStatus:
    state = stated.status
    if state.description.startswith(f"{SUPERSEDED}{now.commit[:12]} ") and now.state is StatusState.SUCCESS:
        words = f"{SUPERSEDED}{now.commit[:12]}: {now.description}"
        return ReportedStatus(
            CommitStatus(state.commit, StatusState.SUCCESS, one_line(words, DESCRIPTION_CHARACTERS))
        )
    if state.state is not StatusState.PENDING or state.description.startswith((FOLLOWED, SUPERSEDED)):
        return stated
    words = f"{FOLLOWED}{now.commit[:12]} before it was applied"
    return ReportedStatus(CommitStatus(state.commit, StatusState.PENDING, words))


def _mark_superseded(known: ReportedStatus | None, state: CommitStatus) -> ReportedStatus:
    """The new state, unless the commit was evaluated itself or has this state already."""
    if known is None:
        return ReportedStatus(state)
    old = known.status
    moved = old.state is StatusState.PENDING and old.description.startswith(SUPERSEDED) and old != state
    return ReportedStatus(state) if moved else known
