"""What the adapter sees: seven watch caches, and the workloads and capacity that they show together."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.adapters.kubernetes import naming
from reconciler.adapters.kubernetes.client import ApiClient
from reconciler.adapters.kubernetes.connection import Kubeconfig
from reconciler.adapters.kubernetes.informer import Informer
from reconciler.adapters.kubernetes.policies import base_spec
from reconciler.adapters.kubernetes.views import (
    PodView,
    PolicyView,
    deployment_view,
    foreign_pod_view,
    node_view,
    pod_view,
    policy_view,
    quota_view,
    service_view,
)
from reconciler.adapters.kubernetes.workload_view import Pieces, capacity_of, gather, running_of
from reconciler.ports import Wake
from reconciler.values.ids import WorkloadId
from reconciler.values.observed import AdapterView, Capacity, Running
from reconciler.values.readings import Reading, Seen, Unseen, both

FIRST_LOOK_SECONDS = 10.0
LIVING = "status.phase!=Succeeded,status.phase!=Failed"
Workloads = Mapping[WorkloadId, Running]


@dataclass(frozen=True, slots=True)
class ClusterTarget:
    """Where workloads run: the credentials from the host file, the rest from the repository. `provider` is
    our address: what another daemon runs there for leases of its own is not ours ("": all is).
    `egress_denied` are ranges that tenants do not reach, beside private ones.
    """

    kubeconfig: Kubeconfig
    namespace: str = "provider-workloads"
    stale_seconds: float = 30.0
    provider: str = ""
    egress_denied: tuple[str, ...] = ()


class ClusterObserver:
    """Reads answer from memory; what did not change is not reckoned again. One reading thread."""

    def __init__(self, client: ApiClient, place: ClusterTarget) -> None:
        self._provider = place.provider
        inside, ours = f"/namespaces/{place.namespace}", {"labelSelector": naming.OURS}
        managed, base = {"labelSelector": naming.MANAGED}, base_spec(place.egress_denied)
        strangers = {"labelSelector": naming.FOREIGN_PODS, "fieldSelector": LIVING}
        only = {"fieldSelector": f"metadata.name={naming.QUOTA_NAME}"}
        self._deployments = Informer(client, f"/apis/apps/v1{inside}/deployments", ours, deployment_view)
        self._services = Informer(client, f"/api/v1{inside}/services", ours, service_view)
        self._policies = Informer(
            client,
            f"/apis/networking.k8s.io/v1{inside}/networkpolicies",
            managed,
            lambda raw: policy_view(raw, base),
        )
        self._pods = Informer(client, f"/api/v1{inside}/pods", ours, pod_view)
        self._nodes = Informer(client, "/api/v1/nodes", {}, node_view)
        self._strangers = Informer(client, "/api/v1/pods", strangers, foreign_pod_view)
        self._quotas = Informer(client, f"/api/v1{inside}/resourcequotas", only, quota_view)
        self._written: dict[str, Informer[Any]] = {
            "Deployment": self._deployments,
            "Service": self._services,
            "NetworkPolicy": self._policies,
            "ResourceQuota": self._quotas,
        }
        self._known: dict[WorkloadId, tuple[Pieces, Running | None]] = {}
        self._workloads: tuple[tuple[Any, ...], Reading[Workloads]] | None = None
        self._capacity: tuple[tuple[Any, ...], Reading[Capacity]] | None = None
        self.tolerated: dict[str, str] = {}
        """By `deployment/name` or `service/name`: what the cluster itself makes of what we apply."""

    @property
    def caches(self) -> tuple[Informer[Any], ...]:
        """All of them."""
        ours = (self._deployments, self._services, self._policies, self._pods, self._quotas)
        return (*ours, self._nodes, self._strangers)

    def start(self, wake: Wake, stale_seconds: float) -> None:
        """Begin to watch; a cache that is broken for longer than that shows nothing."""
        for cache in self.caches:
            cache.wake, cache.stale_seconds = wake, stale_seconds
            cache.start()

    def close(self) -> None:
        """End the watches."""
        for cache in self.caches:
            cache.close()

    def look(self) -> AdapterView:
        """The first look waits until the cluster has answered, or has failed to, or 10 seconds."""
        deadline = time.monotonic() + FIRST_LOOK_SECONDS
        for cache in self.caches:
            cache.wait(max(deadline - time.monotonic(), 0))
        return AdapterView(self._look_at_workloads(), self._look_at_capacity())

    def pods(self) -> Reading[Mapping[str, PodView]]:
        """Our pods."""
        return self._pods.read()

    def take_written(self, kind: str, raw: bytes) -> None:
        """What a write of ours has made, as the server answered: a watch that lags causes no second write."""
        if cache := self._written.get(kind):
            cache.take_written(raw)

    def reconsider(self, workload: WorkloadId) -> None:
        """Reckon this workload again at the next look: what is tolerated of it has changed."""
        self._known.pop(workload, None)
        self._workloads = None

    def _look_at_workloads(self) -> Reading[Workloads]:
        reading = both(
            both(self._deployments.read(), self._services.read()),
            both(self._policies.read(), self._pods.read()),
        )
        if isinstance(reading, Unseen):
            return reading
        (deployments, services), (policies, pods) = reading.view
        seen = (deployments, services, policies, pods)
        if self._workloads is None or not _same(self._workloads[0], seen):
            pieces = gather(deployments.values(), services.values(), policies.values(), pods.values())
            self._workloads = (seen, Seen(self._reckon(pieces)))
        return self._workloads[1]

    def _reckon(self, pieces: Mapping[WorkloadId, Pieces]) -> Workloads:
        known: dict[WorkloadId, tuple[Pieces, Running | None]] = {}
        for workload in sorted(pieces):
            old = self._known.get(workload)
            if old is not None and old[0].same(pieces[workload]):
                known[workload] = old
            else:
                known[workload] = (pieces[workload], running_of(workload, pieces[workload], self.tolerated))
        self._known = known
        return {
            workload: running
            for workload, (_, running) in known.items()
            if running is not None and (not self._provider or running.lease.provider == self._provider)
        }

    def _look_at_capacity(self) -> Reading[Capacity]:
        reading = both(
            both(self._nodes.read(), both(self._quotas.read(), self._policies.read())),
            both(self._pods.read(), self._strangers.read()),
        )
        if isinstance(reading, Unseen):
            return reading
        (nodes, (quotas, policies)), (pods, strangers) = reading.view
        seen = (nodes, quotas, policies, pods, strangers)
        if self._capacity is None or not _same(self._capacity[0], seen):
            quota = next(iter(quotas.values()), None) if _is_based(policies.values()) else None
            made = capacity_of(nodes.values(), pods.values(), strangers.values(), quota)
            self._capacity = (seen, Seen(made))
        return self._capacity[1]


def _is_based(policies: Iterable[PolicyView]) -> bool:
    """Whether the base policy is there and as we would write it; without it, no quota counts as set, and the
    namespace is prepared again.
    """
    return any(each.marks.name == naming.POLICY_NAME and not each.projection for each in policies)


def _same(old: tuple[Any, ...], new: tuple[Any, ...]) -> bool:
    """Whether they are the very same objects."""
    return all(one is other for one, other in zip(old, new, strict=True))
