"""A branch that is pushed to, cycle after cycle: the memory of one plan goes into the next."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.planning.planner import plan
from reconciler.values.approvals import Approval
from reconciler.values.desired import Desired, Revision, Revisions, Workload
from reconciler.values.lifecycle import Phase
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory, WorkloadMemory
from reconciler.values.observed import Market
from reconciler.values.plans import Plan
from reconciler.values.readings import Reading, Seen
from tests.makers import HEIGHT, NOW, desired, market, planning_input


def serving(*files: Workload) -> dict[Any, WorkloadMemory]:
    """Active leases with these files."""
    return {w.id: WorkloadMemory(w.lease, w.adapter or "kubernetes", Phase.RUNNING) for w in files}


@dataclass
class Branch:
    """`in_force` and the memory are those after the last push; `history` is each desired state that came into
    force, and when.
    """

    limits: Limits
    in_force: Desired
    memory: Memory
    now: int = NOW
    pushes: int = 0
    chain: Reading[Market] = field(default_factory=lambda: Seen(market()))
    history: list[tuple[int, Desired]] = field(default_factory=list)

    @classmethod
    def of(cls, first: Desired, limits: Limits) -> Branch:
        first = replace(first, commit="a" * 40)
        known = serving(*first.workloads.values())
        made = cls(limits, first, Memory(applied=first.commit, workloads=known, height=HEIGHT))
        made.history.append((made.now, first))
        return made

    def push(self, wanted: Desired, after: int = 1, *, approve: bool = False) -> Plan:
        """The plan of a commit that asks for this, so many seconds after the last."""
        self.pushes += 1
        self.now += after
        newest = Revision(replace(wanted, commit=f"{self.pushes:040x}"))
        seen = planning_input(
            self.chain,
            Seen(Revisions(newest, Revision(self.in_force))),
            memory=self.memory,
            limits=self.limits,
            now=self.now,
        )
        made = plan(seen)
        if approve:
            words = tuple(Approval(b, "olga", self.now) for b in made.memory.approvable.values())
            made = plan(replace(seen, memory=made.memory, approvals=words))
        self.memory = made.memory
        if made.revision == newest.desired.commit:
            self.in_force = newest.desired
            self.history.append((self.now, self.in_force))
        return made

    def passes(self, wanted: Desired, after: int = 1, *, approve: bool = False) -> bool:
        """Whether it comes into force."""
        return self.push(wanted, after, approve=approve).revision == f"{self.pushes:040x}"


def files(*workloads: Workload, **changes: Any) -> Desired:
    """A desired state of these files."""
    return replace(desired(*workloads), **changes)
