"""How the newest commit stands, for the forge's page, and what of it is still to be said. Pure."""

from __future__ import annotations

from reconciler.cycle.status import Finding
from reconciler.planning.situation import market_of
from reconciler.values.commit_state import DESCRIPTION_CHARACTERS, CommitState, Stand, Stated
from reconciler.values.judged import Verdict
from reconciler.values.plans import ApplyWorkload, Plan, PrepareAdapter, RemoveWorkload
from reconciler.values.readings import Unseen
from reconciler.values.text import one_line

WORKING = (ApplyWorkload, PrepareAdapter, RemoveWorkload)
KEPT = 20
"""Commits that are remembered; older ones are not said any more."""

DIGITS = 8

FOLLOWED = "followed by "
SUPERSEDED = "superseded by "


def standing(finding: Finding) -> CommitState | None:
    """At fault, refused, held, under way, or applied; None while the repository shows no commit."""
    judged, reading = finding.plan.judged, finding.situation.desired
    if judged is None or isinstance(reading, Unseen):
        return None
    errors = [fault for fault in reading.view.newest.desired.faults if not fault.warning]
    if errors:
        count = len({fault.path for fault in errors})
        files = "1 file is" if count == 1 else f"{count} files are"
        stand, why = Stand.FAILURE, f"{files} at fault, the last good version goes on: {errors[0].show()}"
    elif judged.verdict is Verdict.REFUSED:
        stand, why = Stand.FAILURE, f"refused: {judged.why}"
    elif judged.verdict is Verdict.HELD:
        stand, why = Stand.PENDING, f"held{_release(finding, judged.commit)}: {judged.why}"
    elif waits := _waits(finding):
        stand, why = Stand.PENDING, waits
    else:
        observing = finding.situation.limits.observe_only
        stand, why = Stand.SUCCESS, "applied; nothing is signed (--observe-only)" if observing else "applied"
    return CommitState(judged.commit, stand, one_line(why, DESCRIPTION_CHARACTERS))


def superseded(known: tuple[Stated, ...], plan: Plan) -> tuple[Stated, ...]:
    """With the commits that the newest supersedes, pending until it is applied; one that was evaluated keeps
    its state. They come last, before the newest, so that none is dropped while the newest stays the newest.
    """
    judged = plan.judged
    if judged is None or not plan.superseded:
        return known
    words = f"{SUPERSEDED}{judged.commit[:12]} before it was applied"
    by_commit = {each.state.commit: each for each in known}
    named = [each.commit for each in plan.superseded[1 - KEPT :]]
    between = [_passed_over(by_commit.get(each), CommitState(each, Stand.PENDING, words)) for each in named]
    others = [each for each in known if each.state.commit not in (*named, judged.commit)]
    newest = [by_commit[judged.commit]] if judged.commit in by_commit else []
    return (*others, *between, *newest)[-KEPT:]


def noted(known: tuple[Stated, ...], now: CommitState) -> tuple[Stated, ...]:
    """What is to be said, oldest first: nothing twice, nothing more once a commit was applied, and a last
    word on those that never were. What an applied commit supersedes is applied as a part of it.
    """
    old = next((each.state for each in known if each.state.commit == now.commit), None)
    if old is not None and (old == now or old.stand is Stand.SUCCESS):
        return known
    others = [_followed(each, now) for each in known if each.state.commit != now.commit]
    return (*others, Stated(now))[-KEPT:]


def told(known: tuple[Stated, ...], said: CommitState) -> tuple[Stated, ...]:
    """The same with this one told."""
    return tuple(Stated(each.state, told=True) if each.state == said else each for each in known)


def _release(finding: Finding, commit: str) -> str:
    """What lets it pass, before the words that may be cut short; the first digits of a digest are enough.

    Spending may wait for the owner, too, under the revision in force: that is no matter of this commit.
    """
    waiting = finding.plan.memory.waiting
    named = (hold.approval for hold in finding.plan.holds if hold.approval)
    digest = next((each for each in named if each not in waiting or waiting[each].revision == commit), "")
    return f" (provider-daemon approve {digest[:DIGITS]})" if digest else ""


def _waits(finding: Finding) -> str:
    """Why it is not applied yet; the words stay the same while that lasts."""
    plan, situation = finding.plan, finding.situation
    if market_of(situation) is None:
        return "seen; the chain is not seen, and without it nothing is applied"
    if any(isinstance(view.workloads, Unseen) for view in situation.adapters.values()):
        return "seen; the machines are not seen, and without them nothing is applied"
    keys = tuple(f"{kind.__name__}:" for kind in WORKING)
    if any(isinstance(action, WORKING) for action in plan.actions) or any(
        key.startswith(keys) for key in plan.memory.retries
    ):
        return "seen; workloads are being changed"
    return ""


def _followed(stated: Stated, now: CommitState) -> Stated:
    state = stated.state
    if state.description.startswith(f"{SUPERSEDED}{now.commit[:12]} ") and now.stand is Stand.SUCCESS:
        words = f"{SUPERSEDED}{now.commit[:12]}: {now.description}"
        return Stated(CommitState(state.commit, Stand.SUCCESS, one_line(words, DESCRIPTION_CHARACTERS)))
    if state.stand is not Stand.PENDING or state.description.startswith((FOLLOWED, SUPERSEDED)):
        return stated
    words = f"{FOLLOWED}{now.commit[:12]} before it was applied"
    return Stated(CommitState(state.commit, Stand.PENDING, words))


def _passed_over(known: Stated | None, state: CommitState) -> Stated:
    """The new state, unless the commit was evaluated itself or has this state already."""
    if known is None:
        return Stated(state)
    old = known.state
    moved = old.stand is Stand.PENDING and old.description.startswith(SUPERSEDED) and old != state
    return Stated(state) if moved else known
