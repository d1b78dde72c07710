"""Backends of the adapter contract: the simulated cluster, and the cluster of KUBECONFIG."""

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
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.adapters.kubernetes.naming import LEASE, MANAGED, POLICY_NAME, WORKLOAD
from reconciler.devnet.cluster.cluster import SimulatedCluster
from reconciler.ports import Adapter, Inspector
from reconciler.values.clusters import KubernetesSettings, LeaseIsolation, VolumeClass
from reconciler.values.desired import Port, Service, Workload
from reconciler.values.ids import LeaseId, OrderId, WorkloadId, workload_id
from reconciler.values.machines import Capacity
from reconciler.values.observed import ObservedWorkload, Trouble
from reconciler.values.outcomes import Failed, Refused
from reconciler.values.readings import Seen
from reconciler.values.resources import MB, Resources

KUBECTL = str(Path(sys.executable).with_name("kubectl"))
TIMEOUT_SECONDS = 30.0
TENANT = "virtengine1tenant"
Found = TypeVar("Found")


def eventually(look: Callable[[], Found | None], what: str, seconds: float = TIMEOUT_SECONDS) -> Found:
    """The first truthy result of `look`; AssertionError after the timeout."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


def kubectl(kubeconfig: Path, *words: str, stdin: str = "", fails: bool = False) -> str:
    """The output of the real kubectl; it must succeed, or (`fails`) fail."""
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
    return LeaseId(OrderId(TENANT, dseq, 1, 1), "virtengine1provider")


def service(name: str = "web", image: str = "registry.example/web:1", count: int = 1, **more: Any) -> Service:
    return Service(name, image, Resources(100, 64 * MB, 128 * MB), count, **more)


def workload(dseq: int, *services: Service, paused: bool = False) -> Workload:
    return Workload(workload_id(lease(dseq)), lease(dseq), services or (service(),), paused=paused)


EXPOSED = (Port(80),)
QUOTA = Resources(16_000, 32 << 30, 64 << 30, 0)
"""The quota of a backend."""


class AdapterBackend(ABC):
    """A cluster or hosts, with their adapter."""

    adapter: Adapter
    wakes: list[float]
    inspector: Inspector
    """The adapter itself."""
    first_event: str
    """The reason of the first event of an applied workload."""

    @abstractmethod
    def versions(self, subject: WorkloadId) -> list[str]:
        """Versions that change with every write to an object of the workload."""

    @abstractmethod
    def objects_of(self, subject: WorkloadId) -> list[str]:
        """The names of all objects with the workload's label."""

    @abstractmethod
    def is_up(self, subject: WorkloadId) -> bool:
        """Whether a container of it runs, ready or not."""

    @abstractmethod
    def modify(self, kind: str, subject: WorkloadId) -> None:
        """Modify the service web without the adapter."""

    @abstractmethod
    def create_foreign(self, subject: WorkloadId) -> str:
        """Create a foreign object with the name that the service web needs; its version."""

    @abstractmethod
    def foreign_version(self, subject: WorkloadId) -> str:
        """The version of that object now."""

    @abstractmethod
    def create_lookalike(self, subject: WorkloadId) -> str:
        """Create an object with the workload's label but not ours; its name."""

    @abstractmethod
    def foreign_load(self, cpu_milli: int) -> AbstractContextManager[None]:
        """Foreign containers or pods that request so much together, another provider's among them."""

    def restart_exited(self, wanted: Workload) -> None:  # noqa: B027  # clusters need none
        """Repair as the planner does; clusters restart containers themselves."""

    def running(self, subject: WorkloadId) -> ObservedWorkload | None:
        reading = self.adapter.observe().workloads
        assert isinstance(reading, Seen), reading
        return reading.view.get(subject)

    def until(
        self, subject: WorkloadId, holds: Callable[[ObservedWorkload], Any], what: str
    ) -> ObservedWorkload:
        def look() -> ObservedWorkload | None:
            found = self.running(subject)
            return found if found is not None and holds(found) else None

        return eventually(look, f"{what}, but {self.running(subject)}")

    def until_gone(self, subject: WorkloadId) -> None:
        eventually(lambda: self.running(subject) is None, f"{subject} gone")

    def trouble_of(self, wanted: Workload) -> Trouble:
        """Apply it, and return the refusal or the observed trouble."""
        outcome = self.adapter.apply(wanted, "d")
        if isinstance(outcome, Refused | Failed):
            return Trouble(outcome.reason, outcome.why, outcome.advice)

        def look() -> Trouble | None:
            self.restart_exited(wanted)
            found = self.running(wanted.id)
            assert found is None or not found.ready
            return found.trouble if found else None

        return eventually(look, f"trouble of {wanted.id}, but {self.running(wanted.id)}")

    def capacity(self) -> Capacity:
        reading = self.adapter.observe().capacity
        assert isinstance(reading, Seen), reading
        return reading.view


FOREIGN_POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: default, labels: {{{labels}}}}}
spec:
  containers: [{{name: a, image: registry.example/a:1, resources: {{requests: {{cpu: {cpu}m}}}}}}]
"""
ANOTHER_PROVIDER = "app.kubernetes.io/managed-by: provider-daemon, virtengine.com/workload: other"
LOOKALIKE = """
apiVersion: v1
kind: Service
metadata: {{name: {name}, labels: {{virtengine.com/workload: {subject}}}}}
spec: {{ports: [{{port: 1}}]}}
"""
FOREIGN_SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{type: NodePort, ports: [{{port: 9}}]}}
"""
FOREIGN_NAMESPACE = """
apiVersion: v1
kind: Namespace
metadata: {{name: {name}}}
"""
MODIFICATIONS = {
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
    "deleted": ("delete", "service", "web-{}"),
    "env": ("set", "env", "deployment/web-{}", "MODE=b"),
    "disconnected": (
        "patch",
        "service",
        "web-{}",
        "-p",
        '{{"spec":{{"selector":{{"virtengine.com/service":"x"}}}}}}',
    ),
}


@dataclass
class ClusterBackend(AdapterBackend):
    """A cluster, our namespace in it, and its adapter."""

    kubeconfig: Path
    namespace: str
    adapter: KubernetesAdapter
    wakes: list[float]
    forget: Callable[[], None] | None
    cluster: SimulatedCluster | None = None
    isolation: LeaseIsolation = LeaseIsolation.SHARED
    scratch: Path = field(default_factory=Path)
    first_event: str = "ScalingReplicaSet"

    def __post_init__(self) -> None:
        self.inspector = self.adapter

    def kubectl(self, *words: str, stdin: str = "", fails: bool = False, space: str = "") -> str:
        return kubectl(self.kubeconfig, "-n", space or self.namespace, *words, stdin=stdin, fails=fails)

    def get(self, *words: str, space: str = "") -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("get", *words, "-o", "json", space=space))
        return found

    def home(self, subject: WorkloadId) -> str:
        """The namespace of a workload."""
        return subject if self.isolation is LeaseIsolation.NAMESPACE else self.namespace

    def versions(self, subject: WorkloadId) -> list[str]:
        selector = f"virtengine.com/workload={subject}"
        where = {"space": self.home(subject)}
        deployments = self.get("deploy", "-l", selector, **where)["items"]
        others = [
            each["metadata"] for each in self.get("svc,netpol,limits", "-l", selector, **where)["items"]
        ]
        versions = [each["metadata"]["generation"] for each in deployments]
        versions += [each["resourceVersion"] for each in others if each["name"] != POLICY_NAME]
        return [str(each) for each in versions]

    def objects_of(self, subject: WorkloadId) -> list[str]:
        selector = f"virtengine.com/workload={subject}"
        spaces = {self.home(subject), self.namespace}
        found = [self.get("deploy,svc,netpol", "-l", selector, space=each)["items"] for each in spaces]
        return sorted({x["metadata"]["name"] for items in found for x in items} - {POLICY_NAME})

    def is_up(self, subject: WorkloadId) -> bool:
        selector = f"virtengine.com/workload={subject}"
        pods = self.get("pods", "-l", selector, space=self.home(subject))["items"]
        return any(pod["status"].get("phase") == "Running" for pod in pods)

    def modify(self, kind: str, subject: WorkloadId) -> None:
        self.kubectl(*(word.format(subject) for word in MODIFICATIONS[kind]), space=self.home(subject))

    def create_foreign(self, subject: WorkloadId) -> str:
        if self.isolation is LeaseIsolation.NAMESPACE:
            self.kubectl("create", "-f", "-", stdin=FOREIGN_NAMESPACE.format(name=subject))
        else:
            self.kubectl("apply", "-f", "-", stdin=FOREIGN_SERVICE.format(name=f"web-{subject}"))
        return self.foreign_version(subject)

    def foreign_version(self, subject: WorkloadId) -> str:
        if self.isolation is LeaseIsolation.NAMESPACE:
            return str(self.get("namespace", subject)["metadata"]["resourceVersion"])
        return str([port["port"] for port in self.get("svc", f"web-{subject}")["spec"]["ports"]])

    def create_lookalike(self, subject: WorkloadId) -> str:
        name = f"foreign-{subject}"
        self.kubectl("create", "-f", "-", stdin=LOOKALIKE.format(name=name, subject=subject))
        return name

    @contextmanager
    def foreign_load(self, cpu_milli: int) -> Iterator[None]:
        names = [f"{kind}-{self.namespace}" for kind in ("foreign", "provider")]
        for name, labels in zip(names, ("", ANOTHER_PROVIDER), strict=True):
            pod = FOREIGN_POD.format(name=name, labels=labels, cpu=cpu_milli // len(names))
            self.kubectl("-n", "default", "create", "-f", "-", stdin=pod)
        try:
            yield
        finally:
            self.kubectl("-n", "default", "delete", "pod", *names, "--now")


def open_cluster(
    kubeconfig: Path,
    scratch: Path,
    forget: Callable[[], None] | None,
    isolation: LeaseIsolation = LeaseIsolation.SHARED,
) -> ClusterBackend:
    """A backend with its own namespace."""
    wakes: list[float] = []
    namespace = f"provider-contract-{uuid.uuid4().hex[:6]}"
    place = ClusterTarget(
        Kubeconfig(kubeconfig),
        KubernetesSettings(
            namespace=namespace,
            isolation=isolation,
            storage_classes=(
                VolumeClass("beta2", "standard", 1 << 40),
                VolumeClass("beta3", "missing", 1 << 40),
            ),
        ),
    )
    adapter = KubernetesAdapter(place, lambda: wakes.append(time.monotonic()))
    adapter.start()
    return ClusterBackend(kubeconfig, namespace, adapter, wakes, forget, isolation=isolation, scratch=scratch)


def simulated_cluster(scratch: Path, isolation: LeaseIsolation = LeaseIsolation.SHARED) -> ClusterBackend:
    """A backend with its own simulated cluster."""
    cluster = SimulatedCluster(ending_seconds=0.2)
    cluster.serve()
    kubeconfig = cluster.write_kubeconfig(scratch / "kubeconfig")
    backend = open_cluster(kubeconfig, scratch, cluster.forget_history, isolation)
    backend.cluster = cluster
    return backend


def real_cluster(scratch: Path, isolation: LeaseIsolation = LeaseIsolation.SHARED) -> ClusterBackend:
    """A backend in the cluster of KUBECONFIG; `restart-apiserver` beside it makes older watches 410."""
    kubeconfig = Path(os.environ["KUBECONFIG"])
    restart = kubeconfig.parent / "restart-apiserver"
    forget = (lambda: _restart(restart)) if restart.exists() else None
    return open_cluster(kubeconfig, scratch, forget, isolation)


def close_cluster(backend: ClusterBackend) -> None:
    """Delete everything that the backend made."""
    if backend.cluster is None:
        delete = ("delete", "namespace", "--ignore-not-found", "--wait=false")
        found = backend.get("namespaces", "-l", f"{MANAGED},{WORKLOAD}")["items"]
        own = [each["metadata"] for each in found if TENANT in each["metadata"]["annotations"][LEASE]]
        kubectl(backend.kubeconfig, *delete, backend.namespace, *(each["name"] for each in own))
    backend.adapter.close()
    if backend.cluster is not None:
        backend.cluster.close()


def _restart(program: Path) -> None:
    subprocess.run([str(program)], check=True, capture_output=True, timeout=60)
