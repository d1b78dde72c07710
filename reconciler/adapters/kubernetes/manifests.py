"""The objects of a workload's services; pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.adapters.kubernetes import ingress, naming, services
from reconciler.adapters.kubernetes.namespaces import (
    frame_parts,
    lease_quota_manifest,
    limits_manifest,
    namespace_manifest,
)
from reconciler.adapters.kubernetes.objects import Metadata
from reconciler.adapters.kubernetes.pods import Rendering, pod_spec
from reconciler.adapters.kubernetes.policies import base_policy, service_policies
from reconciler.adapters.kubernetes.quantities import bytes_quantity
from reconciler.values.clusters import LeaseIsolation
from reconciler.values.desired import Service, Workload
from reconciler.values.specification import Rollout, RolloutStrategy, ServiceVolume

Manifest = dict[str, Any]
REVISIONS_KEPT = 2
CLAIM_TEMPLATES = "volumeClaimTemplates"


def frame_manifests(rendering: Rendering, denied: Iterable[str]) -> list[Manifest]:
    """The namespace of the workload, if it has its own, and the objects in it that no service needs; `denied`
    are ranges without access.
    """
    if not _has_namespace(rendering):
        return []
    workload, namespace = rendering.workload, rendering.namespace
    labels = naming.workload_labels(workload.id)
    made = [
        namespace_manifest(namespace, rendering.settings.pod_security, labels),
        base_policy(namespace, denied, labels),
        limits_manifest(namespace, labels),
        lease_quota_manifest(rendering),
    ]
    return _with_digests(rendering, made)


def service_manifests(rendering: Rendering) -> list[Manifest]:
    """The Services of all its services."""
    return _with_digests(rendering, services.service_manifests(rendering))


def http_manifests(rendering: Rendering) -> list[Manifest]:
    """What leads HTTP under host names to its services."""
    return _with_digests(rendering, ingress.http_manifests(rendering))


def policy_manifests(rendering: Rendering) -> list[Manifest]:
    """A NetworkPolicy for each service."""
    made = service_policies(rendering.namespace, rendering.workload, rendering.settings.ingress)
    return _with_digests(rendering, made)


def controller_manifests(rendering: Rendering, addresses: Mapping[str, str]) -> list[Manifest]:
    """A Deployment for each service, a StatefulSet where a volume persists; `addresses` (service name ->
    cluster IP) become host aliases, so that services find each other by the names in the manifest, which
    tenants may share.
    """
    aliases = [{"ip": address, "hostnames": [name]} for name, address in sorted(addresses.items())]
    made = (_controller(rendering, service, aliases) for service in rendering.workload.services)
    return _with_digests(rendering, made)


def parts_of(rendering: Rendering) -> tuple[str, ...]:
    """The objects of a workload, such as `deployment/name`; sorted."""
    workload = rendering.workload
    parts = list(frame_parts(workload)) if _has_namespace(rendering) else []
    for service in workload.services:
        name = naming.object_name(workload.id, service.name)
        parts += [_controller_part(rendering, service), f"networkpolicy/{name}"]
        parts += services.service_parts(rendering, service)
    parts += [
        f"{each['kind'].lower()}/{each['metadata']['name']}" for each in ingress.http_manifests(rendering)
    ]
    return tuple(sorted(parts))


def secrets_of(workload: Workload) -> Mapping[str, frozenset[str]]:
    """By name: the keys of each Secret that the workload refers to; the host file grants them."""
    found: dict[str, set[str]] = {}
    for service in workload.services:
        for env in service.env:
            if env.secret is not None:
                name, _, key = env.secret.partition("/")
                found.setdefault(name, set()).add(key)
    return {name: frozenset(keys) for name, keys in sorted(found.items())}


def secret_manifest(rendering: Rendering, name: str, data: Mapping[str, str]) -> Manifest:
    """A copy of a Secret in the workload's namespace; `data` is base64."""
    meta = {
        "name": name,
        "namespace": rendering.namespace,
        "labels": naming.workload_labels(rendering.workload.id),
    }
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": dict(data)}


def claim_mark(claim: Metadata, released_at: int) -> Manifest:
    """An apply that marks a claim as released then; 0 takes the mark away."""
    meta: Manifest = {"name": claim.name, "namespace": claim.namespace, "labels": claim.labels or {}}
    meta |= {"annotations": {naming.RELEASED: str(released_at)}} if released_at else {}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta}


def _has_namespace(rendering: Rendering) -> bool:
    return rendering.settings.isolation is LeaseIsolation.NAMESPACE


def _with_digests(rendering: Rendering, made: Iterable[Manifest]) -> list[Manifest]:
    parts = ",".join(parts_of(rendering))
    return [_with_digest(rendering, each, parts) for each in made]


def _with_digest(rendering: Rendering, manifest: Manifest, parts: str) -> Manifest:
    """Adds the lease, the digest, all parts of the workload, and the spec as applied without what can never
    change (of a namespace, the labels, which say what it enforces), with the annotations that a controller
    reads.
    """
    own = manifest["metadata"].get("annotations", {})
    spec = {name: value for name, value in manifest.get("spec", {}).items() if name != CLAIM_TEMPLATES}
    applied = spec or {"labels": manifest["metadata"]["labels"]}
    if own:
        applied = {"annotations": own, "spec": applied}
    annotations = own | {
        naming.LEASE: str(rendering.workload.lease),
        naming.DIGEST: rendering.digest,
        naming.PARTS: parts,
        naming.APPLIED: json.dumps(applied, sort_keys=True, separators=(",", ":")),
    }
    return manifest | {"metadata": manifest["metadata"] | {"annotations": annotations}}


def _metadata(rendering: Rendering, service: Service) -> Manifest:
    workload = rendering.workload.id
    return {
        "name": naming.object_name(workload, service.name),
        "namespace": rendering.namespace,
        "labels": naming.labels(workload, service.name),
    }


def _controller(rendering: Rendering, service: Service, aliases: Sequence[Manifest]) -> Manifest:
    workload = rendering.workload
    pod = pod_spec(rendering, service, aliases)
    spec_hash = hashlib.sha256(json.dumps(pod, sort_keys=True).encode()).hexdigest()[:10]
    template_meta = {
        "labels": naming.labels(workload.id, service.name) | {naming.SPEC: spec_hash},
        "annotations": {naming.LEASE: str(workload.lease)},
    }
    spec = {
        "replicas": 0 if workload.paused else service.count,
        "revisionHistoryLimit": REVISIONS_KEPT,
        "selector": {"matchLabels": naming.selector(workload.id, service.name)},
        "template": {"metadata": template_meta, "spec": pod},
    }
    meta = _metadata(rendering, service)
    meta["labels"][naming.SPEC] = spec_hash
    if not service.persistent_volumes:
        spec |= {"strategy": _strategy(service.rollout)}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}
    meta["name"] = naming.stateful_name(workload.id, service.name)
    volumes = sorted(service.persistent_volumes, key=lambda volume: volume.name)  # their order is immutable
    spec |= {
        "serviceName": naming.object_name(workload.id, service.name),
        "podManagementPolicy": "Parallel",
        "updateStrategy": {"type": "RollingUpdate"},
        CLAIM_TEMPLATES: [_claim(rendering, service, volume) for volume in volumes],
    }
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta, "spec": spec}


def _controller_part(rendering: Rendering, service: Service) -> str:
    if service.persistent_volumes:
        return f"statefulset/{naming.stateful_name(rendering.workload.id, service.name)}"
    return f"deployment/{naming.object_name(rendering.workload.id, service.name)}"


def _claim(rendering: Rendering, service: Service, volume: ServiceVolume) -> Manifest:
    """The template of the claims for a volume, one for each pod. They outlive the StatefulSet."""
    classes = {each.storage_class: each.name for each in rendering.settings.storage_classes}
    claimed = rendering.claimed_classes.get((service.name, volume.name))
    workload = rendering.workload
    return {
        "metadata": {
            "name": volume.name,
            "labels": naming.labels(workload.id, service.name),
            "annotations": {naming.LEASE: str(workload.lease), naming.STORAGE_CLASS: volume.storage_class},
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": claimed or classes.get(volume.storage_class, volume.storage_class),
            "resources": {"requests": {"storage": bytes_quantity(volume.size_bytes)}},
        },
    }


def _strategy(rollout: Rollout) -> Manifest:
    """Without surplus pods: the lease does not pay for them."""
    if rollout.strategy is RolloutStrategy.RECREATE:
        return {"type": "Recreate"}
    return {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 0, "maxUnavailable": rollout.max_unavailable},
    }
