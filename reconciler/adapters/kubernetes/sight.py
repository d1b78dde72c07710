"""What the adapter sees: six watch caches, and the workloads and capacity that they show together."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from reconciler.adapters.kubernetes import naming
from reconciler.adapters.kubernetes.client import Client
from reconciler.adapters.kubernetes.picture import Pieces, capacity_of, gather, running_of
from reconciler.adapters.kubernetes.views import (
    PodView,
    deployment_view,
    node_view,
    pod_view,
    quota_view,
    service_view,
    stranger_view,
)
from reconciler.adapters.kubernetes.watches import WatchCache
from reconciler.ports import Wake
from reconciler.values.ids import WorkloadId
from reconciler.values.observed import AdapterView, Capacity, Running
from reconciler.values.readings import Reading, Seen, Unseen, both

FIRST_LOOK_SECONDS = 10.0
LIVING = "status.phase!=Succeeded,status.phase!=Failed"
Workloads = Mapping[WorkloadId, Running]


class Sight:
    """Reads answer from memory; what did not change is not reckoned again. One reading thread."""

    def __init__(self, client: Client, namespace: str, provider: str = "") -> None:
        self._provider = provider
        inside, ours = f"/namespaces/{namespace}", {"labelSelector": naming.OURS}
        strangers = {"labelSelector": naming.STRANGERS, "fieldSelector": LIVING}
        only = {"fieldSelector": f"metadata.name={naming.QUOTA_NAME}"}
        self._deployments = WatchCache(client, f"/apis/apps/v1{inside}/deployments", ours, deployment_view)
        self._services = WatchCache(client, f"/api/v1{inside}/services", ours, service_view)
        self._pods = WatchCache(client, f"/api/v1{inside}/pods", ours, pod_view)
        self._nodes = WatchCache(client, "/api/v1/nodes", {}, node_view)
        self._strangers = WatchCache(client, "/api/v1/pods", strangers, stranger_view)
        self._quotas = WatchCache(client, f"/api/v1{inside}/resourcequotas", only, quota_view)
        self._known: dict[WorkloadId, tuple[Pieces, Running | None]] = {}
        self._workloads: tuple[tuple[Any, ...], Reading[Workloads]] | None = None
        self._capacity: tuple[tuple[Any, ...], Reading[Capacity]] | None = None
        self.tolerated: dict[str, str] = {}
        """By `deployment/name` or `service/name`: what the cluster itself makes of what we apply."""

    @property
    def caches(self) -> tuple[WatchCache[Any], ...]:
        """All of them."""
        return (self._deployments, self._services, self._pods, self._nodes, self._strangers, self._quotas)

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

    def reconsider(self, workload: WorkloadId) -> None:
        """Reckon this workload again at the next look: what is tolerated of it has changed."""
        self._known.pop(workload, None)
        self._workloads = None

    def _look_at_workloads(self) -> Reading[Workloads]:
        reading = both(both(self._deployments.read(), self._services.read()), self._pods.read())
        if isinstance(reading, Unseen):
            return reading
        (deployments, services), pods = reading.view
        seen = (deployments, services, pods)
        if self._workloads is None or not _same(self._workloads[0], seen):
            pieces = gather(deployments.values(), services.values(), pods.values())
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
            both(self._nodes.read(), self._quotas.read()), both(self._pods.read(), self._strangers.read())
        )
        if isinstance(reading, Unseen):
            return reading
        (nodes, quotas), (pods, strangers) = reading.view
        seen = (nodes, quotas, pods, strangers)
        if self._capacity is None or not _same(self._capacity[0], seen):
            quota = next(iter(quotas.values()), None)
            made = capacity_of(nodes.values(), pods.values(), strangers.values(), quota)
            self._capacity = (seen, Seen(made))
        return self._capacity[1]


def _same(old: tuple[Any, ...], new: tuple[Any, ...]) -> bool:
    """Whether they are the very same objects."""
    return all(one is other for one, other in zip(old, new, strict=True))
