"""What hosts show, what is under way and what went wrong, put together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.adapters.ansible.answers import ContainerAnswer
from reconciler.adapters.ansible.jobs import Job
from reconciler.adapters.ansible.placements import Placement
from reconciler.adapters.ansible.workload_view import (
    HOST_GONE,
    FleetObservation,
    RunEnd,
    running_of,
    workloads_of,
)
from reconciler.values.observed import Running, Trouble
from tests.adapters.ansible.makers import WANTED, answer, order
from tests.contracts.adapter_worlds import service, workload

KEY = (WANTED.id, "one")
SILENT = Trouble("HostUnreachable", "host one: no answer", "see")
PLACE = Placement("one", str(WANTED.lease), "d", 1)
JOB = Job(WANTED.id, "one", str(WANTED.lease), "d", order())


def shown(**changes: Any) -> Running:
    made: dict[str, Any] = {
        "seen": {"one": {WANTED.id: answer()}},
        "unseen": {},
        "places": {WANTED.id: PLACE},
    }
    found = running_of(WANTED.id, FleetObservation(**(made | changes)))
    assert found is not None
    return found


def seen(**changes: Any) -> dict[str, Any]:
    return {"seen": {"one": {WANTED.id: answer(**changes)}}}


def test_all_well() -> None:
    found = shown()
    assert (found.ready, found.drifted, found.trouble, found.digest) == (True, False, None, "d")
    assert (found.replicas, found.replicas_ready) == (1, 1)
    assert found.pods == (f"web-{WANTED.id}-0",)


def test_what_differs_is_drift_once_a_repair_is_due() -> None:
    assert shown(**seen(differences=["x"])).drifted
    assert not shown(**seen(differences=["x"])).ready
    assert not shown(**seen(differences=["x"], due=False)).drifted


def test_what_is_not_healthy_is_not_ready() -> None:
    starting = [ContainerAnswer(f"web-{WANTED.id}-0", "web", "x", "running", health="starting")]
    assert not shown(**seen(containers=starting)).ready


def test_a_silent_host_keeps_its_workloads_and_nothing_is_done_there() -> None:
    found = shown(unseen={"one": SILENT})
    assert (found.ready, found.drifted, found.trouble, found.digest) == (False, False, SILENT, "d")
    never_seen = shown(seen={}, unseen={"one": SILENT})
    assert (never_seen.digest, never_seen.replicas, never_seen.lease) == ("d", 1, WANTED.lease)


def test_of_a_host_that_was_taken_out_it_is_to_be_placed_anew() -> None:
    gone = Trouble(HOST_GONE, "host one is not in adapters/ansible.yaml", "x")
    assert shown(seen={}, unseen={"one": gone}).drifted


def test_what_is_under_way_counts_as_applied() -> None:
    found = shown(seen={"one": {}}, jobs={KEY: JOB})
    assert (found.digest, found.ready, found.drifted, found.replicas) == ("d", False, False, 1)
    paused = replace(JOB, digest="p", order=order(workload(1, paused=True)))
    assert shown(jobs={KEY: paused}).paused
    removing = replace(JOB, order=None)
    assert shown(jobs={KEY: removing}).removing


def test_a_trouble_stays_while_the_same_is_tried_again() -> None:
    failing = seen(containers=[ContainerAnswer("w", "web", status="exited", exit=1)], restarts=3)
    assert shown(**failing, jobs={KEY: JOB}).trouble is not None
    other = replace(JOB, digest="new")
    assert shown(**failing, jobs={KEY: other}).trouble is None


def test_a_job_that_came_to_nothing_is_told_and_due_after_a_while() -> None:
    trouble = Trouble("PlayTimedOut", "x", "y")
    ending = RunEnd(JOB, trouble, 1, due_at=100)
    early = shown(seen={"one": {}}, endings={KEY: ending}, now=99)
    assert (early.trouble, early.drifted, early.digest, early.ready) == (trouble, False, "d", False)
    assert shown(seen={"one": {}}, endings={KEY: ending}, now=100).drifted


def test_what_is_left_on_another_host_is_drift() -> None:
    both = {"one": {WANTED.id: answer()}, "two": {WANTED.id: answer()}}
    assert shown(seen=both).drifted
    assert not shown(seen=both, unseen={"two": SILENT}).drifted


def test_labels_of_another_lease_are_not_believed() -> None:
    stranger = answer(lease=str(workload(2).lease))
    scenery = FleetObservation({"one": {WANTED.id: stranger}}, {}, {})
    assert workloads_of(scenery) == {}


def test_all_of_them_by_id() -> None:
    other = workload(2, service("db"))
    scenery = FleetObservation(
        {"one": {WANTED.id: answer(), other.id: answer(other)}}, {}, {WANTED.id: PLACE}
    )
    assert list(workloads_of(scenery)) == sorted([WANTED.id, other.id])


def test_workloads_of_another_provider_on_the_same_host_are_not_ours() -> None:
    ours = FleetObservation({"one": {WANTED.id: answer()}}, {}, {}, provider=WANTED.lease.provider)
    assert list(workloads_of(ours)) == [WANTED.id]
    assert workloads_of(replace(ours, provider="ve1somebodyelse")) == {}
