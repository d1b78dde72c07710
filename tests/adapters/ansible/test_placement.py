"""Which host a workload goes to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.adapters.ansible.placement import FreeRoom, choose, refused, unfit
from reconciler.values.desired import Port
from reconciler.values.outcomes import Failed
from reconciler.values.resources import Resources
from tests.adapters.ansible.makers import ROOM, WANTED, hosts
from tests.contracts.adapter_worlds import service, workload

SMALL = Resources(50, 16 << 30, 100 << 30)


def test_the_host_with_most_room_and_of_equals_the_first_by_name() -> None:
    rooms = [FreeRoom("b", ROOM), FreeRoom("a", ROOM), FreeRoom("c", SMALL)]
    assert choose(WANTED, rooms, ()) == "a"
    assert choose(WANTED, [*rooms, FreeRoom("z", replace(ROOM, cpu_milli=9_000))], ()) == "z"
    assert choose(WANTED, list(reversed(rooms)), ()) == "a"


@pytest.mark.parametrize(
    ("short", "word"),
    [
        (replace(ROOM, cpu_milli=99), "cpu"),
        (replace(ROOM, memory_bytes=1), "memory"),
        (replace(ROOM, storage_bytes=1), "storage"),
    ],
)
def test_a_host_must_hold_all_of_it(short: Resources, word: str) -> None:
    outcome = choose(WANTED, [FreeRoom("a", short)], ())
    assert isinstance(outcome, Failed)
    assert outcome.reason == "Unschedulable"
    assert f"too little {word}" in outcome.why


def test_gpus_count() -> None:
    hungry = workload(1, replace(service(), resources=Resources(1, 1, 1, gpu=2)))
    assert unfit(hungry, FreeRoom("a", replace(ROOM, gpu=1)), ()) == "too little gpu"
    assert unfit(hungry, FreeRoom("a", replace(ROOM, gpu=2)), ()) == ""


def test_attributes_that_tell_hosts_apart_decide_and_others_do_not() -> None:
    wanted = replace(WANTED, attributes=(("region", "eu"), ("tier", "gold")))
    east, west = FreeRoom("a", ROOM, (("region", "eu"),)), FreeRoom("b", ROOM, (("region", "us"),))
    assert choose(wanted, [west, east], {"region"}) == "a"
    assert unfit(wanted, west, {"region"}) == "its region is us, not eu"
    assert unfit(wanted, FreeRoom("c", ROOM), {"region"}) == "its region is not told, not eu"


def test_a_port_that_another_workload_has_is_taken() -> None:
    public = workload(1, service(ports=(Port(80, 8080, public=True),)))
    assert (
        unfit(public, FreeRoom("a", ROOM, ports=frozenset({8080})), ()) == "port 8080 is another workload's"
    )
    inside = workload(1, service(ports=(Port(8080),)))
    assert unfit(inside, FreeRoom("a", ROOM, ports=frozenset({8080})), ()) == ""


def test_ports_that_may_never_be_had() -> None:
    settings = hosts(ports=(1_024, 2_048))
    low = refused(workload(1, service(ports=(Port(80, public=True),))), settings)
    assert low is not None
    assert "between 1024 and 2048" in low.why
    twice = workload(1, service(ports=(Port(1, 2_000, public=True), Port(2, 2_000, public=True))))
    again = refused(twice, settings)
    assert again is not None
    assert "exposed twice" in again.why
    assert refused(workload(1, service(ports=(Port(80), Port(2_000, public=True)))), settings) is None
