"""A simulated cluster for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters.kubernetes.client import ApiClient
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.devnet.cluster.cluster import SimulatedCluster


@pytest.fixture
def cluster() -> Iterator[SimulatedCluster]:
    made = SimulatedCluster()
    made.serve()
    yield made
    made.close()


@pytest.fixture
def kubeconfig(cluster: SimulatedCluster, tmp_path: Path) -> Path:
    return cluster.write_kubeconfig(tmp_path / "kubeconfig")


@pytest.fixture
def client(kubeconfig: Path) -> Iterator[ApiClient]:
    made = ApiClient(Kubeconfig(kubeconfig))
    yield made
    made.close()
