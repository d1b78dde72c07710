"""The API under load with many leases: how long responses take, and what that costs the cycle.

`python -m tests.bench.api_load [LEASES]`. Clients are a program of their own; the cycle is a real one, with
its ports in memory, in the program that serves. What the clients alone cost the machine is measured, too:
the same responses of the same sizes, from a program that has no cycle.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from reconciler.cycle.run import Runner
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.listen_address import ListenAddress
from tests.api.fake_sources import serve
from tests.api.http_client import http_request
from tests.bench.cycles import later, provider_of
from tests.bench.figures import show, wall_ms
from tests.cycle.worlds import Scenery

STATUS, WORKLOADS = "/api/v1/status", "/api/v1/workloads"
RATE, SECONDS, ROUNDS, BLOCK_SECONDS = 200, 8.0, 3, 1.0
ASIDE = "as much that another program responses"
"""The machine's own share of a slow-down: two cores, three programs."""


def bench_api(leases: int) -> None:
    """Latency at 200 requests a second, the cycle's slow-down meanwhile, the most against a bare route."""
    with provider_of(leases) as (scene, runner):
        snapshots = SnapshotStore(runner.snapshot)
        started = serve(snapshots)
        try:
            _steady(Load(leases, started.ports.api, scene, runner, snapshots))
            _most(started.ports.api)
        finally:
            started.stop()


@dataclass(slots=True)
class Load:
    """A provider that cycles and serves; `cycles` are the times in milliseconds by load."""

    leases: int
    at: ListenAddress
    scene: Scenery
    runner: Runner
    snapshots: SnapshotStore
    cycles: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    asked: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    def beside(self, what: str, meanwhile: Callable[[], object]) -> None:
        """Cycle once a block while something else goes on; each is shown on the snapshots."""
        other = threading.Thread(target=meanwhile)
        other.start()
        due = time.monotonic()
        while other.is_alive():
            later(self.scene)
            self.cycles[what].append(wall_ms(self._cycle))
            due += BLOCK_SECONDS
            time.sleep(max(due - time.monotonic(), 0))
        other.join()

    def _cycle(self) -> None:
        cycle = self.runner.run_cycle()
        assert not cycle.planned.plan.actions, "a cycle in which nothing is to do"
        self.snapshots.publish(cycle.snapshot)

    def note(self, what: str, at: ListenAddress, paths: Sequence[str]) -> None:
        """Send requests at a steady rate; the times are added to those of earlier rounds."""
        found = _clients("steady", at.host, str(at.port), str(RATE), str(SECONDS), *paths)
        known = self.asked.setdefault(what, {path: {"ms": [], "bytes": 0} for path in paths})
        for path in paths:
            known[path]["ms"] = sorted(known[path]["ms"] + found[path]["ms"])
            known[path]["bytes"] = found[path]["bytes"]


def _steady(load: Load) -> None:
    """In turns, so that other load affects all of them alike."""
    http_request(load.at, WORKLOADS)  # rows are made once
    kinds = {"the status": (STATUS,), "the status and the workload list": (STATUS, WORKLOADS)}
    with _program(*(http_request(load.at, path).body for path in (STATUS, WORKLOADS))) as aside:
        for _ in range(ROUNDS):
            load.beside("", lambda: time.sleep(SECONDS))
            for what, paths in kinds.items():
                load.beside(what, functools.partial(load.note, what, load.at, paths))
            load.beside(ASIDE, functools.partial(load.note, ASIDE, aside, (STATUS, WORKLOADS)))
    alone = _undisturbed(load.cycles[""])
    for what, responses in load.asked.items():
        for path, found in responses.items() if what != ASIDE else ():
            figure = f"p99 {_part(found['ms'], 0.99):.1f} ms"
            rest = f"p50 {_part(found['ms'], 0.5):.1f} ms, {found['bytes'] / 1024:.0f} KiB each"
            show(f"{path}, {RATE // len(responses)} a second, {load.leases} leases", figure, rest)
        beside = _undisturbed(load.cycles[what])
        share = 100 * (beside - alone) / 1000 / BLOCK_SECONDS
        slower = f"{alone:.0f} ms alone: {100 * (beside / alone - 1):+.0f} %, {share:+.1f} % of a block"
        show(f"  a cycle beside {what}", f"{beside:.0f} ms", slower)


@contextmanager
def _program(*bodies: bytes) -> Iterator[ListenAddress]:
    """A process that responses these bodies at the paths of the status and the list."""
    command = [sys.executable, "-m", "tests.bench.api_bare", STATUS, WORKLOADS]
    sizes = " ".join(str(len(body)) for body in bodies)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.write(f"{sizes}\n")
        running.stdin.flush()
        try:
            yield ListenAddress("127.0.0.1", int(running.stdout.readline()))
        finally:
            running.terminate()


def _most(at: ListenAddress) -> None:
    with _program(http_request(at, STATUS).body, b"") as bare:
        plain = _clients("most", bare.host, str(bare.port), "4", STATUS)["rate"]
        ours = _clients("most", at.host, str(at.port), "4", STATUS)["rate"]
    show(
        "requests a second at most, the status",
        f"{ours:.0f}",
        f"{100 * ours / plain:.0f} % of a bare route's {plain:.0f}",
    )


def _clients(*words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.api_clients", *words]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def _undisturbed(times: list[float]) -> float:
    """The time of which a quarter is faster: what else a shared machine does only ever makes it longer."""
    return _part(sorted(times), 0.25)


def _part(times: list[float], part: float) -> float:
    return times[min(int(len(times) * part), len(times) - 1)]


if __name__ == "__main__":
    bench_api(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
