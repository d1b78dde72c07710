"""The cluster that the contract of the adapter port is held against."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.values.outcomes import Done
from tests.contracts.adapter_worlds import GIVEN, World, close_world, real_world, simulated_world


@pytest.fixture(scope="module", params=["simulated", pytest.param("real", marks=pytest.mark.live)])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    scratch: Path = tmp_path_factory.mktemp(request.param)
    if request.param == "real" and not os.environ.get("KUBECONFIG"):
        pytest.skip("make live KUBECONFIG=... names the real cluster")
    made = simulated_world(scratch) if request.param == "simulated" else real_world(scratch)
    try:
        assert made.adapter.prepare(GIVEN) == Done(f"quota {GIVEN.show()}")
        yield made
    finally:
        close_world(made)
