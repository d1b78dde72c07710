"""Issues: what needs the operator, as sentences that say what to do. The page and `status` show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from reconciler.values.funding import Funding
from reconciler.values.lifecycle import Phase
from reconciler.values.observed import CERTIFICATE_EXPIRES, Trouble
from reconciler.values.plans import Reason
from reconciler.values.snapshot import Snapshot
from reconciler.values.views import CycleOutcome, HoldView, LeaseView, WorkloadView

ISSUES_MAX = 200
"""Issues that a view has."""
NEEDS_OPERATOR = frozenset(
    {
        *(Reason.NO_BALANCE, Reason.LOW_BALANCE, Reason.NOT_REGISTERED),
        *(Reason.NO_PRICE, Reason.PRICE_OUT_OF_BOUNDS),
        *(Reason.REWRITTEN_HISTORY, Reason.UNSIGNED, Reason.PRICE_JUMP, Reason.MASS_REMOVAL),
        *(Reason.FILE_FAULTY, Reason.FILE_WITHOUT_LEASE, Reason.NO_WORKLOAD_FILE, Reason.ASKS_TOO_MUCH),
        *(Reason.IMAGE_DENIED, Reason.UNSUPPORTED, Reason.SECRET_DENIED),
        *(Reason.ADAPTER_UNKNOWN, Reason.ADAPTER_DENIED, Reason.NETWORK_POLICY_MISSING),
        *(Reason.CLOCK_SKEW, Reason.AUTH_FAILURE, Reason.SUSPENDED, Reason.REFUSED_BEFORE),
    }
)
"""Holds that are issues, as an operator should act."""


class IssueLevel(StrEnum):
    """How urgent an issue is: `bad` stops something, `warn` may."""

    BAD = "bad"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class IssueView:
    """An issue; the same one has the same `key` in later views."""

    level: IssueLevel
    key: str
    message: str


def issues_of(snapshot: Snapshot, troubles: Iterable[Trouble]) -> tuple[IssueView, ...]:
    """The issues of a cycle and of the daemon itself, the worst first, at most ISSUES_MAX."""
    found = (
        *_of_readings(snapshot),
        *_of_switches(snapshot),
        *_of_troubles(troubles),
        *(issue for workload in snapshot.workloads for issue in _of_workload(workload)),
        *_of_funds(snapshot.leases),
        *_of_revision(snapshot),
        *_of_holds(snapshot.holds),
    )
    return tuple(sorted(found, key=lambda issue: issue.level is not IssueLevel.BAD))[:ISSUES_MAX]


def _of_readings(snapshot: Snapshot) -> Iterator[IssueView]:
    for source in snapshot.readings:
        if source.why:
            message = f"{source.source} is unseen: {source.why}"
            yield IssueView(IssueLevel.BAD, f"unseen {source.source}", message)
    if (cycle := snapshot.cycle) and cycle.outcome is CycleOutcome.FAILED:
        yield IssueView(IssueLevel.BAD, "cycle", f"the last cycle failed: {cycle.why}")


def _of_switches(snapshot: Snapshot) -> Iterator[IssueView]:
    if snapshot.spending_stopped:
        message = "spending is stopped; `provider-daemon stop-spending --off` resumes it"
        yield IssueView(IssueLevel.WARN, "stopped", message)
    if snapshot.draining:
        message = "draining: no new bids, leases continue; `provider-daemon drain --off` ends it"
        yield IssueView(IssueLevel.WARN, "draining", message)
    if snapshot.observe_only:
        yield IssueView(IssueLevel.WARN, "observing", "observe only: plans are made, nothing is signed")


def _of_troubles(troubles: Iterable[Trouble]) -> Iterator[IssueView]:
    for trouble in troubles:
        level = IssueLevel.WARN if trouble.reason == CERTIFICATE_EXPIRES else IssueLevel.BAD
        yield IssueView(level, f"daemon {trouble.reason}", f"{trouble.message}; {trouble.advice}")


def _of_workload(workload: WorkloadView) -> Iterator[IssueView]:
    has_failed = workload.state == Phase.FAILED.value.lower()
    level = IssueLevel.BAD if has_failed else IssueLevel.WARN
    if trouble := workload.trouble:
        advice = f"; {trouble.advice}" if trouble.advice else ""
        message = f"{workload.id}: {trouble.message}{advice}"
        yield IssueView(level, f"trouble {workload.id}", message)
    elif has_failed:
        yield IssueView(level, f"failed {workload.id}", f"{workload.id} has failed")


def _of_funds(leases: Iterable[LeaseView]) -> Iterator[IssueView]:
    states = Counter(lease.funding.state for lease in leases)
    if count := states[Funding.EXHAUSTED]:
        yield IssueView(IssueLevel.WARN, "exhausted", f"the funds of {_leases(count)} have run out")
    if count := states[Funding.UNFUNDED]:
        yield IssueView(IssueLevel.WARN, "unfunded", f"no escrow pays for the usage of {_leases(count)}")
    if count := states[Funding.CRITICAL]:
        yield IssueView(IssueLevel.WARN, "critical", f"the funds of {_leases(count)} will run out soon")


def _leases(count: int) -> str:
    return "1 lease" if count == 1 else f"{count} leases"


def _of_revision(snapshot: Snapshot) -> Iterator[IssueView]:
    if snapshot.desired and snapshot.desired != snapshot.applied:
        message = f"commit {snapshot.desired[:10]} is not in force; see the holds"
        yield IssueView(IssueLevel.WARN, "revision", message)


def _of_holds(holds: Iterable[HoldView]) -> Iterator[IssueView]:
    """One issue per reason, with the first message."""
    by_reason: dict[Reason, list[HoldView]] = {}
    for hold in holds:
        if hold.reason in NEEDS_OPERATOR:
            by_reason.setdefault(hold.reason, []).append(hold)
    for reason, found in by_reason.items():
        if any(hold.ours or not hold.order for hold in found):
            count = f" ({len(found)} of these)" if len(found) > 1 else ""
            yield IssueView(IssueLevel.WARN, f"hold {reason}", f"{reason}: {found[0].message}{count}")
