"""The backends of the adapter contract."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.values.clusters import LeaseIsolation
from reconciler.values.outcomes import Done
from tests.contracts.adapter_backends import (
    QUOTA,
    AdapterBackend,
    ClusterBackend,
    close_cluster,
    real_cluster,
    simulated_cluster,
)
from tests.contracts.host_backends import close_hosts, fake_hosts, has_podman, podman_host

CLUSTERS = ["simulated", pytest.param("real", marks=pytest.mark.live)]
HOSTS = ["fake", pytest.param("podman", marks=pytest.mark.live)]


NAMESPACES = [
    "simulated-namespaces",
    pytest.param("real-namespaces", marks=pytest.mark.live),
]


@pytest.fixture(scope="module", params=[*CLUSTERS, *NAMESPACES, *HOSTS])
def backend(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AdapterBackend]:
    scratch: Path = tmp_path_factory.mktemp(request.param)
    yield from _prepared(_hosts(request.param, scratch) or _cluster(request.param, scratch))


@pytest.fixture(scope="module", params=CLUSTERS)
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AdapterBackend]:
    yield from _prepared(_cluster(request.param, tmp_path_factory.mktemp(request.param)))


def _cluster(kind: str, scratch: Path) -> ClusterBackend:
    apart = kind.endswith("-namespaces")
    isolation = LeaseIsolation.NAMESPACE if apart else LeaseIsolation.SHARED
    if kind.startswith("simulated"):
        return simulated_cluster(scratch, isolation)
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("make live KUBECONFIG=... names the real cluster")
    return real_cluster(scratch, isolation)


def _hosts(kind: str, scratch: Path) -> AdapterBackend | None:
    if kind == "fake":
        return fake_hosts(scratch)
    if kind != "podman":
        return None
    if not has_podman():
        pytest.skip("this machine has no podman: apt-get install podman busybox-static")
    return podman_host(scratch)


def _prepared(made: AdapterBackend) -> Iterator[AdapterBackend]:
    try:
        assert made.adapter.prepare(QUOTA) == Done(f"quota {QUOTA.describe()}")
        yield made
    finally:
        if isinstance(made, ClusterBackend):
            close_cluster(made)
        else:
            close_hosts(made)  # type: ignore[arg-type]  # there is no third kind
