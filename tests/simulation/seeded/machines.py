"""Machines in memory behind the adapter's port: nodes that share a workload, or hosts that run it whole."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace

from reconciler.values.desired import Workload
from reconciler.values.ids import LeaseId, WorkloadId
from reconciler.values.machines import Capacity, Machine
from reconciler.values.observed import AdapterView, ObservedWorkload, Trouble
from reconciler.values.outcomes import Done, Failed, Outcome
from reconciler.values.readings import Seen
from reconciler.values.resources import Resources, total

REMOVAL_BLOCKS = 1
"""Blocks until the objects of a removed workload are gone."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A workload on the machines: its machine by service and replica ("": none has room), and the number of
    times that its pods were replaced.
    """

    workload: Workload
    digest: str
    machines: tuple[str, ...] = ()
    ready: bool = False
    drifted: bool = False
    removing: int = 0
    replaced: int = 0

    @property
    def pieces(self) -> tuple[Resources, ...]:
        """What each container needs; none while it is paused."""
        if self.workload.paused:
            return ()
        return tuple(s.resources for s in self.workload.services for _ in range(s.count))

    def running(self) -> ObservedWorkload:
        """The adapter's view of it."""
        short = len(self.pieces) > len([each for each in self.machines if each])
        names = tuple(
            f"{self.workload.id}-{self.digest[:4]}-{self.replaced}-{n}" for n in range(len(self.pieces))
        )
        return ObservedWorkload(
            id=self.workload.id,
            lease=self.workload.lease,
            digest=self.digest,
            paused=self.workload.paused,
            ready=self.ready and bool(self.pieces),
            replicas_ready=len(self.pieces) if self.ready else 0,
            replicas=len(self.pieces),
            removing=bool(self.removing),
            drifted=self.drifted,
            trouble=Trouble("Unschedulable", "no machine has room", "add one") if short else None,
            pods=names if not short else (),
            ready_by_service=tuple(sorted((s.name, s.count) for s in self.workload.services))
            if self.ready and self.pieces
            else (),
        )


class Machines:
    """`ports.Adapter` on machines by name; `whole`: a workload runs on one of them."""

    def __init__(self, name: str, machines: dict[str, Resources], *, whole: bool) -> None:
        self.name = name
        self.machines = dict(machines)
        self.lost: dict[str, Resources] = {}
        self.absent: dict[str, Resources] = {}
        """Hosts that the adapter's file does not name."""
        self.workloads: dict[WorkloadId, Placed] = {}
        self.quota: Resources | None = None
        self.changes = 0
        self.calls = 0
        """Effects that arrived, repeated ones too."""
        self.removed: list[tuple[WorkloadId, LeaseId]] = []
        """The requested removals; reading clears them."""
        self.is_whole = whole
        self._view: tuple[int, AdapterView] | None = None

    def observe(self) -> AdapterView:
        if self._view is None or self._view[0] != self.changes:
            there = {name: each.running() for name, each in sorted(self.workloads.items())}
            self._view = self.changes, AdapterView(Seen(there), Seen(self._capacity()))
        return self._view[1]

    def prepare(self, quota: Resources) -> Outcome:
        self.calls += 1
        if self.quota != quota:
            self.quota = quota
            self.changes += 1
        return Done()

    def apply(self, workload: Workload, digest: str) -> Outcome:
        self.calls += 1
        before = self.workloads.get(workload.id)
        if before is not None and before.removing:
            return Failed("Removing", "its former objects are still being removed")
        if before is not None and before.digest == digest and not before.drifted:
            return Done()
        kept = before if before is not None else Placed(workload, digest)
        self._set(replace(kept, workload=workload, digest=digest, drifted=False, ready=False, machines=()))
        return Done()

    def remove(self, workload: WorkloadId) -> Outcome:
        self.calls += 1
        if (there := self.workloads.get(workload)) is not None and not there.removing:
            self.removed.append((workload, there.workload.lease))
            self._set(replace(there, removing=1, ready=False))
        return Done()

    def logs(self, workload: WorkloadId, tail_lines: int) -> Iterator[bytes]:
        raise OSError(f"{workload} has no {tail_lines} lines")

    def converge(self) -> None:
        """What the machines do by themselves within one block."""
        for name, each in list(self.workloads.items()):
            if each.removing > REMOVAL_BLOCKS:
                del self.workloads[name]
                self.changes += 1
            elif each.removing:
                self._set(replace(each, removing=each.removing + 1))
            elif not each.ready and each.machines and all(each.machines):
                self._set(replace(each, ready=True))
            elif len(each.machines) != len(each.pieces) or not all(each.machines):
                placed = self._place(each)
                if placed != each.machines:
                    self._set(replace(each, machines=placed, ready=not each.pieces))

    @property
    def settled(self) -> bool:
        """Whether the machines would change nothing by themselves."""
        return not any(
            w.removing or (not w.ready and w.machines and all(w.machines)) for w in self.workloads.values()
        )

    def tamper(self, number: int) -> None:
        """Somebody else edits a workload's objects."""
        if there := sorted(self.workloads):
            name = there[number % len(there)]
            self._set(replace(self.workloads[name], drifted=True))

    def delete(self, number: int) -> None:
        """Somebody else deletes a workload's objects."""
        if there := sorted(self.workloads):
            del self.workloads[there[number % len(there)]]
            self.changes += 1

    def lose(self, number: int) -> None:
        """A machine fails, and what ran on it stops; nodes' workloads go elsewhere."""
        if len(self.machines) < 2:
            return
        name = sorted(self.machines)[number % len(self.machines)]
        self.lost[name] = self._without(name)

    def follow(self, hosts: Container[str]) -> None:
        """Use these hosts alone; what runs on others is not seen."""
        for name in [name for name in self.machines if name not in hosts]:
            self.absent[name] = self._without(name)
        for name in [name for name in self.absent if name in hosts]:
            self.machines[name] = self.absent.pop(name)
            self.changes += 1

    def recover(self) -> None:
        """Every failed machine returns."""
        self.machines.update(self.lost)
        self.changes += bool(self.lost)
        self.lost.clear()

    def _without(self, name: str) -> Resources:
        """Take a machine away from what runs on it; returns it."""
        machine = self.machines.pop(name)
        self.changes += 1
        for each in list(self.workloads.values()):
            if name in each.machines:
                self._set(replace(each, machines=(), ready=False, replaced=each.replaced + 1))
        return machine

    def _set(self, placed: Placed) -> None:
        self.workloads[placed.workload.id] = placed
        self.changes += 1

    def _free(self) -> dict[str, Resources]:
        free = dict(self.machines)
        for each in self.workloads.values():
            for machine, piece in zip(each.machines, each.pieces, strict=False):
                if machine in free:
                    free[machine] -= piece
        return free

    def _place(self, placed: Placed) -> tuple[str, ...]:
        """The first machine with room for each container, or for all of them."""
        free = self._free()
        for machine, piece in zip(placed.machines, placed.pieces, strict=False):
            if machine in free:
                free[machine] += piece
        if self.is_whole:
            whole = total(list(placed.pieces))
            host = next((name for name, room in sorted(free.items()) if not room.lacks(whole)), "")
            return (host,) * len(placed.pieces)
        found: list[str] = []
        for piece in placed.pieces:
            node = next((name for name, room in sorted(free.items()) if not room.lacks(piece)), "")
            if node:
                free[node] -= piece
            found.append(node)
        return tuple(found)

    def _capacity(self) -> Capacity:
        held: dict[str, dict[WorkloadId, tuple[Resources, ...]]] = {name: {} for name in self.machines}
        for name, each in self.workloads.items():
            for machine, piece in zip(each.machines, each.pieces, strict=False):
                if machine in held:
                    held[machine][name] = (*held[machine].get(name, ()), piece)
        machines = tuple(Machine(name, room, held[name]) for name, room in sorted(self.machines.items()))
        return Capacity(machines, self.quota, workloads_are_whole=self.is_whole)
