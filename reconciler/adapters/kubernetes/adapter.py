"""The Kubernetes adapter: observations come from informers, changes are server-side applies."""

from __future__ import annotations

from collections.abc import Iterator, Set

from reconciler.adapters.kubernetes import naming, objects
from reconciler.adapters.kubernetes.api_errors import ApiError, outcome_of
from reconciler.adapters.kubernetes.client import METADATA_ONLY, ApiClient
from reconciler.adapters.kubernetes.cluster_observer import ClusterObserver, ClusterTarget
from reconciler.adapters.kubernetes.cluster_queries import ClusterQueries
from reconciler.adapters.kubernetes.manifests import (
    Manifest,
    deployment_manifests,
    namespace_manifest,
    parts_of,
    policy_manifests,
    quota_manifest,
    service_manifests,
)
from reconciler.adapters.kubernetes.policies import base_policy
from reconciler.adapters.kubernetes.views import PodView, drift_from_applied, object_meta
from reconciler.documents.typed_json import decode_json
from reconciler.ports import Wake
from reconciler.values.desired import Workload
from reconciler.values.ids import WorkloadId
from reconciler.values.inspection import WorkloadEvents, WorkloadUse
from reconciler.values.observed import AdapterView
from reconciler.values.outcomes import Done, Outcome, Refused
from reconciler.values.readings import Unseen
from reconciler.values.resources import Resources

PLURALS = {"deployment": "deployments", "service": "services", "networkpolicy": "networkpolicies"}
"""The kinds of a workload's objects, with their plurals, in the order of removal."""

GROUPS = {
    "deployments": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
}


class KubernetesAdapter:
    """Implements `ports.Adapter` and `ports.Inspector`. `start` it before the first look, `close` it at the
    end.
    """

    def __init__(self, target: ClusterTarget, wake: Wake) -> None:
        self._client = ApiClient(target.kubeconfig)
        self._target = target
        self._namespace = target.namespace
        self._wake = wake
        self._observer = ClusterObserver(self._client, target)
        self._queries = ClusterQueries(self._client, target.namespace)

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
        """Apply namespace, base policy and quota; without permission to apply the namespace it must exist."""
        path = f"/api/v1/namespaces/{self._namespace}"
        try:
            try:
                self._apply(path, namespace_manifest(self._namespace))
            except ApiError as error:
                if error.status != 403:
                    raise
                self._client.get(path, {})
            policy = base_policy(self._namespace, self._target.egress_denied)
            self._apply(self._path("networkpolicies", naming.POLICY_NAME), policy)
            limits = quota_manifest(self._namespace, quota)
            self._apply(self._path("resourcequotas", naming.QUOTA_NAME), limits)
        except ApiError as error:
            return outcome_of(error)
        return Done(f"quota {quota.describe()}")

    def apply(self, workload: Workload, digest: str) -> Outcome:
        """Apply policies, then Services, whose addresses the containers need, then Deployments; then delete
        objects of an earlier specification.
        """
        addresses: dict[str, str] = {}
        try:
            for manifest in policy_manifests(self._namespace, workload, digest):
                self._apply_part(manifest)
            for manifest in service_manifests(self._namespace, workload, digest):
                found = decode_json(self._apply_part(manifest), objects.ServiceObject)
                is_internal = manifest["spec"]["type"] == "ClusterIP"
                if is_internal and found.spec.cluster_ip not in ("", "None"):
                    addresses[object_meta(found.metadata).service] = found.spec.cluster_ip
            for manifest in deployment_manifests(self._namespace, workload, digest, addresses):
                self._apply_part(manifest)
            self._prune(workload.id, frozenset(parts_of(workload)))
            self._observer.invalidate(workload.id)
        except NameTakenError as error:
            return Refused("NameTaken", str(error), "remove or rename that object; it is not ours")
        except ApiError as error:
            return outcome_of(error)
        return Done()

    def remove(self, workload: WorkloadId) -> Outcome:
        """Delete all objects with our labels and this id; idempotent."""
        try:
            self._prune(workload, frozenset())
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

    def _apply_part(self, manifest: Manifest) -> bytes:
        """Apply an object of a workload, and record how the cluster itself changes it."""
        kind, name = manifest["kind"].lower(), manifest["metadata"]["name"]
        raw = self._apply(self._path(PLURALS[kind], name), manifest)
        metadata = decode_json(raw, objects.PartialObject).metadata
        self._observer.server_drift[f"{kind}/{name}"] = drift_from_applied(raw, metadata)
        return raw

    def _apply(self, path: str, manifest: Manifest) -> bytes:
        """Apply, by force only if the existing object has our label; the object is observed at once."""
        try:
            raw = self._client.apply(path, manifest, force=False)
        except ApiError as error:
            if error.status != 409:
                raise
            live = decode_json(self._client.get(path, {}), objects.PartialObject).metadata
            if (live.labels or {}).get(naming.MANAGED_BY) != naming.MANAGER:
                raise NameTakenError(f"{path} exists and is not ours") from error
            raw = self._client.apply(path, manifest, force=True)
        self._observer.record_write(manifest["kind"], raw)
        return raw

    def _prune(self, workload: WorkloadId, kept: Set[str]) -> None:
        """Delete every object of the workload but the kept parts."""
        for kind, plural in PLURALS.items():
            for metadata in self._labelled(plural, workload):
                if (part := f"{kind}/{metadata.name}") not in kept:
                    self._delete(plural, metadata)
                    self._observer.server_drift.pop(part, None)
        for plural in ("replicasets", "pods") if not kept else ():
            for metadata in self._labelled(plural, workload):
                if not metadata.owner_references:
                    self._delete(plural, metadata)

    def _labelled(self, plural: str, workload: WorkloadId) -> Iterator[objects.Metadata]:
        selector = {"labelSelector": naming.workload_selector(workload)}
        raw = self._client.get(self._path(plural, ""), selector, METADATA_ONLY)
        for item in decode_json(raw, objects.ObjectList).items or ():
            metadata = decode_json(item, objects.PartialObject).metadata
            if metadata.deletion_timestamp is None:
                yield metadata

    def _delete(self, plural: str, metadata: objects.Metadata) -> None:
        try:
            self._client.delete(self._path(plural, metadata.name), metadata.uid)
        except ApiError as error:
            if error.status not in (404, 409):
                raise

    def _path(self, plural: str, name: str) -> str:
        group = GROUPS.get(plural, "/api/v1")
        return f"{group}/namespaces/{self._namespace}/{plural}" + (f"/{name}" if name else "")


class NameTakenError(Exception):
    """An object of that name exists and is not ours."""
