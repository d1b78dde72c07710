"""A plan with the decisions of earlier plans is the same, byte for byte, as one without them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values import lifecycle
from reconciler.values.desired import Desired, Revision, Revisions, Workload
from reconciler.values.machines import Capacity, Machine, Promise
from reconciler.values.memory import Memory, Retry, WorkloadMemory
from reconciler.values.observed import AdapterView, Market, ObservedWorkload, State
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.result_cache import KeyedInput, KeyedInputs, ResultCache
from reconciler.values.subjects import EffectKey, Subject
from tests.checked_cache import CheckedCache
from tests.makers import (
    CLUSTER,
    ROOM,
    adapter,
    capacity_of,
    desired,
    lease,
    market,
    planning_input,
    remembered,
    running,
    unit,
    workload,
)
from tests.planning.properties import few_worlds
from tests.planning.small_worlds import seen_worlds

Value = TypeVar("Value", PlanningInput, Market, Memory, Desired)
SILENT = {"kubernetes": AdapterView(Unseen("down"), Unseen("down"))}
PARTS = ("desired", "adapters", "limits", "memory", "market")
FIELDS = (
    *("market.bids", "market.orders", "market.leases", "market.accounts"),
    *("memory.retries", "memory.workloads", "memory.promises"),
)
MAPPINGS = (*FIELDS, "desired.workloads", "adapters.workloads", "retries of workloads", "adapters.capacity")
STEPS = ("block", "block", "later", "later", "silent", *PARTS, *FIELDS)


def later(world: PlanningInput, seconds: int, blocks: int) -> PlanningInput:
    shown = world.market
    if isinstance(shown, Seen):
        moved = replace(shown.view, height=shown.view.height + blocks, time=shown.view.time + blocks)
        shown = Seen(moved)
    return replace(world, now=world.now + seconds, market=shown)


def step(what: str, world: PlanningInput, other: PlanningInput) -> PlanningInput:
    """One thing changes; everything else stays the same object."""
    match what.partition("."):
        case "block", _, _:
            return later(world, 1, 1)
        case "later", _, _:
            return later(world, 20, 0)
        case "silent", _, _:
            return replace(world, adapters=SILENT)
        case part, "", _:
            return with_field(world, part, getattr(other, part))
        case "market", _, name if isinstance(world.market, Seen) and isinstance(other.market, Seen):
            changed = with_field(world.market.view, name, getattr(other.market.view, name))
            return replace(world, market=Seen(changed))
        case "memory", _, name:
            return replace(world, memory=with_field(world.memory, name, getattr(other.memory, name)))
        case _:
            return world


def with_entry(what: str, world: PlanningInput, other: PlanningInput, which: int) -> PlanningInput:
    """One entry of one mapping changes: it is taken from the other world, or removed."""
    whole, _, name = what.partition(".")
    match whole:
        case "market" if isinstance(world.market, Seen) and isinstance(other.market, Seen):
            return replace(world, market=Seen(mixed(name, world.market.view, other.market.view, which)))
        case "memory":
            return replace(world, memory=mixed(name, world.memory, other.memory, which))
        case "desired" if isinstance(world.desired, Seen) and isinstance(other.desired, Seen):
            old, new = world.desired.view.newest, other.desired.view.newest
            newest = replace(old, desired=mixed(name, old.desired, new.desired, which))
            return replace(world, desired=Seen(replace(world.desired.view, newest=newest)))
        case "adapters":
            pairs = zip(world.adapters.items(), other.adapters.values(), strict=False)
            views = {key: with_view(name, mine, theirs, which) for (key, mine), theirs in pairs}
            return replace(world, adapters={**world.adapters, **views})
        case _:
            names = sorted(world.memory.workloads)
            if not names:
                return world
            key = EffectKey("ApplyWorkload", Subject.of_workload(names[which % len(names)]))
            retry = Retry(which + 1, world.now + 20 * which if which else None, "Failed", "no")
            return replace(world, memory=replace(world.memory, retries={**world.memory.retries, key: retry}))


def with_view(name: str, mine: AdapterView, theirs: AdapterView, which: int) -> AdapterView:
    if name == "capacity":
        return replace(mine, capacity=theirs.capacity)
    if not isinstance(mine.workloads, Seen) or not isinstance(theirs.workloads, Seen):
        return mine
    return replace(mine, workloads=Seen(one_entry(mine.workloads.view, theirs.workloads.view, which)))


def mixed(name: str, mine: Value, theirs: Value, which: int) -> Value:
    return with_field(mine, name, one_entry(getattr(mine, name), getattr(theirs, name), which))


def one_entry(mine: Mapping[Any, Any], theirs: Mapping[Any, Any], which: int) -> Mapping[Any, Any]:
    names = [*mine, *(name for name in theirs if name not in mine)]
    if not names:
        return mine
    name = names[which % len(names)]
    if name in theirs and theirs[name] != mine.get(name):
        return {**mine, name: theirs[name]}
    return {each: value for each, value in mine.items() if each != name}


def with_field(of: Value, name: str, value: Any) -> Value:
    changed: Value = replace(of, **{name: value})
    return changed


@settings(few_worlds, phases=(Phase.explicit, Phase.generate))
@given(
    st.lists(seen_worlds(), min_size=2, max_size=3),
    st.lists(
        st.tuples(st.booleans(), st.sampled_from(STEPS), st.sampled_from(MAPPINGS), st.integers(0, 8)),
        min_size=5,
        max_size=12,
    ),
)
def test_the_plan_is_the_same_with_and_without_earlier_decisions(
    worlds: list[PlanningInput], steps: list[tuple[bool, str, str, int]]
) -> None:
    decisions, world = CheckedCache(), worlds[0]
    for is_whole, what, mapping, which in steps:
        other = worlds[which % len(worlds)]
        world = step(what, world, other) if is_whole else with_entry(mapping, world, other, which)
        for _ in range(2):  # the second plan has a memory at rest, so the next step finds decisions that hold
            with_them, without = plan(world, decisions), plan(world)
            assert with_them == without
            assert repr(with_them) == repr(without)
            world = replace(world, memory=with_them.memory)


FILE = replace(workload(), adapter="")
SPACE = Seen(capacity_of(ROOM))
SHOWN = running(FILE)
OLD = WorkloadMemory(FILE.lease, "east", lifecycle.Phase.RUNNING)
OLD_WEST = replace(OLD, adapter="west")
PENDING = replace(OLD, phase=lifecycle.Phase.PENDING)


def two(
    east: ObservedWorkload | None, west: ObservedWorkload | None, room: Reading[Capacity] = SPACE
) -> dict[str, AdapterView]:
    views = {"east": east, "west": west}
    return {name: AdapterView(Seen({FILE.id: each} if each else {}), room) for name, each in views.items()}


def files(of: Workload, **changes: Any) -> Reading[Revisions]:
    return Seen(Revisions(Revision(desired(of, **changes))))


def promised(machine: str) -> Memory:
    return remembered(promises={FILE.lease.order: Promise("east", (machine,))})


NAMED = replace(FILE, adapter="east")
IN_FILE = files(NAMED)
ENDED = Seen(market(leases=[lease(state=State.CLOSED)]))
GONE = Seen(market())
HELD = Seen(capacity_of(ROOM, machines=(Machine("m0", ROOM, {FILE.id: (ROOM,)}),)))
WHOLE = Seen(replace(HELD.view, workloads_are_whole=True))
SILENT_WEST = {**two(None, None), "west": AdapterView(Unseen("down"), SPACE)}
ATTRIBUTED = Seen(market(leases=[lease(attributes=(("a", "b"),))]))
UNSEEN: Reading[Capacity] = Unseen("down")
WEST_ALONE = {**two(None, None), "east": AdapterView(Seen({}), UNSEEN)}
TWO_PIECES = Seen(market(leases=[lease(units=(unit(count=2),))]))
GVISOR = files(NAMED, adapters={"east": replace(CLUSTER, runtime_class="gvisor")})
OFF = files(NAMED, adapters={"east": replace(CLUSTER, enabled=False)})
WAITS, RAN, RUNS = ({"memory": remembered(workloads={FILE.id: each})} for each in (PENDING, OLD_WEST, OLD))
ONE_INPUT: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "the machine of a promise": (
        {"desired": IN_FILE, "adapters": two(SHOWN, None, WHOLE)},
        {"memory": promised("m0")},
        {"memory": promised("m1")},
    ),
    "whether workloads are whole": (
        {"desired": IN_FILE, "memory": promised("m0")},
        {"adapters": two(SHOWN, None, HELD)},
        {"adapters": two(SHOWN, None, WHOLE)},
    ),
    "the attributes of a lease": ({"adapters": two(SHOWN, None, HELD), **RUNS}, {}, {"market": ATTRIBUTED}),
    "the settings of an adapter": (
        {"adapters": two(SHOWN, None, HELD)},
        {"desired": IN_FILE},
        {"desired": OFF},
    ),
    "the settings that its containers depend on": (
        {"adapters": two(SHOWN, None, HELD)},
        {"desired": IN_FILE},
        {"desired": GVISOR},
    ),
    "the adapter with room for it": (
        {"market": GONE},
        {"adapters": WEST_ALONE},
        {"adapters": two(None, None)},
    ),
    "whether machines are seen that its pieces need": (
        {"desired": IN_FILE, "market": TWO_PIECES},
        {"adapters": two(None, None)},
        {"adapters": two(None, None, UNSEEN)},
    ),
    "whether its pieces are one": (
        {"desired": IN_FILE, "market": TWO_PIECES},
        {"adapters": two(None, None)},
        {"adapters": two(None, None, Seen(replace(SPACE.view, workloads_are_whole=True)))},
    ),
    "where a workload is seen": (
        {},
        {"adapters": two(SHOWN, None, HELD)},
        {"adapters": two(None, SHOWN, HELD)},
    ),
    "an adapter that is unseen": (WAITS, {"adapters": two(None, None)}, {"adapters": SILENT_WEST}),
    "the adapter that ran it": ({}, RUNS, RAN),
    "a workload without a lease": (
        {"market": GONE},
        {"adapters": two(SHOWN, None)},
        {"adapters": two(replace(SHOWN, removing=True), None)},
    ),
    "the adapter of a file": (
        {"adapters": two(SHOWN, SHOWN)},
        {"desired": IN_FILE},
        {"desired": files(replace(FILE, adapter="west"))},
    ),
    "the lease of a workload": (
        {"adapters": two(SHOWN, None, HELD), "desired": IN_FILE},
        {},
        {"market": ENDED},
    ),
    "what a workload holds": (
        {},
        {"adapters": two(SHOWN, None)},
        {"adapters": two(SHOWN, None, HELD)},
    ),
}


@pytest.mark.parametrize(("both", "before", "after"), ONE_INPUT.values(), ids=ONE_INPUT.keys())
def test_decisions_follow_each_input_that_changes_alone(
    both: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> None:
    decisions = CheckedCache()
    base = planning_input(market(leases=[lease()]), files(FILE), adapters=two(None, None))
    plan(replace(base, **(both | before)), decisions)
    plan(replace(base, **(both | after)), decisions)


def test_a_quiet_cycle_decides_nothing_anew() -> None:
    file = workload(cpu=1000)
    world = planning_input(market(leases=[lease()]), desired(file), adapters=adapter(running(file)))
    decisions = ResultCache()
    world = replace(world, memory=plan(world, decisions).memory)
    world = replace(world, memory=plan(world, decisions).memory)
    before = dict(decisions.results)
    plan(later(world, 5, 1), decisions)
    assert all(decisions.results[name] is result for name, result in before.items())
    assert isinstance(world.market, Seen)
    assert isinstance(world.market.view, Market)


numbers = st.dictionaries(st.sampled_from("abcde"), st.integers(0, 3), max_size=5)
groups = st.dictionaries(st.integers(0, 2), st.frozensets(st.sampled_from("abcde")), max_size=3)


@given(st.lists(st.tuples(numbers, numbers, groups, st.integers(0, 1)), min_size=2, max_size=6))
def test_decisions_by_key_are_those_of_each_key_alone(
    histories: list[tuple[dict[str, int], dict[str, int], dict[int, frozenset[str]], int]],
) -> None:
    decisions = ResultCache()
    held: Mapping[str, tuple[int, ...]] = {}
    for keys, values, members, shared in histories:

        def decide(
            key: str, values: Any = values, members: Any = members, shared: int = shared
        ) -> tuple[int, ...] | None:
            if values.get(key) == 0:
                return None
            return (values.get(key, 9), *(n for n, those in sorted(members.items()) if key in those), shared)

        by_key = (KeyedInput(values), KeyedInput(members, lambda _, those: those))
        for _ in range(2):
            found = decisions.reuse_each("name", KeyedInputs(keys, by_key, (shared,)), decide)
            wanted = {key: result for key in keys if (result := decide(key)) is not None}
            assert list(found.items()) == list(wanted.items())
        again = decisions.reuse_each("name", KeyedInputs(dict(keys), by_key, (shared,)), decide)
        assert again is found
        held = found
    assert held is decisions.results["name"]
