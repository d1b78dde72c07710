"""Chooses the revision in force: the newest, unless it violates the host file; otherwise the applied revision
stays in force.

A revision is applied completely or not at all, even if only some of its files exceed a limit: the state in
force is always one commit, which can be named, read and reverted. Mass removals are held although deleting a
file under an active lease removes nothing: its workload would no longer be repaired.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from reconciler.planning.planning_input import PlanningInput
from reconciler.planning.revisions.approvals import HeldBreach, held_breaches
from reconciler.planning.revisions.prices import prices_in_force
from reconciler.values.approvals import Approval, Breach
from reconciler.values.bounds import out_of_bounds
from reconciler.values.desired import Desired, Pricing, Revision, Revisions
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory
from reconciler.values.plans import Hold, Reason
from reconciler.values.rates import ExchangeRate
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.revision_verdict import RevisionVerdict, VerdictKind
from reconciler.values.subjects import REPOSITORY, Subject

_LAST_VALID = "; its last valid version stays in force"


@dataclass(frozen=True, slots=True)
class Admission:
    """The desired state in force (None before the first one), and the holds on the newest revision, on its
    faulty files and on a failed fetch. `breaches` are the limits that the newest exceeds, approved or not;
    `superseded` are the commits between the applied one and the newest, `revisions` both with prices as
    they are in force, `rates` the exchange rates of these.
    """

    desired: Desired | None
    holds: tuple[Hold, ...] = ()
    breaches: tuple[Breach, ...] = ()
    revision_verdict: RevisionVerdict | None = None
    superseded: tuple[RevisionVerdict, ...] = ()
    revisions: Revisions | None = None
    rates: Mapping[str, ExchangeRate] = field(default_factory=dict)


def admit(inputs: PlanningInput, memory: Memory) -> Admission:
    """Choose the revision; the holds name the held commit and what to do. Independent of chain and adapters,
    so it can run before they are observed.
    """
    reading, limits = inputs.desired, inputs.limits
    if isinstance(reading, Unseen):
        return Admission(None, (Hold(REPOSITORY, Reason.REPOSITORY_UNSEEN, reading.why, ours=True),))
    prices = prices_in_force(inputs, reading.view, memory)
    revisions = prices.revisions
    inputs = replace(inputs, desired=Seen(revisions))
    violations = tuple(_violations(revisions, limits, memory))
    exceeded = tuple(held_breaches(inputs, memory))
    unapproved = tuple(h for x in exceeded if x.breach.digest not in memory.approvals for h in x.holds)
    objections = (*violations, *unapproved)
    chosen: Revision | None = revisions.applied if objections else revisions.newest
    return Admission(
        chosen.desired if chosen else None,
        (*objections, *prices.holds, *_notes(revisions)),
        (*(x.breach for x in exceeded), *prices.breaches),
        _verdict_on(revisions.newest, objections, _approved(exceeded, memory.approvals)),
        _superseded(revisions.newest),
        revisions,
        prices.rates,
    )


def desired_at(reading: Reading[Revisions], revision: str) -> Desired | None:
    """The desired state of this commit, if the reading has it."""
    if isinstance(reading, Unseen):
        return None
    seen = (reading.view.newest, reading.view.applied)
    return next((r.desired for r in seen if r is not None and r.desired.commit == revision), None)


def _verdict_on(newest: Revision, objections: tuple[Hold, ...], approved: str) -> RevisionVerdict:
    verdict = VerdictKind.APPLIED
    if objections:
        final = any(not h.approval for h in objections)
        verdict = VerdictKind.REFUSED if final else VerdictKind.HELD
    why = "; ".join(f"{h.reason}: {h.message}" for h in objections) or approved
    return RevisionVerdict(newest.desired.commit, newest.author, newest.subject, verdict, why, newest.reverts)


def _superseded(newest: Revision) -> tuple[RevisionVerdict, ...]:
    """Commits between the applied one and the newest, evaluated earlier or not."""
    why = f"commit {newest.desired.commit[:12]} is newer and is evaluated instead"
    return tuple(
        RevisionVerdict(each.id, each.author, each.subject, VerdictKind.SUPERSEDED, why, each.reverts)
        for each in newest.superseded
    )


def _approved(exceeded: tuple[HeldBreach, ...], approvals: Mapping[str, Approval]) -> str:
    """Who approved the exceeded limits."""
    found = (approvals[x.breach.digest] for x in exceeded if x.breach.digest in approvals)
    return "; ".join(f"{each.breach.limit} approved by {each.by}" for each in found)


def _notes(revisions: Revisions) -> tuple[Hold, ...]:
    fetch = [Hold(REPOSITORY, Reason.REPOSITORY_UNSEEN, revisions.stale)] if revisions.stale else []
    desired = revisions.newest.desired
    faults = [
        Hold(
            Subject.of_file(f.path),
            Reason.FILE_FAULTY,
            f.describe() + _LAST_VALID * (f.path in desired.stale),
            ours=True,
        )
        for f in desired.faults
        if not f.warning
    ]
    return (*fetch, *faults)


def _violations(revisions: Revisions, limits: Limits, memory: Memory) -> Iterator[Hold]:
    """Violations that cannot be approved. Signatures are checked on admission only: a commit in force stays
    in force when its signer's key expires or is removed from the list.
    """
    newest = revisions.newest
    commit = newest.desired.commit[:12]
    if not newest.descends and not limits.allow_rewrite:
        why = (
            f"commit {commit} does not descend from the applied commit: history was rewritten; "
            "restore the branch, or set allow_rewrite in the host file"
        )
        yield Hold(REPOSITORY, Reason.REWRITTEN_HISTORY, why, ours=True)
    is_applied = newest.desired.commit == memory.applied
    if limits.require_signature and newest.signer is None and not is_applied:
        why = (
            f"commit {commit} is not signed by an allowed signer of the host file whose key is valid now; "
            "sign it and push again"
        )
        yield Hold(REPOSITORY, Reason.UNSIGNED, why, ours=True)
    if (pricing := newest.desired.pricing) is not None:
        yield from _price_violations(pricing, limits)


def _price_violations(pricing: Pricing, limits: Limits) -> Iterator[Hold]:
    for _, why in out_of_bounds(pricing, limits):
        yield Hold(Subject.of_file("pricing.yaml"), Reason.PRICE_OUT_OF_BOUNDS, why, ours=True)
