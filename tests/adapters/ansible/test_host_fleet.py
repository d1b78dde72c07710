"""The hosts' capacity, machine by machine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.adapters.ansible.host_fleet import HostFleet
from reconciler.adapters.ansible.host_observer import HostReading
from reconciler.adapters.ansible.job_queue import Job
from reconciler.adapters.ansible.responses import HostResources, ObservedHost
from reconciler.adapters.ansible.workload_view import FleetObservation
from reconciler.values.hosts import AnsibleSettings
from reconciler.values.machines import Capacity, Machine
from reconciler.values.observed import Trouble
from reconciler.values.readings import Seen, Unseen
from reconciler.values.resources import Resources
from tests.adapters.ansible.makers import ROOM, WANTED, host_spec, hosts, observed_host, observed_workload

LOST = HostReading(None, trouble=Trouble("HostUnreachable", "host two: no route", "see why"))
NOTHING = FleetObservation({}, {}, {})


def with_attributes(settings: AnsibleSettings) -> AnsibleSettings:
    group = settings.groups[0]
    marked = tuple(replace(host, attributes=(("name", host.name),)) for host in group.hosts)
    return replace(settings, groups=(replace(group, hosts=marked),))


def capacity(fleet: HostFleet, observation: FleetObservation = NOTHING) -> Capacity:
    reading = fleet.capacity(observation, None)
    assert isinstance(reading, Seen), reading
    assert reading.view.workloads_are_whole
    return reading.view


def test_a_host_offers_what_others_leave_and_shows_what_each_workload_holds() -> None:
    strangers = replace_foreign(observed_host((WANTED, observed_workload())), HostResources(cpu_milli=500))
    [one] = capacity(HostFleet(hosts("one"), {"one": HostReading(strangers)})).machines
    assert one.offered == ROOM - Resources(500)
    assert one.held == {WANTED.id: (Resources(WANTED.resources.cpu_milli, WANTED.resources.memory_bytes),)}


def replace_foreign(host: ObservedHost, foreign: HostResources) -> ObservedHost:
    return ObservedHost(host.workloads, host.facts, foreign)


def test_a_workload_in_flight_holds_its_host_before_it_is_observed() -> None:
    job = Job(WANTED.id, "one", str(WANTED.lease), "d", host_spec())
    in_flight = FleetObservation({}, {}, {}, jobs={(WANTED.id, "one"): job})
    [one] = capacity(HostFleet(hosts("one"), {"one": HostReading(observed_host())}), in_flight).machines
    assert one.held == {WANTED.id: (WANTED.resources,)}


def test_an_unreachable_host_offers_nothing_but_its_attributes_still_distinguish() -> None:
    fleet = HostFleet(
        with_attributes(hosts("one", "two")), {"one": HostReading(observed_host()), "two": LOST}
    )
    assert capacity(fleet).machines == (
        Machine("one", ROOM, {}, (("name", "one"),)),
        Machine("two", Resources(), {}, (("name", "two"),)),
    )


@pytest.mark.parametrize("facts", [HostResources(gpu=2**64), HostResources(cpu_milli=-1)])
def test_a_host_with_absurd_figures_makes_the_capacity_unseen(facts: HostResources) -> None:
    settings = hosts("one", "two")
    group = settings.groups[0]
    unlimited = replace(group, hosts=tuple(replace(host, capacity=None) for host in group.hosts))
    odd = ObservedHost({}, facts)
    fleet = HostFleet(
        replace(settings, groups=(unlimited,)), {"one": HostReading(observed_host()), "two": HostReading(odd)}
    )
    reading = fleet.capacity(NOTHING, None)
    assert isinstance(reading, Unseen)
    assert "machine two reports" in reading.why
