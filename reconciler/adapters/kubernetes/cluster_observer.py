"""Observes a cluster: eight informers, and the workloads and capacity that their caches show together."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from reconciler.adapters.kubernetes import naming
from reconciler.adapters.kubernetes.client import ApiClient
from reconciler.adapters.kubernetes.informer import Informer
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.adapters.kubernetes.policies import base_spec
from reconciler.adapters.kubernetes.views import (
    PartView,
    PodView,
    deployment_view,
    foreign_pod_view,
    node_view,
    part_view,
    pod_view,
    quota_view,
)
from reconciler.adapters.kubernetes.workload_view import (
    WorkloadObjects,
    capacity_of,
    group_by_workload,
    observed_workload_of,
)
from reconciler.ports import Wake
from reconciler.values.ids import WorkloadId
from reconciler.values.machines import Capacity
from reconciler.values.observed import AdapterView, ObservedWorkload
from reconciler.values.readings import Reading, Seen, Unseen

FIRST_LOOK_SECONDS = 10.0
NOT_FINISHED = "status.phase!=Succeeded,status.phase!=Failed"
Workloads = Mapping[WorkloadId, ObservedWorkload]
Derived = TypeVar("Derived")


@dataclass(frozen=True, slots=True)
class ClusterTarget:
    """Where workloads run: credentials from the host file, the rest from the repository. Leases of another
    `provider` than our address are not ours ("": all are). `egress_denied` are ranges that tenants must not
    reach, beside private ones.
    """

    kubeconfig: Kubeconfig
    namespace: str = "provider-workloads"
    stale_seconds: float = 30.0
    provider: str = ""
    egress_denied: tuple[str, ...] = ()


class ClusterObserver:
    """Answers from memory and recomputes only what changed; for one reading thread."""

    def __init__(self, client: ApiClient, target: ClusterTarget) -> None:
        self._provider = target.provider
        inside, ours = f"/namespaces/{target.namespace}", {"labelSelector": naming.OURS}
        managed, base = {"labelSelector": naming.MANAGED}, base_spec(target.egress_denied)
        foreign = {"labelSelector": naming.FOREIGN_PODS, "fieldSelector": NOT_FINISHED}
        elsewhere = {"fieldSelector": f"metadata.namespace!={target.namespace},{NOT_FINISHED}"}
        quota = {"fieldSelector": f"metadata.name={naming.QUOTA_NAME}"}
        self._deployments = Informer(client, f"/apis/apps/v1{inside}/deployments", ours, deployment_view)
        self._services = Informer(client, f"/api/v1{inside}/services", ours, part_view)
        self._policies = Informer(
            client,
            f"/apis/networking.k8s.io/v1{inside}/networkpolicies",
            managed,
            lambda raw: part_view(raw, base),
        )
        self._pods = Informer(client, f"/api/v1{inside}/pods", ours, pod_view)
        self._nodes = Informer(client, "/api/v1/nodes", {}, node_view)
        self._foreign_pods = Informer(client, f"/api/v1{inside}/pods", foreign, foreign_pod_view)
        self._pods_elsewhere = Informer(client, "/api/v1/pods", elsewhere, foreign_pod_view)
        self._quotas = Informer(client, f"/api/v1{inside}/resourcequotas", quota, quota_view)
        self._by_kind: dict[str, Informer[Any]] = {
            "Deployment": self._deployments,
            "Service": self._services,
            "NetworkPolicy": self._policies,
            "ResourceQuota": self._quotas,
        }
        self._known: dict[WorkloadId, tuple[WorkloadObjects, ObservedWorkload | None]] = {}
        self._invalidated: deque[WorkloadId] = deque()
        self._workloads: tuple[tuple[Any, ...], Reading[Workloads]] | None = None
        self._capacity: tuple[tuple[Any, ...], Reading[Capacity]] | None = None
        self.server_drift: dict[str, str] = {}
        """By part (`deployment/name`): the drift that the cluster itself causes on an apply."""

    @property
    def informers(self) -> tuple[Informer[Any], ...]:
        """All of them."""
        return (*self._by_kind.values(), self._pods, self._nodes, *self._other_pods)

    @property
    def _other_pods(self) -> tuple[Informer[Any], ...]:
        """Pods of no workload in our namespace, and all pods in other namespaces: another provider's too."""
        return (self._foreign_pods, self._pods_elsewhere)

    def start(self, wake: Wake, stale_seconds: float) -> None:
        """Begin to watch; an informer that is broken for longer than that is Unseen."""
        for informer in self.informers:
            informer.wake, informer.stale_seconds = wake, stale_seconds
            informer.start()

    def close(self) -> None:
        """End the watches."""
        for informer in self.informers:
            informer.close()

    def observe(self) -> AdapterView:
        """The first look waits up to 10 seconds until every informer has synced or failed."""
        deadline = time.monotonic() + FIRST_LOOK_SECONDS
        for informer in self.informers:
            informer.wait_for_sync(max(deadline - time.monotonic(), 0))
        return AdapterView(self._look_at_workloads(), self._look_at_capacity())

    def pods(self) -> Reading[Mapping[str, PodView]]:
        """Our pods."""
        return self._pods.read()

    def record_write(self, kind: str, raw: bytes) -> None:
        """Store the response to our own write, so that a lagging watch causes no second write."""
        if informer := self._by_kind.get(kind):
            informer.record_write(raw)

    def invalidate(self, workload: WorkloadId) -> None:
        """Recompute this workload at the next look: its server drift has changed. From any thread."""
        self._invalidated.append(workload)

    def _look_at_workloads(self) -> Reading[Workloads]:
        while self._invalidated:
            self._known.pop(self._invalidated.popleft(), None)
            self._workloads = None
        sources = (self._deployments, self._services, self._policies, self._pods)
        self._workloads = _derive(sources, self._workloads, self._derive_workloads)
        return self._workloads[1]

    def _derive_workloads(self, *caches: Mapping[str, Any]) -> Reading[Workloads]:
        groups = group_by_workload(*(cache.values() for cache in caches))
        known: dict[WorkloadId, tuple[WorkloadObjects, ObservedWorkload | None]] = {}
        for workload, group in sorted(groups.items()):
            old = self._known.get(workload)
            if old is None or not old[0].same(group):
                old = (group, observed_workload_of(workload, group, self.server_drift))
            known[workload] = old
        self._known = known
        ours = {
            workload: running
            for workload, (_, running) in known.items()
            if running is not None and (not self._provider or running.lease.provider == self._provider)
        }
        return Seen(ours)

    def _look_at_capacity(self) -> Reading[Capacity]:
        sources: tuple[Informer[Any], ...] = (
            self._nodes,
            self._quotas,
            self._policies,
            self._pods,
            *self._other_pods,
        )
        self._capacity = _derive(sources, self._capacity, _derive_capacity)
        return self._capacity[1]


def _derive(
    sources: tuple[Informer[Any], ...],
    last: tuple[tuple[Any, ...], Reading[Derived]] | None,
    derive: Callable[..., Reading[Derived]],
) -> tuple[tuple[Any, ...], Reading[Derived]]:
    """The caches and what they show together; the last result if the caches are identical, Unseen if one of
    them is.
    """
    caches = []
    for source in sources:
        reading = source.read()
        if isinstance(reading, Unseen):
            return (), reading
        caches.append(reading.view)
    if last is not None and last[0] and all(a is b for a, b in zip(last[0], caches, strict=True)):
        return last
    return tuple(caches), derive(*caches)


def _derive_capacity(
    nodes: Mapping[str, Any],
    quotas: Mapping[str, Any],
    policies: Mapping[str, PartView],
    pods: Mapping[str, PodView],
    *other_pods: Mapping[str, Any],
) -> Reading[Capacity]:
    """Without a correct base policy no quota counts as set, so that the namespace is prepared again."""
    is_prepared = any(each.meta.name == naming.POLICY_NAME and not each.drift for each in policies.values())
    quota = next(iter(quotas.values()), None) if is_prepared else None
    others = [pod for found in other_pods for pod in found.values()]
    return capacity_of(nodes.values(), pods.values(), others, quota)
