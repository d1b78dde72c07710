"""The Kubernetes adapter: observations come from informers, changes are server-side applies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Set
from dataclasses import replace

from reconciler.adapters.kubernetes import naming, objects
from reconciler.adapters.kubernetes.api_errors import ApiError, NameTakenError, outcome_of
from reconciler.adapters.kubernetes.client import METADATA_ONLY, ApiClient
from reconciler.adapters.kubernetes.cluster_observer import ClusterObserver, ClusterTarget
from reconciler.adapters.kubernetes.cluster_queries import ClusterQueries, overheads, service_ranges
from reconciler.adapters.kubernetes.gpus import missing_gpu
from reconciler.adapters.kubernetes.ingress import KIND_OF
from reconciler.adapters.kubernetes.manifests import (
    Manifest,
    claim_mark,
    controller_manifests,
    frame_manifests,
    http_manifests,
    parts_of,
    policy_manifests,
    secret_manifest,
    secrets_of,
    service_manifests,
)
from reconciler.adapters.kubernetes.namespaces import (
    ENFORCE,
    KEPT_IN_NAMESPACE,
    Namespaces,
    enforced_level,
    limits_manifest,
    namespace_manifest,
    quota_manifest,
)
from reconciler.adapters.kubernetes.naming import API_PATHS, PLURALS, object_path
from reconciler.adapters.kubernetes.pods import Rendering
from reconciler.adapters.kubernetes.policies import base_policy
from reconciler.adapters.kubernetes.pull_secrets import owners_of, pull_secrets
from reconciler.adapters.kubernetes.views import (
    PodView,
    controller_view,
    drift_from_applied,
    object_meta,
    released_seconds,
)
from reconciler.documents.typed_json import decode_json
from reconciler.ports import Wake
from reconciler.values.clusters import PodSecurity
from reconciler.values.desired import Workload
from reconciler.values.ids import WorkloadId
from reconciler.values.inspection import WorkloadEvents, WorkloadUse
from reconciler.values.observed import AdapterView
from reconciler.values.outcomes import Done, Failed, Outcome, Refused
from reconciler.values.readings import Unseen
from reconciler.values.resources import Resources

REMOVED = ("deployment", "statefulset", "service", "networkpolicy")
"""The kinds of a workload's objects in a namespace for all, in the order of removal."""

NODES_UNSEEN = "check that the daemon may list and watch nodes: provider-daemon doctor"


class KubernetesAdapter:
    """Implements `ports.Adapter` and `ports.Inspector`. `start` it before the first look, `close` it at the
    end.
    """

    def __init__(self, target: ClusterTarget, wake: Wake) -> None:
        self._client = ApiClient(target.kubeconfig)
        self._target = target
        self._settings = target.settings
        self._namespaces = Namespaces.of_settings(target.settings)
        self._wake = wake
        self._observer = ClusterObserver(self._client, target)
        self._queries = ClusterQueries(self._client, self._namespaces)
        self._former: tuple[str, ...] | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._observer.start(self._wake, self._target.stale_seconds)

    def close(self) -> None:
        """End the watches and the connections."""
        self._observer.close()
        self._client.close()

    def observe(self) -> AdapterView:
        """From memory; the first look waits until the cluster has answered or failed."""
        return self._observer.observe()

    def prepare(self, quota: Resources) -> Outcome:
        """Apply the namespace for all workloads, its base policy, default limits and quota. Without
        permission to apply the namespace, it must exist, and enforce the Pod Security Standard.
        """
        namespace = self._namespaces.shared
        try:
            if weakness := self._prepare_namespace(namespace):
                return weakness
            self._observer.learn_service_ranges(service_ranges(self._client))
            for manifest in (
                base_policy(namespace, self._observer.denied_ranges()),
                limits_manifest(namespace, {}),
                quota_manifest(namespace, quota),
            ):
                self._apply(manifest)
        except ApiError as error:
            return outcome_of(error)
        return Done(f"quota {quota.describe()}")

    def apply(self, workload: Workload, digest: str) -> Outcome:
        """Apply the workload's namespace, if it has its own, then policies, then Services, whose addresses
        the containers need, then Deployments; then delete objects of an earlier specification.
        """
        if not self._observer.has_seen_nodes():
            return Failed("NodesUnseen", "the cluster's nodes have not been seen yet", NODES_UNSEEN)
        rendering = Rendering(
            self._namespaces.home(workload.id),
            workload,
            digest,
            self._settings,
            self._observer.user_namespaces(),
            self._observer.gpus(),
        )
        refusal: Outcome | None = _gpu_refusal(rendering)
        if refusal:
            return refusal
        try:
            if refusal := self._claims_refusal(workload):
                return refusal
            if self._namespaces.is_per_lease:
                rendering = replace(rendering, overheads=tuple(overheads(self._client, self._settings)))
            self._apply_frame(rendering)
            self._apply_services(rendering)
            self._prune(workload.id, rendering.namespace, frozenset(parts_of(rendering)))
            self._remove_misplaced(workload.id)
            self._observer.invalidate(workload.id)
        except NameTakenError as error:
            return Refused("NameTaken", str(error), "remove or rename that object; it is not ours")
        except ApiError as error:
            return outcome_of(error)
        return Done()

    def remove(self, workload: WorkloadId) -> Outcome:
        """Delete all objects with our labels and this id, and its namespace, if it has one; idempotent.
        Claims are deleted by a removal after their grace, and their namespace with them.
        """
        try:
            self._release_claims(workload, self._namespaces.shared, deletes=False)  # found if this stops here
            self._prune(workload, self._namespaces.shared, frozenset())
            self._release_claims(workload, self._namespaces.shared)
            self._remove_namespace(workload, self._release_claims)
        except ApiError as error:
            return outcome_of(error)
        return Done("removal requested")

    def logs(self, workload: WorkloadId, tail_lines: int) -> Iterator[bytes]:
        """The last lines of each of its containers."""
        return self._queries.logs(workload, self._pods_of(workload), tail_lines)

    def use(self, workload: WorkloadId) -> WorkloadUse:
        """From the metrics API if there is one, else what its pods request."""
        return self._queries.use(workload, self._pods_of(workload))

    def events(self, workload: WorkloadId) -> WorkloadEvents:
        """The cluster's events of its objects."""
        return self._queries.events(workload)

    def _pods_of(self, workload: WorkloadId) -> list[PodView]:
        pods = self._observer.pods()
        if isinstance(pods, Unseen):
            raise OSError(pods.why)
        return [pod for pod in pods.view.values() if pod.meta.workload == workload]

    def _prepare_namespace(self, namespace: str) -> Outcome | None:
        """Why the namespace for all workloads cannot be used; None if it can."""
        level = self._settings.pod_security
        try:
            self._apply(namespace_manifest(namespace, level, {}))
            return None
        except NameTakenError:
            pass  # an administrator's label is another one; it stays, if it enforces enough
        except ApiError as error:
            if error.status != 403:
                raise
        live = self._metadata(object_path("namespaces", "", namespace))
        if enforced_level(live.labels or {}) in (level, PodSecurity.RESTRICTED):
            return None
        return Failed(
            "PodSecurityMissing",
            f"namespace {namespace} does not enforce the Pod Security Standard {level}",
            f"label it: kubectl label namespace {namespace} {ENFORCE}={level}",
        )

    def _apply_frame(self, rendering: Rendering) -> None:
        """The workload's own namespace and what no service needs, with copies of Secrets that it may read."""
        for manifest in frame_manifests(rendering, self._observer.denied_ranges()):
            if manifest["kind"] == "Namespace":
                self._refuse_foreign(object_path("namespaces", "", rendering.namespace))
            self._apply_part(rendering, manifest)
        if self._namespaces.is_per_lease:
            for name, keys in secrets_of(rendering.workload).items():
                path = object_path("secrets", self._namespaces.shared, name)
                data = decode_json(self._client.get(path, {}), objects.SecretObject).data or {}
                held = {key: value for key, value in data.items() if key in keys}
                self._apply(secret_manifest(rendering, name, held))

    def _has_claims(self, workload: WorkloadId, namespace: str) -> bool:
        return any(self._labelled("persistentvolumeclaims", namespace, workload))

    def _claims_refusal(self, workload: Workload) -> Outcome | None:
        """A refusal to start volumes empty, as claims that an adapter with another isolation made exist."""
        space = self._namespaces.shared if self._namespaces.is_per_lease else workload.id
        is_stateful = any(service.persistent_volumes for service in workload.services)
        may_exist = self._namespaces.is_per_lease or self._observer.shows_namespace(workload.id)
        if not (is_stateful and may_exist and self._has_claims(workload.id, space)):
            return None
        why = f"its persistent volumes are in namespace {space}, but isolation was changed"
        return Refused("VolumesDiffer", why, "restore isolation, or delete the claims there by hand")

    def _release_claims(self, workload: WorkloadId, namespace: str, *, deletes: bool = True) -> bool:
        """Mark the claims of a workload as released now, and delete those whose grace is over; whether any
        are left.
        """
        now, left = int(time.time()), False
        for claim in self._labelled("persistentvolumeclaims", namespace, workload):
            released_at = released_seconds(claim)
            if not released_at:
                self._apply(claim_mark(claim, now))
            if deletes and (released_at or now) + self._settings.volume_grace_seconds <= now:
                self._delete("persistentvolumeclaims", claim)
            else:
                left = True
        return left

    def _retain_claims(self, rendering: Rendering) -> Rendering:
        """Volumes of a workload that was removed before are in use again; with the classes of those that
        exist.
        """
        classes: dict[tuple[str, str], str] = {}
        workload, space = rendering.workload.id, rendering.namespace
        stateful = [each for each in rendering.workload.services if each.persistent_volumes]
        for claim in self._labelled("persistentvolumeclaims", space, workload) if stateful else ():
            if released_seconds(claim):
                self._apply(claim_mark(claim, 0))
        for service in stateful:
            name = naming.stateful_name(workload, service.name)
            try:
                raw = self._client.get(object_path("statefulsets", space, name), {})
            except ApiError as error:
                if error.status != 404:
                    raise
                continue
            found = controller_view(raw, "statefulset").claimed_classes
            classes |= {(service.name, volume): each for volume, each in found}
        return replace(rendering, claimed_classes=classes)

    def _apply_services(self, rendering: Rendering) -> None:
        rendering = self._retain_claims(rendering)
        addresses: dict[str, str] = {}
        for manifest in policy_manifests(rendering):
            self._apply_part(rendering, manifest)
        for manifest in service_manifests(rendering):
            found = decode_json(self._apply_part(rendering, manifest), objects.ServiceObject)
            is_internal = manifest["spec"]["type"] == "ClusterIP"
            if is_internal and found.spec.cluster_ip not in ("", "None"):
                addresses[object_meta(found.metadata).service] = found.spec.cluster_ip
        for manifest in pull_secrets(rendering):  # before the pods that need them
            self._apply(manifest)
        controllers = controller_manifests(rendering, addresses)
        applied = [self._apply_part(rendering, each) for each in controllers]
        for manifest in pull_secrets(rendering, owners_of(controllers, applied)):
            self._apply(manifest)
        for manifest in http_manifests(rendering):
            self._apply_part(rendering, manifest)

    def _apply_part(self, rendering: Rendering, manifest: Manifest) -> bytes:
        """Apply an object of a workload, and record how the cluster itself changes it."""
        part = f"{manifest['kind'].lower()}/{manifest['metadata']['name']}"
        raw = self._apply(manifest)
        metadata = decode_json(raw, objects.PartialObject).metadata
        self._observer.server_drift[rendering.namespace, part] = drift_from_applied(raw, metadata)
        return raw

    def _apply(self, manifest: Manifest) -> bytes:
        """Apply, by force only if the existing object has our label; the object is observed at once."""
        meta = manifest["metadata"]
        path = object_path(f"{PLURALS[manifest['kind'].lower()]}", meta.get("namespace", ""), meta["name"])
        try:
            raw = self._client.apply(path, manifest, force=False)
        except ApiError as error:
            if error.status != 409:
                raise
            self._refuse_foreign(path)
            raw = self._client.apply(path, manifest, force=True)
        self._observer.record_write(manifest["kind"], raw)
        return raw

    def _refuse_foreign(self, path: str) -> None:
        """NameTakenError if an object exists there that is not ours."""
        try:
            live = self._metadata(path)
        except ApiError as error:
            if error.status != 404:
                raise
            return
        if (live.labels or {}).get(naming.MANAGED_BY) != naming.MANAGER:
            raise NameTakenError(f"{path} exists and is not ours")

    def _metadata(self, path: str) -> objects.Metadata:
        return decode_json(self._client.get(path, {}), objects.PartialObject).metadata

    def _remove_misplaced(self, workload: WorkloadId) -> None:
        """What an adapter with another isolation left but claims, whose lease is active."""
        if self._namespaces.is_per_lease:
            self._prune(workload, self._namespaces.shared, frozenset())
        else:
            self._remove_namespace(workload, self._has_claims)

    def _remove_namespace(self, workload: WorkloadId, keeps: Callable[[WorkloadId, str], bool]) -> None:
        """The workload's own namespace, if it exists and is ours, or all that is in it but volumes that are
        kept; without permission to read it, there never was one.
        """
        try:
            live = self._metadata(object_path("namespaces", "", workload))
        except ApiError as error:
            if error.status not in (403, 404) or self._observer.shows_namespace(workload):
                raise
            return
        is_ours = naming.workload_labels(workload).items() <= (live.labels or {}).items()
        if not is_ours or live.deletion_timestamp is not None:
            return
        if keeps(workload, workload):
            self._prune(workload, workload, KEPT_IN_NAMESPACE)
        else:
            self._delete("namespaces", live)

    def _prune(self, workload: WorkloadId, namespace: str, kept: Set[str]) -> None:
        """Delete every object of the workload in a namespace but the kept parts."""
        for kind in self._removed_kinds():
            for metadata in self._labelled(PLURALS[kind], namespace, workload):
                if (part := f"{kind}/{metadata.name}") not in kept:
                    self._delete(PLURALS[kind], metadata)
                    self._observer.server_drift.pop((namespace, part), None)
        for plural in ("replicasets", "pods") if not kept else ():
            for metadata in self._labelled(plural, namespace, workload):
                if not metadata.owner_references:
                    self._delete(plural, metadata)

    def _removed_kinds(self) -> tuple[str, ...]:
        """The kinds of objects to delete: those that earlier settings made only where there still are any."""
        if self._former is None:
            ingress = self._settings.ingress
            in_use = KIND_OF[ingress.controller] if ingress else ""
            self._former = tuple(
                kind for kind in KIND_OF.values() if kind == in_use or self._has_former(PLURALS[kind])
            )
        return (*REMOVED, *self._former)

    def _has_former(self, plural: str) -> bool:
        """Whether our objects of this kind exist; without its API or permission, there are none."""
        query = {"labelSelector": naming.OURS, "limit": "1"}
        try:
            raw = self._client.get(self._namespaces.path(API_PATHS[plural], plural), query, METADATA_ONLY)
        except ApiError as error:
            if error.status not in (403, 404):
                raise
            return False
        return bool(decode_json(raw, objects.ObjectList).items)

    def _labelled(self, plural: str, namespace: str, workload: WorkloadId) -> Iterator[objects.Metadata]:
        selector = {"labelSelector": naming.workload_selector(workload)}
        raw = self._client.get(object_path(plural, namespace, ""), selector, METADATA_ONLY)
        for item in decode_json(raw, objects.ObjectList).items or ():
            metadata = decode_json(item, objects.PartialObject).metadata
            if metadata.deletion_timestamp is None:
                yield metadata

    def _delete(self, plural: str, metadata: objects.Metadata) -> None:
        try:
            self._client.delete(object_path(plural, metadata.namespace, metadata.name), metadata.uid)
        except ApiError as error:
            if error.status not in (404, 409):
                raise


def _gpu_refusal(rendering: Rendering) -> Failed | None:
    """A failure if a service needs GPUs of models that no node names."""
    for service in rendering.workload.services:
        if models := missing_gpu(service, rendering.gpus):
            return Failed(
                "GpuModelMissing",
                f"service {service.name} needs a GPU {models}, which no node's labels name",
                "run the vendor's feature discovery, or name the nodes in gpu_labels of the adapter's file",
            )
    return None
