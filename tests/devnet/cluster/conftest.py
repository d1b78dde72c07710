"""A simulated cluster with a running workload."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.devnet.cluster.kubectls import SPACE, Cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    try:
        made.k(f"apply -f {made.file}")
        made.k(f"rollout status deployment/web -n {SPACE} --timeout=20s")
        yield made
    finally:
        made.inner.close()
