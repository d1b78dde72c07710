"""A lease that one node alone shows as ended: nothing is removed, what runs is repaired, and it is said."""

from __future__ import annotations

from dataclasses import replace

from reconciler.planning.planner import plan
from reconciler.planning.workloads import digest_of
from reconciler.values.lifecycle import Phase
from reconciler.values.memory import Memory, WorkloadMemory
from reconciler.values.observed import State
from reconciler.values.plans import ApplyWorkload, Plan, Reason, RemoveWorkload
from tests import makers

WANTED = makers.workload()
ENDED = replace(makers.lease(), state=State.CLOSED)
WHY = "the witness reports it as active"
KNOWN = WorkloadMemory(ENDED.id, "kubernetes", Phase.RUNNING, digest=digest_of(WANTED))


def cycles(doubts: tuple[bool, ...], drifted: bool = False) -> list[Plan]:
    memory: Memory = makers.remembered(workloads={WANTED.id: KNOWN})
    made: list[Plan] = []
    for number, doubt in enumerate(doubts):
        market = makers.market(
            leases=[ENDED],
            height=makers.HEIGHT + number,
            unconfirmed={ENDED.id: WHY} if doubt else {},
        )
        running = makers.running(WANTED, drifted=drifted)
        given = makers.planning_input(
            market, makers.desired(WANTED), adapters=makers.adapter(running), memory=memory
        )
        made.append(plan(given))
        memory = made[-1].memory
    return made


def removals(made: Plan) -> int:
    return sum(isinstance(action, RemoveWorkload) for action in made.actions)


def test_a_closing_that_both_show_removes_at_the_second_height() -> None:
    assert [removals(made) for made in cycles((False, False, False))] == [0, 1, 1]


def test_a_closing_shown_by_one_node_removes_nothing() -> None:
    for made in cycles((True,) * 5):
        assert removals(made) == 0
        assert made.memory.workloads[WANTED.id] == KNOWN
        [hold] = [each for each in made.holds if each.reason is Reason.UNCONFIRMED_BY_WITNESS]
        assert hold.subject.name == WANTED.id
        assert hold.message == f"its lease is closed on one node only: {WHY}; the workload keeps running"
        assert hold.ours


def test_two_heights_are_counted_from_the_first_that_was_confirmed() -> None:
    assert [removals(made) for made in cycles((True, True, False, False))] == [0, 0, 0, 1]
    assert [removals(made) for made in cycles((False, True, True, False))] == [0, 0, 0, 1]


def test_what_ran_for_a_doubted_lease_is_repaired() -> None:
    (made,) = cycles((True,), drifted=True)
    assert [type(action) for action in made.actions] == [ApplyWorkload]
