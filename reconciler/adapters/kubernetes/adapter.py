"""The Kubernetes adapter: what runs is read from caches, what shall run is applied as our own manager."""

from __future__ import annotations

from collections.abc import Iterator, Set

from reconciler.adapters.kubernetes import naming, objects
from reconciler.adapters.kubernetes.client import ApiClient
from reconciler.adapters.kubernetes.cluster_observer import ClusterObserver, ClusterTarget
from reconciler.adapters.kubernetes.inspection import Inspection
from reconciler.adapters.kubernetes.logs import Logs
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
from reconciler.adapters.kubernetes.refusals import ApiError, outcome_of
from reconciler.adapters.kubernetes.views import PodView, marks_of, projection_of
from reconciler.documents.typed_json import decode_json
from reconciler.ports import Wake
from reconciler.values.desired import Workload
from reconciler.values.ids import WorkloadId
from reconciler.values.inspection import WorkloadEvents, WorkloadUse
from reconciler.values.observed import AdapterView
from reconciler.values.outcomes import Done, Outcome, Refused
from reconciler.values.readings import Unseen
from reconciler.values.resources import Resources

PARTS = {"deployment": "deployments", "service": "services", "networkpolicy": "networkpolicies"}
"""What a workload consists of, in the order in which it is removed."""

GROUPS = {
    "deployments": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
}
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class KubernetesAdapter:
    """Implements `ports.Adapter`. `start` it before the first look, `close` it at the end."""

    def __init__(self, place: ClusterTarget, wake: Wake) -> None:
        self._client = ApiClient(place.kubeconfig)
        self._place = place
        self._namespace = place.namespace
        self._wake = wake
        self._sight = ClusterObserver(self._client, place)
        self._logs = Logs(self._client, place.namespace)
        self._inspection = Inspection(self._client, place.namespace)

    def start(self) -> None:
        """Begin to watch."""
        self._sight.start(self._wake, self._place.stale_seconds)

    def close(self) -> None:
        """End the watches and the connections."""
        self._sight.close()
        self._client.close()

    def look(self) -> AdapterView:
        """From memory; the first look waits until the cluster has answered, or has failed to."""
        return self._sight.look()

    def prepare(self, quota: Resources) -> Outcome:
        """Namespace, base policy and quota; a namespace that an administrator made for us will do."""
        try:
            try:
                self._apply(f"/api/v1/namespaces/{self._namespace}", namespace_manifest(self._namespace))
            except ApiError as why:
                if why.status != 403:
                    raise
                self._client.get(f"/api/v1/namespaces/{self._namespace}", {})
            policy = base_policy(self._namespace, self._place.egress_denied)
            self._apply(self._path("networkpolicies", naming.POLICY_NAME), policy)
            limits = quota_manifest(self._namespace, quota)
            self._apply(self._path("resourcequotas", naming.QUOTA_NAME), limits)
        except ApiError as why:
            return outcome_of(why)
        return Done(f"quota {quota.show()}")

    def apply(self, workload: Workload, digest: str) -> Outcome:
        """Policies and Services first (containers know the Services' addresses), then Deployments, then what
        is left over of an earlier specification goes.
        """
        addresses: dict[str, str] = {}
        try:
            for manifest in policy_manifests(self._namespace, workload, digest):
                self._apply_part(manifest)
            for manifest in service_manifests(self._namespace, workload, digest):
                found = decode_json(self._apply_part(manifest), objects.ServiceObject)
                inner = manifest["spec"]["type"] == "ClusterIP"
                if inner and found.spec.cluster_ip not in ("", "None"):
                    addresses[marks_of(found.metadata).service] = found.spec.cluster_ip
            for manifest in deployment_manifests(self._namespace, workload, digest, addresses):
                self._apply_part(manifest)
            self._delete_others(workload.id, frozenset(parts_of(workload)))
            self._sight.reconsider(workload.id)
        except TakenError as why:
            return Refused("NameTaken", str(why), "remove or rename that object; it is not ours")
        except ApiError as why:
            return outcome_of(why)
        return Done()

    def remove(self, workload: WorkloadId) -> Outcome:
        """Delete what carries our labels and this id; done again, there is nothing left to do."""
        try:
            self._delete_others(workload, frozenset())
        except ApiError as why:
            return outcome_of(why)
        return Done("removal asked for")

    def logs(self, workload: WorkloadId, tail_lines: int) -> Iterator[bytes]:
        """The last lines of each of its containers."""
        return self._logs.tail(workload, self._pods_of(workload), tail_lines)

    def use(self, workload: WorkloadId) -> WorkloadUse:
        """As `ports.Inspector`: the metrics API where there is one, else what its pods request."""
        return self._inspection.use(workload, self._pods_of(workload))

    def happenings(self, workload: WorkloadId) -> WorkloadEvents:
        """As `ports.Inspector`: the cluster's events of its objects."""
        return self._inspection.happenings(workload)

    def _pods_of(self, workload: WorkloadId) -> list[PodView]:
        pods = self._sight.pods()
        if isinstance(pods, Unseen):
            raise OSError(pods.why)
        return [p for p in pods.view.values() if p.marks.workload == workload]

    def _apply_part(self, manifest: Manifest) -> bytes:
        """Apply an object of a workload, and note what the cluster itself makes otherwise of it."""
        kind, name = manifest["kind"].lower(), manifest["metadata"]["name"]
        raw = self._apply(self._path(PARTS[kind], name), manifest)
        part = f"{kind}/{name}"
        metadata = decode_json(raw, objects.Bare).metadata
        self._sight.tolerated[part] = projection_of(raw, metadata)
        return raw

    def _apply(self, path: str, manifest: Manifest) -> bytes:
        """Apply, and see at once what has come of it."""
        raw = self._apply_at(path, manifest)
        self._sight.take_written(manifest["kind"], raw)
        return raw

    def _apply_at(self, path: str, manifest: Manifest) -> bytes:
        """By force only where the object that is there carries our label."""
        try:
            return self._client.apply(path, manifest, force=False)
        except ApiError as why:
            if why.status != 409:
                raise
        live = decode_json(self._client.get(path, {}), objects.Bare).metadata
        if (live.labels or {}).get(naming.MANAGED_BY) != naming.MANAGER:
            raise TakenError(f"{path} is there and is not ours")
        return self._client.apply(path, manifest, force=True)

    def _delete_others(self, workload: WorkloadId, kept: Set[str]) -> None:
        """Delete every object of the workload but the parts named."""
        for kind, plural in PARTS.items():
            for metadata in self._labelled(plural, workload):
                if (part := f"{kind}/{metadata.name}") not in kept:
                    self._delete(plural, metadata)
                    self._sight.tolerated.pop(part, None)
        for plural in ("replicasets", "pods") if not kept else ():
            for metadata in self._labelled(plural, workload):
                if not metadata.owner_references:
                    self._delete(plural, metadata)

    def _labelled(self, plural: str, workload: WorkloadId) -> Iterator[objects.Metadata]:
        raw = self._client.get(
            self._path(plural, ""), {"labelSelector": naming.ours(workload)}, METADATA_ONLY
        )
        for item in decode_json(raw, objects.ObjectList).items or ():
            metadata = decode_json(item, objects.Bare).metadata
            if metadata.deletion_timestamp is None:
                yield metadata

    def _delete(self, plural: str, metadata: objects.Metadata) -> None:
        try:
            self._client.delete(self._path(plural, metadata.name), metadata.uid)
        except ApiError as why:
            if why.status not in (404, 409):
                raise

    def _path(self, plural: str, name: str) -> str:
        group = GROUPS.get(plural, "/api/v1")
        return f"{group}/namespaces/{self._namespace}/{plural}" + (f"/{name}" if name else "")


class TakenError(Exception):
    """An object of that name is there and is not ours."""
