"""Invariants of workloads, their lifecycle, and the revision in force."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.values.ids import WorkloadId, workload_id
from reconciler.values.lifecycle import TRANSITIONS, Phase
from reconciler.values.plans import Reason
from tests.simulation.seeded.acts import active_leases, path_of
from tests.simulation.seeded.turn import Deadline, Invariant, Turn

NOT_SERVED = frozenset(
    {
        Reason.ASKS_TOO_MUCH,
        Reason.IMAGE_DENIED,
        Reason.FILE_FAULTY,
        Reason.PAUSED_STILL_PAID,
        Reason.ADAPTER_UNKNOWN,
        Reason.MASS_REMOVAL,
        Reason.ESCROW_EXHAUSTED,
    }
)
"""Reasons for which a leased workload may stay down."""


class NothingIsRemovedOnSilence(Invariant):
    """A workload is removed only if its lease is closed on the chain, or runs on another adapter."""

    def check(self, turn: Turn) -> Iterator[str]:
        for adapter in turn.world.adapters.values():
            for workload, lease in adapter.removed:
                others = [
                    a for a in turn.world.adapters.values() if a is not adapter and workload in a.workloads
                ]
                if lease in active_leases(turn.world) and not others:
                    yield f"{workload} was removed from {adapter.name} under an active lease"
            adapter.removed.clear()


class NoWorkloadOutlivesItsLease(Invariant):
    """Once the world is well, a workload without a lease is gone within its grace."""

    def __init__(self) -> None:
        self._deadline = Deadline()

    def check(self, turn: Turn) -> Iterator[str]:
        active = set(active_leases(turn.world))
        stale = {
            f"{each.workload.id} on {adapter.name}"
            for adapter in turn.world.adapters.values()
            for each in adapter.workloads.values()
            if each.workload.lease not in active
        }
        for name in self._deadline.overdue(turn, stale):
            yield f"{name} still runs"


class EveryLeaseGetsItsWorkload(Invariant):
    """Once the world is well, a lease with a file has its workload within a deadline."""

    def __init__(self) -> None:
        self._deadline = Deadline()

    def check(self, turn: Turn) -> Iterator[str]:
        for name in self._deadline.overdue(turn, set(self._missing(turn))):
            yield f"{name} does not run"

    def _missing(self, turn: Turn) -> Iterator[str]:
        if turn.cycle is None:
            return
        held = {h.subject.name for h in turn.cycle.planned.plan.holds if h.reason in NOT_SERVED}
        commit = turn.world.remote.commits.get(turn.cycle.planned.plan.revision)
        for lease in active_leases(turn.world):
            subject = workload_id(lease)
            if commit is None or path_of(lease) not in commit.files or subject in held:
                continue
            there = [
                a.workloads[subject].running() for a in turn.world.adapters.values() if subject in a.workloads
            ]
            if not any(each.ready or each.trouble for each in there):
                yield str(subject)


NOT_ADMITTED = frozenset({Reason.REWRITTEN_HISTORY, Reason.UNSIGNED, Reason.PRICE_JUMP, Reason.MASS_REMOVAL})
"""Reasons for which a commit may wait for its owner."""


class TheNewestRevisionComesIntoForce(Invariant):
    """Once the world is well, the newest commit is in force, or a hold says why not."""

    def __init__(self) -> None:
        self._deadline = Deadline()

    def check(self, turn: Turn) -> Iterator[str]:
        for name in self._deadline.overdue(turn, set(self._waiting(turn))):
            yield f"commit {name[:12]} is not in force"

    def _waiting(self, turn: Turn) -> Iterator[str]:
        if turn.cycle is None:
            return
        tip, plan = turn.world.remote.tip, turn.cycle.planned.plan
        if plan.revision != tip and not any(h.reason in NOT_ADMITTED for h in plan.holds):
            yield tip


class TheLifecycleTableIsKept(Invariant):
    """Every step of a workload is one of the table, and begins where the last one ended."""

    def __init__(self) -> None:
        self._phases: dict[WorkloadId, Phase] = {}

    def check(self, turn: Turn) -> Iterator[str]:
        if turn.cycle is None:
            return
        plan = turn.cycle.planned.plan
        ends: dict[WorkloadId, Phase] = {}
        for step in plan.transitions:
            if step.from_phase is not step.to_phase and step.to_phase not in TRANSITIONS[step.from_phase]:
                yield f"{step.workload} went from {step.from_phase} to {step.to_phase}"
            if step.workload in ends and ends[step.workload] is not step.from_phase:
                yield f"{step.workload} ended as {ends[step.workload]} and went on from {step.from_phase}"
            ends[step.workload] = step.to_phase
        for workload, end in ends.items():
            known = plan.memory.workloads.get(workload)
            if known is not None and known.phase is not end:
                yield f"{workload} is {known.phase}, its last step ends as {end}"
