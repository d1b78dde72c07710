"""The Kubernetes adapter: what runs is read from caches, what shall run is applied as our own manager."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from reconciler.adapters.kubernetes import naming, objects
from reconciler.adapters.kubernetes.client import Client
from reconciler.adapters.kubernetes.connection import Kubeconfig
from reconciler.adapters.kubernetes.inspecting import Inspection
from reconciler.adapters.kubernetes.logs import Logs
from reconciler.adapters.kubernetes.manifests import (
    Manifest,
    deployment_manifests,
    namespace_manifest,
    quota_manifest,
    service_manifests,
)
from reconciler.adapters.kubernetes.refusals import ApiError, outcome_of
from reconciler.adapters.kubernetes.sight import Sight
from reconciler.adapters.kubernetes.views import PodView, marks_of, projection_of
from reconciler.ports import Wake
from reconciler.values.desired import Workload
from reconciler.values.ids import WorkloadId
from reconciler.values.inspection import Happenings, WorkloadUse
from reconciler.values.observed import AdapterView
from reconciler.values.outcomes import Done, Outcome, Refused
from reconciler.values.readings import Unseen
from reconciler.values.resources import Resources

METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


@dataclass(frozen=True, slots=True)
class Place:
    """Where workloads run: the credentials from the host file, the namespace from the repository. `provider`
    is our address: what another daemon runs there for leases of its own is not ours ("": all is).
    """

    kubeconfig: Kubeconfig
    namespace: str = "provider-workloads"
    stale_seconds: float = 30.0
    provider: str = ""


class KubernetesAdapter:
    """Implements `ports.Adapter`. `start` it before the first look, `close` it at the end."""

    def __init__(self, place: Place, wake: Wake) -> None:
        self._client = Client(place.kubeconfig)
        self._place = place
        self._namespace = place.namespace
        self._wake = wake
        self._sight = Sight(self._client, place.namespace, place.provider)
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
        """Namespace and quota; a namespace that an administrator made for us will do."""
        try:
            try:
                self._apply(f"/api/v1/namespaces/{self._namespace}", namespace_manifest(self._namespace))
            except ApiError as why:
                if why.status != 403:
                    raise
                self._client.get(f"/api/v1/namespaces/{self._namespace}", {})
            path = f"/api/v1/namespaces/{self._namespace}/resourcequotas/{naming.QUOTA_NAME}"
            self._apply(path, quota_manifest(self._namespace, quota))
        except ApiError as why:
            return outcome_of(why)
        return Done(f"quota {quota.show()}")

    def apply(self, workload: Workload, digest: str) -> Outcome:
        """Services first (their addresses are known to the containers), then Deployments, then what is left
        over of an earlier specification goes.
        """
        addresses: dict[str, str] = {}
        try:
            for manifest in service_manifests(self._namespace, workload, digest):
                found = msgspec.json.decode(self._apply_part("services", manifest), type=objects.Service)
                if found.spec.cluster_ip not in ("", "None"):
                    addresses[marks_of(found.metadata).service] = found.spec.cluster_ip
            manifests = deployment_manifests(self._namespace, workload, digest, addresses)
            for manifest in manifests:
                self._apply_part("deployments", manifest)
            kept = {naming.object_name(workload.id, service.name) for service in workload.services}
            exposed = {naming.object_name(workload.id, s.name) for s in workload.services if s.ports}
            self._delete_others(workload.id, kept, exposed)
            self._sight.reconsider(workload.id)
        except TakenError as why:
            return Refused("NameTaken", str(why), "remove or rename that object; it is not ours")
        except ApiError as why:
            return outcome_of(why)
        return Done()

    def remove(self, workload: WorkloadId) -> Outcome:
        """Delete what carries our labels and this id; done again, there is nothing left to do."""
        try:
            self._delete_others(workload, set(), set())
        except ApiError as why:
            return outcome_of(why)
        return Done("removal asked for")

    def logs(self, workload: WorkloadId, tail_lines: int) -> Iterator[bytes]:
        """The last lines of each of its containers."""
        return self._logs.tail(workload, self._pods_of(workload), tail_lines)

    def use(self, workload: WorkloadId) -> WorkloadUse:
        """As `ports.Inspector`: the metrics API where there is one, else what its pods request."""
        return self._inspection.use(workload, self._pods_of(workload))

    def happenings(self, workload: WorkloadId) -> Happenings:
        """As `ports.Inspector`: the cluster's events of its objects."""
        return self._inspection.happenings(workload)

    def _pods_of(self, workload: WorkloadId) -> list[PodView]:
        pods = self._sight.pods()
        if isinstance(pods, Unseen):
            raise OSError(pods.why)
        return [p for p in pods.view.values() if p.marks.workload == workload]

    def _apply_part(self, plural: str, manifest: Manifest) -> bytes:
        """Apply a Service or Deployment, and note what the cluster itself makes otherwise of it."""
        name = manifest["metadata"]["name"]
        raw = self._apply(self._path(plural, name), manifest)
        part = f"{plural.removesuffix('s')}/{name}"
        metadata = msgspec.json.decode(raw, type=objects.Bare).metadata
        self._sight.tolerated[part] = projection_of(raw, metadata)
        return raw

    def _apply(self, path: str, manifest: Manifest) -> bytes:
        """Apply; by force only where the object that is there carries our label."""
        try:
            return self._client.apply(path, manifest, force=False)
        except ApiError as why:
            if why.status != 409:
                raise
        live = msgspec.json.decode(self._client.get(path, {}), type=objects.Bare).metadata
        if (live.labels or {}).get(naming.MANAGED_BY) != naming.MANAGER:
            raise TakenError(f"{path} is there and is not ours")
        return self._client.apply(path, manifest, force=True)

    def _delete_others(self, workload: WorkloadId, deployments: set[str], services: set[str]) -> None:
        """Delete every object of the workload but those named."""
        for name, metadata in self._labelled("deployments", workload):
            if name not in deployments:
                self._delete("deployments", metadata)
                self._sight.tolerated.pop(f"deployment/{name}", None)
        for name, metadata in self._labelled("services", workload):
            if name not in services:
                self._delete("services", metadata)
                self._sight.tolerated.pop(f"service/{name}", None)
        for plural in ("replicasets", "pods") if not deployments else ():
            for _, metadata in self._labelled(plural, workload):
                if not metadata.owner_references:
                    self._delete(plural, metadata)

    def _labelled(self, plural: str, workload: WorkloadId) -> Iterator[tuple[str, objects.Metadata]]:
        raw = self._client.get(
            self._path(plural, ""), {"labelSelector": naming.ours(workload)}, METADATA_ONLY
        )
        for item in msgspec.json.decode(raw, type=objects.Listing).items or ():
            metadata = msgspec.json.decode(item, type=objects.Bare).metadata
            if metadata.deletion_timestamp is None:
                yield metadata.name, metadata

    def _delete(self, plural: str, metadata: objects.Metadata) -> None:
        try:
            self._client.delete(self._path(plural, metadata.name), metadata.uid)
        except ApiError as why:
            if why.status not in (404, 409):
                raise

    def _path(self, plural: str, name: str) -> str:
        group = "/apis/apps/v1" if plural in ("deployments", "replicasets") else "/api/v1"
        return f"{group}/namespaces/{self._namespace}/{plural}" + (f"/{name}" if name else "")


class TakenError(Exception):
    """An object of that name is there and is not ours."""
