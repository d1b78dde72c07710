"""Logs over HTTP; watches are in test_server.py and, with kubectl, in test_kubectl.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import urllib3

from reconciler.devnet.cluster.cluster import SimulatedCluster
from reconciler.devnet.cluster.writes import WriteRequest
from tests.contracts.adapter_backends import eventually
from tests.devnet.cluster.makers import NOW, Ticks, pod_spec, target

POOL = urllib3.PoolManager(retries=False)


class Logs:
    """A served cluster on a clock that the test advances, with one pod for each image."""

    def __init__(self) -> None:
        self.clock = Ticks()
        self.cluster = SimulatedCluster(clock=self.clock)
        for image in ("nginx:1", "missing"):
            name = image.partition(":")[0]
            body = {"metadata": {"name": name}, "spec": pod_spec(image)}
            self.cluster.writes.create(target("Pod", name, "default"), body, WriteRequest("us"))
        self.cluster.step()
        self.cluster.serve()

    def read(self, pod: str, query: str) -> tuple[int, bytes]:
        url = f"{self.cluster.url}/api/v1/namespaces/default/pods/{pod}/log?{query}"
        answer = POOL.request("GET", url, timeout=5)
        return answer.status, answer.data


@pytest.fixture
def logs() -> Iterator[Logs]:
    made = Logs()
    yield made
    made.cluster.close()


def test_a_log_is_limited_by_lines_bytes_and_seconds(logs: Logs) -> None:
    logs.clock.now = NOW + 25

    assert logs.read("nginx", "")[1].count(b"\n") == 3
    assert logs.read("nginx", "tailLines=1") == (200, b"c has been running for 20 s\n")
    assert logs.read("nginx", "limitBytes=9") == (200, b"c started")
    assert logs.read("nginx", "sinceSeconds=16")[1].count(b"\n") == 2
    assert logs.read("nginx", "tailLines=0") == (200, b"")


def test_times_are_shown_on_request(logs: Logs) -> None:
    assert logs.read("nginx", "timestamps=true")[1] == b"2027-01-15T08:00:00.000000Z c started from nginx:1\n"


@pytest.mark.parametrize(
    ("pod", "query", "code", "why"),
    [
        ("missing", "", 400, b"waiting to start"),
        ("nginx", "container=x", 400, b"is not valid"),
        ("nginx", "previous=true", 400, b"previous terminated"),
        ("nobody", "", 404, b"not found"),
    ],
)
def test_a_missing_log_is_refused(logs: Logs, pod: str, query: str, code: int, why: bytes) -> None:
    status, said = logs.read(pod, query)

    assert status == code
    assert why in said


def test_following_shows_new_lines_once_and_ends_with_the_pod(logs: Logs) -> None:
    url = f"{logs.cluster.url}/api/v1/namespaces/default/pods/nginx/log?follow=true"
    answer = POOL.request("GET", url, timeout=10, preload_content=False)
    heard = answer.stream()
    assert next(heard) == b"c started from nginx:1\n"

    logs.clock.now = NOW + 10

    assert next(heard) == b"c has been running for 10 s\n"
    logs.cluster.writes.delete(
        target("Pod", "nginx", "default"), {"gracePeriodSeconds": 0}, WriteRequest("us")
    )
    assert b"".join(heard) == b""


def test_dropping_ends_every_watch(logs: Logs) -> None:
    answer = POOL.request("GET", f"{logs.cluster.url}/api/v1/pods?watch=1", timeout=10, preload_content=False)
    heard = answer.stream()
    assert b"ADDED" in next(heard)

    logs.cluster.drop_watches()

    eventually(lambda: list(heard) is not None, "the watch's end", 5)
