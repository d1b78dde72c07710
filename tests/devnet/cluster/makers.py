"""Objects and clusters for the tests of the simulated cluster."""

from __future__ import annotations

from typing import Any

from reconciler.devnet.cluster.cluster import SimulatedCluster
from reconciler.devnet.cluster.kinds import BY_NAME, Object, Target
from reconciler.devnet.cluster.nodes import NodeSize
from reconciler.devnet.cluster.writes import WriteRequest, Writes

NOW = 1_800_000_000.0
US = WriteRequest("us")


class Ticks:
    """A clock that the test advances."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Stepped:
    """A cluster without a server, on a clock that the test advances."""

    def __init__(self, *sizes: NodeSize, ending_seconds: float = 0.0) -> None:
        self.clock = Ticks()
        self.cluster = SimulatedCluster(sizes or (NodeSize(),), self.clock, ending_seconds)
        self.writes: Writes = self.cluster.writes
        self.create("Namespace", "x", namespace="")

    def create(self, kind: str, name: str, namespace: str = "x", **fields: Any) -> Object:
        return self.writes.create(target(kind, name, namespace), {"metadata": {"name": name}} | fields, US)

    def get(self, kind: str, name: str, namespace: str = "x") -> Object:
        return self.writes.must_get(target(kind, name, namespace))

    def all(self, kind: str) -> list[Object]:
        return self.cluster.objects(BY_NAME[kind].plural, "x")

    def delete(self, kind: str, name: str, namespace: str = "x", **options: Any) -> None:
        self.writes.delete(target(kind, name, namespace), options, US)

    def step(self, seconds: float = 0.0) -> None:
        self.clock.now += seconds
        self.cluster.step()


def target(kind: str, name: str, namespace: str = "x", subresource: str = "") -> Target:
    return Target(BY_NAME[kind], namespace if BY_NAME[kind].namespaced else "", name, subresource)


def pod_spec(image: str = "nginx:1", **resources: Any) -> Object:
    limits = {"cpu": "500m", "memory": "256Mi"} | resources
    return {"containers": [{"name": "c", "image": image, "resources": {"limits": limits}}]}


def deployment_spec(replicas: int = 1, image: str = "nginx:1", **more: Any) -> Object:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod_spec(image)}
    return {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template} | more
