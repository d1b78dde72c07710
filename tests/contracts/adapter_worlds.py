"""Clusters to hold the adapter to: the simulated one, and whichever one KUBECONFIG names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from reconciler.adapters.kubernetes.adapter import KubernetesAdapter, Place
from reconciler.adapters.kubernetes.connection import Kubeconfig
from reconciler.devnet.cluster.cluster import SimulatedCluster
from reconciler.values.desired import Port, Service, Workload
from reconciler.values.ids import LeaseId, OrderId, WorkloadId, workload_id
from reconciler.values.observed import Capacity, Running
from reconciler.values.readings import Seen
from reconciler.values.resources import MB, Resources

KUBECTL = str(Path(sys.executable).with_name("kubectl"))
PATIENCE_SECONDS = 30.0
Found = TypeVar("Found")


def eventually(look: Callable[[], Found | None], what: str, seconds: float = PATIENCE_SECONDS) -> Found:
    """What the look finds, as soon as it finds something."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


def kubectl(kubeconfig: Path, *words: str, stdin: str = "", fails: bool = False) -> str:
    """What real kubectl prints; it must succeed, or must fail."""
    argv = [
        KUBECTL,
        "--kubeconfig",
        str(kubeconfig),
        "--cache-dir",
        str(kubeconfig.parent / "kubectl"),
        *words,
    ]
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=60)
    assert (done.returncode != 0) == fails, f"kubectl {' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def lease(dseq: int) -> LeaseId:
    return LeaseId(OrderId("virtengine1tenant", dseq, 1, 1), "virtengine1provider")


def service(name: str = "web", image: str = "registry.example/web:1", count: int = 1, **more: Any) -> Service:
    return Service(name, image, Resources(100, 64 * MB, 128 * MB), count, **more)


def workload(dseq: int, *services: Service, paused: bool = False) -> Workload:
    return Workload(workload_id(lease(dseq)), lease(dseq), services or (service(),), paused=paused)


EXPOSED = (Port(80),)
GIVEN = Resources(16_000, 32 << 30, 64 << 30, 0)
"""The quota of a world."""


@dataclass
class World:
    """A cluster, our namespace in it, and an adapter that watches it."""

    kubeconfig: Path
    namespace: str
    adapter: KubernetesAdapter
    wakes: list[float]
    forget: Callable[[], None] | None
    cluster: SimulatedCluster | None = None
    scratch: Path = field(default_factory=Path)

    def kubectl(self, *words: str, stdin: str = "", fails: bool = False) -> str:
        return kubectl(self.kubeconfig, "-n", self.namespace, *words, stdin=stdin, fails=fails)

    def get(self, *words: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("get", *words, "-o", "json"))
        return found

    def running(self, subject: WorkloadId) -> Running | None:
        reading = self.adapter.look().workloads
        assert isinstance(reading, Seen), reading
        return reading.view.get(subject)

    def until(self, subject: WorkloadId, holds: Callable[[Running], Any], what: str) -> Running:
        def look() -> Running | None:
            found = self.running(subject)
            return found if found is not None and holds(found) else None

        return eventually(look, f"{what}, but {self.running(subject)}")

    def until_gone(self, subject: WorkloadId) -> None:
        eventually(lambda: self.running(subject) is None, f"{subject} gone")

    def capacity(self) -> Capacity:
        reading = self.adapter.look().capacity
        assert isinstance(reading, Seen), reading
        return reading.view


def open_world(kubeconfig: Path, scratch: Path, forget: Callable[[], None] | None) -> World:
    """A world with a namespace of its own, prepared."""
    wakes: list[float] = []
    namespace = f"provider-contract-{uuid.uuid4().hex[:6]}"
    place = Place(Kubeconfig(kubeconfig), namespace)
    adapter = KubernetesAdapter(place, lambda: wakes.append(time.monotonic()))
    adapter.start()
    return World(kubeconfig, namespace, adapter, wakes, forget, scratch=scratch)


def simulated_world(scratch: Path) -> World:
    """A world in a simulated cluster that is its own."""
    cluster = SimulatedCluster(ending_seconds=0.2)
    cluster.serve()
    world = open_world(cluster.write_kubeconfig(scratch / "kubeconfig"), scratch, cluster.forget_history)
    world.cluster = cluster
    return world


def real_world(scratch: Path) -> World:
    """A world in the cluster of KUBECONFIG. A `restart-apiserver` beside it makes older watches 410."""
    kubeconfig = Path(os.environ["KUBECONFIG"])
    restart = kubeconfig.parent / "restart-apiserver"
    forget = (lambda: _restart(restart)) if restart.exists() else None
    return open_world(kubeconfig, scratch, forget)


def close_world(world: World) -> None:
    """Leave nothing behind."""
    if world.cluster is None:
        kubectl(
            world.kubeconfig, "delete", "namespace", world.namespace, "--ignore-not-found", "--wait=false"
        )
    world.adapter.close()
    if world.cluster is not None:
        world.cluster.close()


def _restart(program: Path) -> None:
    subprocess.run([str(program)], check=True, capture_output=True, timeout=60)
