"""Response times beside a computing thread."""

from __future__ import annotations

import gc
import sys
import threading
import time

from reconciler.api.startup import Started
from reconciler.runtime.runtime_tuning import GC_THRESHOLDS, SWITCH_INTERVAL_SECONDS
from tests.api.http_client import http_request


def test_starting_the_servers_tunes_the_runtime(servers: Started) -> None:
    assert http_request(servers.ports.api, "/healthz").code == 200
    assert sys.getswitchinterval() == SWITCH_INTERVAL_SECONDS
    assert gc.get_threshold() == GC_THRESHOLDS


def test_a_response_does_not_wait_for_a_computing_thread(servers: Started) -> None:
    done = threading.Event()

    def compute() -> None:
        while not done.is_set():
            sum(range(2_000))

    busy = threading.Thread(target=compute)
    busy.start()
    try:
        began = time.monotonic()
        for _ in range(20):
            assert http_request(servers.ports.api, "/api/v1/status").code == 200
        assert time.monotonic() - began < 2
    finally:
        done.set()
        busy.join()
