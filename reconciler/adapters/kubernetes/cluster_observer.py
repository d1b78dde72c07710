"""Observes a cluster: its informers, and the workloads and capacity that their caches show together."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from reconciler.adapters.kubernetes import naming
from reconciler.adapters.kubernetes.client import ApiClient
from reconciler.adapters.kubernetes.gpus import NodeGpu
from reconciler.adapters.kubernetes.informer import Informer
from reconciler.adapters.kubernetes.ingress import KIND_OF
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.adapters.kubernetes.metrics import METRICS_PATH, MetricsPoller, use_by_workload
from reconciler.adapters.kubernetes.namespaces import Namespaces
from reconciler.adapters.kubernetes.naming import API_PATHS, PLURALS, object_path
from reconciler.adapters.kubernetes.objects import PartialObject
from reconciler.adapters.kubernetes.policies import base_spec, ranges_in_internet
from reconciler.adapters.kubernetes.views import (
    ClaimView,
    ControllerView,
    ForeignPodView,
    NodeView,
    ObjectMeta,
    PartView,
    PodView,
    base_drift,
    claim_view,
    controller_view,
    foreign_pod_view,
    node_view,
    part_view,
    pod_view,
    quota_view,
    storage_class_view,
)
from reconciler.adapters.kubernetes.volumes import expired_workload, kept_volumes, offered_volumes
from reconciler.adapters.kubernetes.workload_view import (
    Expected,
    WorkloadObjects,
    capacity_of,
    group_by_workload,
    observed_workload_of,
)
from reconciler.documents.typed_json import decode_json
from reconciler.ports import Wake
from reconciler.values.clusters import KubernetesSettings
from reconciler.values.ids import WorkloadId
from reconciler.values.inspection import ServiceUse
from reconciler.values.machines import Capacity
from reconciler.values.observed import AdapterView, ObservedWorkload
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.volumes import KeptVolumes

FIRST_LOOK_SECONDS = 10.0
CONTROLLERS = ("deployment", "statefulset")
SHARED_PARTS = ("service", "networkpolicy")
LEASE_PARTS = ("limitrange", "resourcequota", "namespace")
"""Kinds of objects beside controllers: of every workload, and of those with a namespace of their own."""

NOT_FINISHED = "status.phase!=Succeeded,status.phase!=Failed"
Workloads = Mapping[WorkloadId, ObservedWorkload]
Derived = TypeVar("Derived")
Owned = TypeVar("Owned", ControllerView, PartView, PodView, ClaimView)


@dataclass(frozen=True, slots=True)
class ClusterTarget:
    """Where workloads run: credentials from the host file, settings from the repository. Leases of another
    `provider` than our address are not ours ("": all are). `meters_use`: the metrics API is read.
    """

    kubeconfig: Kubeconfig
    settings: KubernetesSettings
    provider: str = ""
    stale_seconds: float = 30.0
    meters_use: bool = False


class ClusterObserver:
    """Answers from memory and recomputes only what changed; for one reading thread."""

    def __init__(self, client: ApiClient, target: ClusterTarget) -> None:
        self._client = client
        self._provider = target.provider
        self._settings = target.settings
        self._namespaces = Namespaces.of_settings(target.settings)
        self._controllers = {
            kind: self._watch(PLURALS[kind], naming.OURS, partial(controller_view, kind=kind))
            for kind in CONTROLLERS
        }
        self._claims = self._watch("persistentvolumeclaims", naming.OURS, claim_view)
        classes = object_path("storageclasses", "", "")
        self._storage_classes = tuple(
            Informer(client, classes, {}, storage_class_view) for _ in target.settings.storage_classes[:1]
        )
        self._pods = self._watch("pods", naming.OURS, pod_view)
        self._parts = {
            kind: self._watch(PLURALS[kind], naming.MANAGED, partial(part_view, kind=kind))
            for kind in (
                *SHARED_PARTS,
                *((KIND_OF[target.settings.ingress.controller],) if target.settings.ingress else ()),
                *(LEASE_PARTS if self._namespaces.is_per_lease else ()),
            )
        }
        if "namespace" not in self._parts:  # leases with their own, before a change of isolation
            self._parts["namespace"] = Informer(
                client,
                f"{API_PATHS['namespaces']}/namespaces",
                {"labelSelector": naming.OURS},
                partial(part_view, kind="namespace"),
            )
            self._parts["namespace"].is_optional = True
        self._limits = self._parts.get("limitrange") or self._watch(
            "limitranges", naming.MANAGED, partial(part_view, kind="limitrange")
        )
        self._nodes = Informer(
            client, "/api/v1/nodes", {}, partial(node_view, gpu_labels=target.settings.gpu_labels)
        )
        self._other_pods = tuple(self._watch_other_pods())
        quota = {"fieldSelector": f"metadata.name={naming.QUOTA_NAME}"}
        path = f"/api/v1/namespaces/{target.settings.namespace}/resourcequotas"
        self._quotas = Informer(client, path, quota, quota_view)
        metrics_path = self._namespaces.path(METRICS_PATH, "pods")
        self._metrics = MetricsPoller(client, metrics_path) if target.meters_use else None
        self._use: tuple[Any, Any, Mapping[WorkloadId, tuple[ServiceUse, ...]]] | None = None
        self._known: dict[WorkloadId, tuple[WorkloadObjects, ObservedWorkload | None]] = {}
        self._invalidated: deque[WorkloadId] = deque()
        self._workloads: tuple[tuple[Any, ...], Reading[Workloads]] | None = None
        self._capacity: tuple[tuple[Any, ...], Reading[Capacity]] | None = None
        self._service_ranges: tuple[str, ...] = ()
        self._kept: tuple[KeptVolumes, ...] = ()
        self._expired: tuple[KeptVolumes, ...] = ()
        self._nodes_seen: tuple[NodeView, ...] = ()
        self._has_seen_nodes = False
        self._base = base_spec(self.denied_ranges())
        self.server_drift: dict[tuple[str, str], str] = {}
        """By namespace and part (`deployment/name`): the drift that the cluster itself causes on an apply."""

    def _watch(self, plural: str, selector: str, view: Callable[[bytes], Any]) -> Informer[Any]:
        path = self._namespaces.path(API_PATHS[plural], plural)
        return Informer(self._client, path, {"labelSelector": selector}, view)

    def _watch_other_pods(self) -> Iterator[Informer[Any]]:
        """Pods of no workload beside ours, and all pods in other namespaces: another provider's too."""
        space = self._settings.namespace
        selections = [
            ("/api/v1/pods", {"fieldSelector": f"metadata.namespace!={space},{NOT_FINISHED}"}),
            (f"/api/v1/namespaces/{space}/pods", {"labelSelector": naming.FOREIGN_PODS}),
        ]
        if self._namespaces.is_per_lease:
            labels = (naming.FOREIGN_PODS, naming.LOOKALIKE_PODS)
            selections = [("/api/v1/pods", {"labelSelector": each}) for each in labels]
        for path, query in selections:
            yield Informer(self._client, path, {"fieldSelector": NOT_FINISHED} | query, foreign_pod_view)

    @property
    def informers(self) -> tuple[Informer[Any], ...]:
        """All of them."""
        limits = () if self._limits in self._parts.values() else (self._limits,)
        applied = (*self._controllers.values(), *self._parts.values(), *limits, self._quotas)
        return (*applied, self._pods, self._nodes, self._claims, *self._storage_classes, *self._other_pods)

    def start(self, wake: Wake, stale_seconds: float) -> None:
        """Begin to watch; an informer that is broken for longer than that is Unseen."""
        for informer in self.informers:
            informer.wake, informer.stale_seconds = wake, stale_seconds
            informer.start()
        if self._metrics is not None:
            self._metrics.start()

    def close(self) -> None:
        """End the watches."""
        for informer in self.informers:
            informer.close()
        if self._metrics is not None:
            self._metrics.close()

    def observe(self) -> AdapterView:
        """The first look waits up to 10 seconds until every informer has synced or failed."""
        deadline = time.monotonic() + FIRST_LOOK_SECONDS
        for informer in self.informers:
            informer.wait_for_sync(max(deadline - time.monotonic(), 0))
        workloads, capacity, use = self._look_at_workloads(), self._look_at_capacity(), self._look_at_use()
        return AdapterView(workloads, capacity, use=use, kept_volumes=self._kept)

    def pods(self) -> Reading[Mapping[str, PodView]]:
        """Our pods."""
        return self._pods.read()

    def record_write(self, kind: str, raw: bytes) -> None:
        """Store the response to our own write, so that a lagging watch causes no second write."""
        name = kind.lower()
        own: dict[str, Informer[Any]] = {**self._controllers, "limitrange": self._limits}
        if (informer := own.get(name) or self._parts.get(name)) is not None:
            informer.record_write(raw)
        if name == "resourcequota" and decode_json(raw, PartialObject).metadata.name == naming.QUOTA_NAME:
            self._quotas.record_write(raw)

    def denied_ranges(self) -> tuple[str, ...]:
        """Public ranges that tenants must not reach: those of the adapter's file, of nodes and their pods,
        and of Services.
        """
        ranges = {each for node in self._last_nodes() for each in node.ranges}
        return (*self._settings.egress_denied, *sorted(ranges.union(self._service_ranges)))

    def learn_service_ranges(self, ranges: Iterable[str]) -> None:
        """Deny these from the next look on, so far as they are public."""
        self._service_ranges = ranges_in_internet(ranges)

    def has_seen_nodes(self) -> bool:
        """Whether the nodes have been seen since the start, on which the protection of pods depends; waits up
        to 10 seconds for the first answer.
        """
        self._nodes.wait_for_sync(FIRST_LOOK_SECONDS)
        self._last_nodes()
        return self._has_seen_nodes

    def user_namespaces(self) -> frozenset[str]:
        """The runtime handlers that have them on every open node (if none is open: on every node)."""
        nodes = self._last_nodes()
        considered = [each for each in nodes if each.allocatable is not None] or nodes
        handlers = [each.user_namespaces for each in considered]
        return frozenset.intersection(*handlers) if handlers else frozenset()

    def gpus(self) -> tuple[NodeGpu, ...]:
        """Those of the nodes."""
        return tuple(each.gpu for each in self._last_nodes() if each.gpu is not None)

    def _last_nodes(self) -> tuple[NodeView, ...]:
        """The nodes last seen: what tenants may reach is not widened while they are unseen."""
        nodes = self._nodes.read()
        if isinstance(nodes, Seen):
            self._nodes_seen, self._has_seen_nodes = tuple(nodes.view.values()), True
        return self._nodes_seen

    def shows_namespace(self, workload: WorkloadId) -> bool:
        """Whether a workload was last seen to have a namespace of its own."""
        found = self._parts["namespace"].read()
        return isinstance(found, Seen) and f"/{workload}" in found.view

    def invalidate(self, workload: WorkloadId) -> None:
        """Recompute this workload at the next look: its server drift has changed. From any thread."""
        self._invalidated.append(workload)

    def _look_at_workloads(self) -> Reading[Workloads]:
        base = base_spec(self.denied_ranges())
        if base != self._base:
            self._base, self._workloads, self._capacity = base, None, None
            self._known.clear()
        while self._invalidated:
            self._known.pop(self._invalidated.popleft(), None)
            self._workloads = None
        if any(each.until <= time.time() and each not in self._expired for each in self._kept):
            self._workloads = None
        sources: tuple[Informer[Any], ...] = (self._pods, self._claims, *self._controllers.values())
        sources += tuple(self._parts.values())
        self._workloads = _derive(sources, self._workloads, self._derive_workloads)
        return self._workloads[1]

    def _derive_workloads(
        self, pods: Mapping[str, Any], claims: Mapping[str, Any], *applied: Mapping[str, Any]
    ) -> Reading[Workloads]:
        controllers, parts = applied[: len(CONTROLLERS)], applied[len(CONTROLLERS) :]
        groups = group_by_workload(
            (each for kind in controllers for each in self._ours(kind.values())),
            (part for kind in parts for part in self._ours(kind.values())),
            self._ours(pods.values()),
        )
        expected = Expected(self._namespaces, self._base, self.server_drift, self._settings.public_host)
        known: dict[WorkloadId, tuple[WorkloadObjects, ObservedWorkload | None]] = {}
        for workload, group in sorted(groups.items()):
            old = self._known.get(workload)
            if old is None or not old[0].same(group):
                old = (group, observed_workload_of(workload, group, expected))
            known[workload] = old
        self._known = known
        ours = {
            workload: running
            for workload, (_, running) in known.items()
            if running is not None and (not self._provider or running.lease.provider == self._provider)
        }
        kept = [*kept_volumes(self._ours(claims.values()), groups, self._settings.volume_grace_seconds)]
        kept = [each for each in kept if self._provider in ("", each.lease.provider)]
        self._kept = tuple(kept)
        self._expired = tuple(each for each in kept if each.until <= time.time())
        for each in kept:
            ours.pop(each.workload, None)
        ours |= {each.workload: expired_workload(each) for each in self._expired}
        return Seen(ours)

    def _ours(self, views: Iterable[Owned]) -> Iterator[Owned]:
        """Those in this adapter's namespaces: another provider's objects may have the same labels."""
        for view in views:
            namespace = view.meta.namespace
            if not namespace or self._namespaces.may_hold(namespace, view.meta.workload):
                yield view

    def _look_at_capacity(self) -> Reading[Capacity]:
        framed = (self._parts["networkpolicy"], self._limits)
        sources: tuple[Informer[Any], ...] = (
            *(self._nodes, self._quotas, *framed, self._pods, self._claims),
            *self._storage_classes,
            *self._other_pods,
        )
        self._capacity = _derive(sources, self._capacity, self._derive_capacity)
        return self._capacity[1]

    def _derive_capacity(self, *caches: Mapping[str, Any]) -> Reading[Capacity]:
        """Without a correct base policy and default limits no quota counts as set, so that the namespace is
        prepared again.
        """
        nodes, quotas, policies, limits, pods, claims, *others = caches
        count = len(self._storage_classes)
        classes, other_pods = [name for each in others[:count] for name in each.values()], others[count:]
        quota = next(iter(quotas.values()), None) if self._is_prepared(policies, limits) else None
        ours = [pod for pod in pods.values() if self._is_ours(pod.meta)]
        foreign = [pod for found in other_pods for pod in found.values()]
        foreign += [
            ForeignPodView(pod.node, pod.requests)
            for pod in (pods.values() if len(ours) < len(pods) else ())
            if not pod.finished and not self._is_ours(pod.meta)
        ]
        volumes = offered_volumes(self._settings.storage_classes, classes, self._ours(claims.values()))
        return capacity_of(nodes.values(), ours, foreign, quota, volumes)

    def _look_at_use(self) -> Reading[Mapping[WorkloadId, tuple[ServiceUse, ...]]] | None:
        if self._metrics is None:
            return None
        pods, measured = self._pods.read(), self._metrics.read()
        if isinstance(measured, Unseen):
            return measured
        if isinstance(pods, Unseen):
            return pods
        if self._use is None or self._use[0] is not pods.view or self._use[1] is not measured.view:
            self._use = pods.view, measured.view, use_by_workload(pods.view, measured.view)
        return Seen(self._use[2])

    def _is_ours(self, meta: ObjectMeta) -> bool:
        """Whether an object is in one of this adapter's namespaces, and of no other provider's lease."""
        if not self._namespaces.may_hold(meta.namespace, meta.workload):
            return False
        return not self._provider or meta.lease is None or meta.lease.provider == self._provider

    def _is_prepared(self, policies: Mapping[str, PartView], limits: Mapping[str, PartView]) -> bool:
        space = self._settings.namespace
        policy = policies.get(f"{space}/{naming.POLICY_NAME}")
        defaults = limits.get(f"{space}/{naming.LIMITS_NAME}")
        is_defaulted = defaults is not None and not defaults.drift
        return policy is not None and is_defaulted and not base_drift(self._base, policy)


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
