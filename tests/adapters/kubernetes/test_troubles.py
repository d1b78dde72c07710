from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.adapters.kubernetes import objects
from reconciler.adapters.kubernetes.troubles import trouble_of
from reconciler.adapters.kubernetes.views import (
    ContainerView,
    DeploymentView,
    PodView,
    deployment_view,
    pod_view,
)
from tests.adapters.kubernetes.makers import deployments, pod, raw
from tests.contracts.adapter_worlds import service, workload

OBJECT = deployments(workload(1), ready=False)[0]
DEPLOYMENT = deployment_view(raw(OBJECT))


def pod_with(**changes: Any) -> PodView:
    view = pod_view(raw(pod(OBJECT, ready=False)))
    container = replace(view.containers[0], **changes)
    return replace(view, containers=(container,))


def waiting(reason: str, message: str = "") -> objects.Waiting:
    return objects.Waiting(reason, message)


def reason_of(*pods: PodView, deployment: DeploymentView = DEPLOYMENT) -> str:
    trouble = trouble_of([deployment], list(pods))
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
def test_a_container_shows_its_trouble(changes: dict[str, Any], reason: str) -> None:
    assert reason_of(pod_with(**changes)) == reason


def test_the_words_stay_while_the_trouble_does() -> None:
    pulls = [
        trouble_of([DEPLOYMENT], [pod_with(waiting=waiting(why, f"{why} 10s"))])
        for why in ("ErrImagePull", "ImagePullBackOff")
    ]
    crashes = [
        trouble_of([DEPLOYMENT], [pod_with(exited=objects.Terminated(1, "Error"), **state)])
        for state in ({"waiting": waiting("CrashLoopBackOff", "back-off 40s")}, {"restarts": 7})
    ]

    assert pulls[0] == pulls[1]
    assert crashes[0] == crashes[1]


def test_memory_that_ran_out_has_advice_of_its_own() -> None:
    trouble = trouble_of([DEPLOYMENT], [pod_with(restarts=3, exited=objects.Terminated(137, "OOMKilled"))])

    assert trouble is not None
    assert "more memory" in trouble.advice


def test_a_quota_is_told_without_what_is_used_just_now() -> None:
    why = "exceeded quota: q, requested: requests.cpu=2, used: requests.cpu=1, limited: requests.cpu=2"
    said = f'pods "p" is forbidden: {why}'

    trouble = trouble_of([replace(DEPLOYMENT, failure=said)], [])

    assert trouble is not None
    assert trouble.reason == "QuotaExceeded"
    assert trouble.message.endswith("requested: requests.cpu=2")
    assert reason_of(deployment=replace(DEPLOYMENT, failure="some webhook says no")) == "FailedCreate"


def test_the_newest_specifications_pods_speak_first() -> None:
    old = deployments(workload(1, service(image="old:1")), ready=False)[0]
    stale = pod_view(raw(pod(old, "a", ready=False, reason="ImagePullBackOff")))
    fresh = pod_with(waiting=waiting("CreateContainerConfigError", "x"))

    assert reason_of(stale, fresh) == "CreateContainerConfigError"


def test_pods_that_are_well_or_on_their_way_out_are_no_trouble() -> None:
    unwell = pod_with(waiting=waiting("ImagePullBackOff"))

    assert reason_of(replace(unwell, ready=True)) == ""
    assert reason_of(replace(unwell, over=True)) == ""
    assert reason_of(replace(unwell, marks=replace(unwell.marks, deleting=True))) == ""


def test_a_pod_that_fits_nowhere_is_trouble() -> None:
    stuck = replace(
        pod_with(), containers=tuple[ContainerView, ...](), unschedulable="0/2 nodes are available"
    )

    assert reason_of(stuck) == "Unschedulable"
