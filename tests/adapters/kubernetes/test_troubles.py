from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.adapters.kubernetes import objects
from reconciler.adapters.kubernetes.troubles import workload_trouble
from reconciler.adapters.kubernetes.views import (
    ContainerView,
    ControllerView,
    PodView,
    controller_view,
    pod_view,
)
from tests.adapters.kubernetes.makers import deployments, pod, raw
from tests.contracts.adapter_backends import service, workload

OBJECT = deployments(workload(1), ready=False)[0]
DEPLOYMENT = controller_view(raw(OBJECT))


def pod_with(**changes: Any) -> PodView:
    view = pod_view(raw(pod(OBJECT, ready=False)))
    container = replace(view.containers[0], **changes)
    return replace(view, containers=(container,))


def waiting(reason: str, message: str = "") -> objects.Waiting:
    return objects.Waiting(reason, message)


def reason_of(*pods: PodView, deployment: ControllerView = DEPLOYMENT) -> str:
    trouble = workload_trouble([deployment], list(pods))
    return trouble.reason if trouble else ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"waiting": waiting("ContainerCreating")}, ""),
        ({"waiting": waiting("ErrImagePull")}, "ImagePullFailed"),
        ({"waiting": waiting("ImagePullBackOff")}, "ImagePullFailed"),
        ({"waiting": waiting("CreateContainerConfigError", "no secret")}, "CreateContainerConfigError"),
        (
            {"waiting": waiting("CrashLoopBackOff"), "exited": objects.Terminated(1, "Error")},
            "CrashLoop",
        ),
        ({"restarts": 1, "exited": objects.Terminated(1, "Error")}, ""),
        ({"restarts": 2, "exited": objects.Terminated(1, "Error")}, "CrashLoop"),
    ],
)
def test_a_failing_container_has_a_reason(changes: dict[str, Any], reason: str) -> None:
    assert reason_of(pod_with(**changes)) == reason


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("RunContainerError", "the container runtime cannot start a container of service web"),
        ("CreateContainerError", "the container runtime cannot create a container of service web"),
    ],
)
def test_the_runtimes_message_is_not_repeated(reason: str, message: str) -> None:
    """It quotes the first word of the command."""
    raw_message = 'failed to create shim task: exec: "--token=s3cret": executable file not found in $PATH'
    trouble = workload_trouble([DEPLOYMENT], [pod_with(waiting=waiting(reason, raw_message))])
    assert trouble is not None
    assert (trouble.reason, trouble.message) == (reason, message)
    assert "s3cret" not in str(trouble)


def test_the_message_stays_while_the_cause_does() -> None:
    pulls = [
        workload_trouble([DEPLOYMENT], [pod_with(waiting=waiting(why, f"{why} 10s"))])
        for why in ("ErrImagePull", "ImagePullBackOff")
    ]
    crashes = [
        workload_trouble([DEPLOYMENT], [pod_with(exited=objects.Terminated(1, "Error"), **state)])
        for state in ({"waiting": waiting("CrashLoopBackOff", "back-off 40s")}, {"restarts": 7})
    ]

    assert pulls[0] == pulls[1]
    assert crashes[0] == crashes[1]


def test_an_oom_kill_has_its_own_advice() -> None:
    trouble = workload_trouble(
        [DEPLOYMENT], [pod_with(restarts=3, exited=objects.Terminated(137, "OOMKilled"))]
    )

    assert trouble is not None
    assert trouble.reason == "OutOfMemory"
    assert "more memory" in trouble.advice


def evicted(name: str, message: str = "The node was low on resource: memory.") -> PodView:
    found = pod(OBJECT, name, ready=False)
    found["status"] = {"phase": "Failed", "reason": "Evicted", "message": message}
    return pod_view(raw(found))


def test_repeated_evictions_are_a_trouble_until_the_service_is_ready() -> None:
    """One is no trouble: the cluster replaces the pod."""
    starting, ready = pod_with(), replace(pod_with(), ready=True)
    twice = [evicted("a"), evicted("b", "Usage of EmptyDir volume exceeds the limit")]

    found = workload_trouble([DEPLOYMENT], [*twice, starting])

    assert found is not None
    assert (found.reason, found.message) == (
        "Evicted",
        "pods of service web are evicted repeatedly: The node was low on resource: memory.",
    )
    assert reason_of(twice[0], starting) == ""
    assert reason_of(*twice, ready) == ""
    old = [replace(each, meta=replace(each.meta, spec_hash="old")) for each in twice]
    assert reason_of(*old, starting) == ""
    assert reason_of(evicted("a", ""), evicted("b", ""), starting) == "Evicted"


def test_a_service_account_that_is_a_moment_late_is_no_trouble() -> None:
    late = 'pods "p" is forbidden: error looking up service account x/default: "default" not found'
    assert reason_of(deployment=replace(DEPLOYMENT, failure=late)) == ""


def test_a_quota_message_omits_the_current_usage() -> None:
    why = "exceeded quota: q, requested: requests.cpu=2, used: requests.cpu=1, limited: requests.cpu=2"
    said = f'pods "p" is forbidden: {why}'

    trouble = workload_trouble([replace(DEPLOYMENT, failure=said)], [])

    assert trouble is not None
    assert trouble.reason == "QuotaExceeded"
    assert trouble.message.endswith("requested: requests.cpu=2")
    assert reason_of(deployment=replace(DEPLOYMENT, failure="some webhook says no")) == "FailedCreate"


def test_pods_of_the_current_specification_come_first() -> None:
    old = deployments(workload(1, service(image="old:1")), ready=False)[0]
    stale = pod_view(raw(pod(old, "a", ready=False, reason="ImagePullBackOff")))
    fresh = pod_with(waiting=waiting("CreateContainerConfigError", "x"))

    assert reason_of(stale, fresh) == "CreateContainerConfigError"


def test_ready_terminating_and_finished_pods_have_no_trouble() -> None:
    failing = pod_with(waiting=waiting("ImagePullBackOff"))

    assert reason_of(replace(failing, ready=True)) == ""
    assert reason_of(replace(failing, finished=True)) == ""
    assert reason_of(replace(failing, meta=replace(failing.meta, deleting=True))) == ""


def test_an_unschedulable_pod_is_reported() -> None:
    stuck = replace(
        pod_with(), containers=tuple[ContainerView, ...](), unschedulable="0/2 nodes are available"
    )

    assert reason_of(stuck) == "Unschedulable"
