"""Workloads from observations, jobs in flight and failed jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.adapters.ansible.job_queue import Job
from reconciler.adapters.ansible.placements import Placement
from reconciler.adapters.ansible.responses import ObservedContainer
from reconciler.adapters.ansible.workload_view import (
    HOST_GONE,
    FailedJob,
    FleetObservation,
    observed_workload_of,
    workloads_of,
)
from reconciler.values.observed import ObservedWorkload, Trouble
from tests.adapters.ansible.makers import WANTED, host_spec, observed_workload
from tests.contracts.adapter_backends import service, workload

KEY = (WANTED.id, "one")
UNREACHABLE = Trouble("HostUnreachable", "host one: no answer", "see")
PLACEMENT = Placement("one", str(WANTED.lease), "d", 1)
JOB = Job(WANTED.id, "one", str(WANTED.lease), "d", host_spec())


def shown(**changes: Any) -> ObservedWorkload:
    made: dict[str, Any] = {
        "observed": {"one": {WANTED.id: observed_workload()}},
        "unreachable": {},
        "placements": {WANTED.id: PLACEMENT},
    }
    found = observed_workload_of(WANTED.id, FleetObservation(**(made | changes)))
    assert found is not None
    return found


def observed(**changes: Any) -> dict[str, Any]:
    return {"observed": {"one": {WANTED.id: observed_workload(**changes)}}}


def test_a_healthy_workload_is_ready() -> None:
    found = shown()
    assert (found.ready, found.drifted, found.trouble, found.digest) == (True, False, None, "d")
    assert (found.replicas, found.replicas_ready) == (1, 1)
    assert found.pods == (f"web-{WANTED.id}-0",)
    assert found.ready_by_service == (("web", 1),)


def test_differences_are_drift_once_a_repair_is_due() -> None:
    assert shown(**observed(differences=["x"])).drifted
    assert not shown(**observed(differences=["x"])).ready
    assert not shown(**observed(differences=["x"], due=False)).drifted


def test_an_unhealthy_container_is_not_ready() -> None:
    starting = [ObservedContainer(f"web-{WANTED.id}-0", "web", "running", health="starting")]
    assert not shown(**observed(containers=starting)).ready


def test_an_unreachable_host_keeps_its_workloads_without_drift() -> None:
    found = shown(unreachable={"one": UNREACHABLE})
    assert (found.ready, found.drifted, found.trouble, found.digest) == (False, False, UNREACHABLE, "d")
    never_seen = shown(observed={}, unreachable={"one": UNREACHABLE})
    assert (never_seen.digest, never_seen.replicas, never_seen.lease) == ("d", 1, WANTED.lease)


def test_a_workload_of_a_removed_host_has_drifted() -> None:
    gone = Trouble(HOST_GONE, "host one is not in adapters/ansible.yaml", "x")
    assert shown(observed={}, unreachable={"one": gone}).drifted


def test_a_job_in_flight_counts_as_applied() -> None:
    found = shown(observed={"one": {}}, jobs={KEY: JOB})
    assert (found.digest, found.ready, found.drifted, found.replicas) == ("d", False, False, 1)
    paused = replace(JOB, digest="p", spec=host_spec(workload(1, paused=True)))
    assert shown(jobs={KEY: paused}).paused
    removing = replace(JOB, spec=None)
    assert shown(jobs={KEY: removing}).removing


def test_a_trouble_stays_while_an_equal_job_is_retried() -> None:
    failing = observed(containers=[ObservedContainer("w", "web", status="exited", exit_code=1)], restarts=3)
    assert shown(**failing, jobs={KEY: JOB}).trouble is not None
    other = replace(JOB, digest="new")
    assert shown(**failing, jobs={KEY: other}).trouble is None


def test_a_failed_job_is_reported_and_retried_after_its_backoff() -> None:
    trouble = Trouble("PlayTimedOut", "x", "y")
    failed = FailedJob(JOB, trouble, 1, retry_at=100)
    early = shown(observed={"one": {}}, failed={KEY: failed}, now=99)
    assert (early.trouble, early.drifted, early.digest, early.ready) == (trouble, False, "d", False)
    assert shown(observed={"one": {}}, failed={KEY: failed}, now=100).drifted


def test_leftovers_on_another_host_are_drift() -> None:
    both = {"one": {WANTED.id: observed_workload()}, "two": {WANTED.id: observed_workload()}}
    assert shown(observed=both).drifted
    assert not shown(observed=both, unreachable={"two": UNREACHABLE}).drifted


def test_a_lease_that_does_not_match_the_id_is_ignored() -> None:
    foreign = observed_workload(lease=str(workload(2).lease))
    fleet = FleetObservation({"one": {WANTED.id: foreign}}, {}, {})
    assert workloads_of(fleet) == {}


def test_workloads_are_sorted_by_id() -> None:
    other = workload(2, service("db"))
    fleet = FleetObservation(
        {"one": {WANTED.id: observed_workload(), other.id: observed_workload(other)}},
        {},
        {WANTED.id: PLACEMENT},
    )
    assert list(workloads_of(fleet)) == sorted([WANTED.id, other.id])


def test_workloads_of_another_provider_on_a_shared_host_are_ignored() -> None:
    ours = FleetObservation({"one": {WANTED.id: observed_workload()}}, {}, {}, provider=WANTED.lease.provider)
    assert list(workloads_of(ours)) == [WANTED.id]
    assert workloads_of(replace(ours, provider="ve1somebodyelse")) == {}
