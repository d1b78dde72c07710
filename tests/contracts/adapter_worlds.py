"""Machines to hold an adapter to; clusters: the simulated one, and whichever one KUBECONFIG names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from reconciler.adapters.kubernetes.adapter import KubernetesAdapter
from reconciler.adapters.kubernetes.cluster_observer import ClusterTarget
from reconciler.adapters.kubernetes.connection import Kubeconfig
from reconciler.devnet.cluster.cluster import SimulatedCluster
from reconciler.ports import Adapter, Inspector
from reconciler.values.desired import Port, Service, Workload
from reconciler.values.ids import LeaseId, OrderId, WorkloadId, workload_id
from reconciler.values.observed import Capacity, Running, Trouble
from reconciler.values.outcomes import Failed, Refused
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


class Machines(ABC):
    """Machines of some kind, and an adapter that watches them."""

    adapter: Adapter
    wakes: list[float]
    inspector: Inspector
    """The adapter too."""
    first_happening: str
    """What is told first of a workload that was applied."""

    @abstractmethod
    def marks(self, subject: WorkloadId) -> list[str]:
        """Changes whenever something of the workload is written anew."""

    @abstractmethod
    def left(self, subject: WorkloadId) -> list[str]:
        """The names of all that carries the workload's label."""

    @abstractmethod
    def is_up(self, subject: WorkloadId) -> bool:
        """Whether a container of it runs, ready or not."""

    @abstractmethod
    def damage(self, kind: str, subject: WorkloadId) -> None:
        """What somebody may do by hand to its service web."""

    @abstractmethod
    def take_name(self, subject: WorkloadId) -> str:
        """Something that is not ours has the name that its service web needs; its mark."""

    @abstractmethod
    def taken_mark(self, subject: WorkloadId) -> str:
        """The same mark while it is left alone."""

    @abstractmethod
    def leave_stranger(self, subject: WorkloadId) -> str:
        """The name of an object with its label, but without the one that says that we manage it."""

    @abstractmethod
    def stranger_using(self, cpu_milli: int) -> AbstractContextManager[None]:
        """Something that is not ours and takes so much."""

    def tend(self, wanted: Workload) -> None:  # noqa: B027  # clusters need none
        """What the planner does beside looking: nothing where machines restart what ends."""

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

    def trouble_of(self, wanted: Workload) -> Trouble:
        """Apply it, and see what is wrong: at once, or by looking."""
        outcome = self.adapter.apply(wanted, "d")
        if isinstance(outcome, Refused | Failed):
            return Trouble(outcome.reason, outcome.why, outcome.advice)

        def look() -> Trouble | None:
            self.tend(wanted)
            found = self.running(wanted.id)
            assert found is None or not found.ready
            return found.trouble if found else None

        return eventually(look, f"trouble of {wanted.id}, but {self.running(wanted.id)}")

    def capacity(self) -> Capacity:
        reading = self.adapter.look().capacity
        assert isinstance(reading, Seen), reading
        return reading.view


STRANGER = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: default}}
spec:
  containers: [{{name: a, image: registry.example/a:1, resources: {{requests: {{cpu: {cpu}m}}}}}}]
"""
LOOKALIKE = """
apiVersion: v1
kind: Service
metadata: {{name: {name}, labels: {{virtengine.com/workload: {subject}}}}}
spec: {{ports: [{{port: 1}}]}}
"""
TAKEN = """
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{type: NodePort, ports: [{{port: 9}}]}}
"""
DAMAGES = {
    "more": ("scale", "deployment/web-{}", "--replicas=3"),
    "image": ("set", "image", "deployment/web-{}", "web=registry.example/evil:1"),
    "open": (
        "patch",
        "networkpolicy",
        "web-{}",
        "--type=merge",
        "-p",
        '{{"spec":{{"ingress":[{{}}]}}}}',
    ),
    "unguarded": ("delete", "networkpolicy", "web-{}"),
    "gone": ("delete", "service", "web-{}"),
    "env": ("set", "env", "deployment/web-{}", "MODE=b"),
    "cut off": (
        "patch",
        "service",
        "web-{}",
        "-p",
        '{{"spec":{{"selector":{{"virtengine.com/service":"x"}}}}}}',
    ),
}


@dataclass
class World(Machines):
    """A cluster, our namespace in it, and an adapter that watches it."""

    kubeconfig: Path
    namespace: str
    adapter: KubernetesAdapter
    wakes: list[float]
    forget: Callable[[], None] | None
    cluster: SimulatedCluster | None = None
    scratch: Path = field(default_factory=Path)
    first_happening: str = "ScalingReplicaSet"

    def __post_init__(self) -> None:
        self.inspector = self.adapter

    def kubectl(self, *words: str, stdin: str = "", fails: bool = False) -> str:
        return kubectl(self.kubeconfig, "-n", self.namespace, *words, stdin=stdin, fails=fails)

    def get(self, *words: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("get", *words, "-o", "json"))
        return found

    def marks(self, subject: WorkloadId) -> list[str]:
        selector = f"virtengine.com/workload={subject}"
        deployments = [x["metadata"]["generation"] for x in self.get("deploy", "-l", selector)["items"]]
        services = [x["metadata"]["resourceVersion"] for x in self.get("svc", "-l", selector)["items"]]
        policies = [x["metadata"]["resourceVersion"] for x in self.get("netpol", "-l", selector)["items"]]
        return [str(mark) for mark in (*deployments, *services, *policies)]

    def left(self, subject: WorkloadId) -> list[str]:
        items = self.get("deploy,svc,netpol", "-l", f"virtengine.com/workload={subject}")["items"]
        return sorted({x["metadata"]["name"] for x in items})

    def is_up(self, subject: WorkloadId) -> bool:
        pods = self.get("pods", "-l", f"virtengine.com/workload={subject}")["items"]
        return any(pod["status"].get("phase") == "Running" for pod in pods)

    def damage(self, kind: str, subject: WorkloadId) -> None:
        self.kubectl(*(word.format(subject) for word in DAMAGES[kind]))

    def take_name(self, subject: WorkloadId) -> str:
        self.kubectl("apply", "-f", "-", stdin=TAKEN.format(name=f"web-{subject}"))
        return self.taken_mark(subject)

    def taken_mark(self, subject: WorkloadId) -> str:
        return str([port["port"] for port in self.get("svc", f"web-{subject}")["spec"]["ports"]])

    def leave_stranger(self, subject: WorkloadId) -> str:
        name = f"stranger-{subject}"
        self.kubectl("create", "-f", "-", stdin=LOOKALIKE.format(name=name, subject=subject))
        return name

    @contextmanager
    def stranger_using(self, cpu_milli: int) -> Iterator[None]:
        name = f"stranger-{self.namespace}"
        self.kubectl("-n", "default", "create", "-f", "-", stdin=STRANGER.format(name=name, cpu=cpu_milli))
        try:
            yield
        finally:
            self.kubectl("-n", "default", "delete", "pod", name, "--now")


def open_world(kubeconfig: Path, scratch: Path, forget: Callable[[], None] | None) -> World:
    """A world with a namespace of its own, prepared."""
    wakes: list[float] = []
    namespace = f"provider-contract-{uuid.uuid4().hex[:6]}"
    place = ClusterTarget(Kubeconfig(kubeconfig), namespace)
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
