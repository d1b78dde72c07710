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
from reconciler.adapters.kubernetes.pods import Rendering, pod_spec
from reconciler.adapters.kubernetes.policies import base_policy, service_policies
from reconciler.values.clusters import LeaseIsolation
from reconciler.values.desired import Service, Workload
from reconciler.values.specification import Rollout, RolloutStrategy

Manifest = dict[str, Any]
REVISIONS_KEPT = 2


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
    return [_with_digest(rendering, each) for each in made]


def service_manifests(rendering: Rendering) -> list[Manifest]:
    """The Services of all its services."""
    return [_with_digest(rendering, each) for each in services.service_manifests(rendering)]


def http_manifests(rendering: Rendering) -> list[Manifest]:
    """What leads HTTP under host names to its services."""
    return [_with_digest(rendering, each) for each in ingress.http_manifests(rendering)]


def policy_manifests(rendering: Rendering) -> list[Manifest]:
    """A NetworkPolicy for each service."""
    made = service_policies(rendering.namespace, rendering.workload, rendering.settings.ingress)
    return [_with_digest(rendering, each) for each in made]


def deployment_manifests(rendering: Rendering, addresses: Mapping[str, str]) -> list[Manifest]:
    """A Deployment for each service; `addresses` (service name -> cluster IP) become host aliases, so that
    services find each other by the names in the manifest, which tenants may share.
    """
    aliases = [{"ip": address, "hostnames": [name]} for name, address in sorted(addresses.items())]
    return [
        _with_digest(rendering, _deployment(rendering, service, aliases))
        for service in rendering.workload.services
    ]


def parts_of(rendering: Rendering) -> tuple[str, ...]:
    """The objects of a workload, such as `deployment/name`; sorted."""
    workload = rendering.workload
    parts = list(frame_parts(workload)) if _has_namespace(rendering) else []
    for service in workload.services:
        name = naming.object_name(workload.id, service.name)
        parts += [f"deployment/{name}", f"networkpolicy/{name}"]
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


def _has_namespace(rendering: Rendering) -> bool:
    return rendering.settings.isolation is LeaseIsolation.NAMESPACE


def _with_digest(rendering: Rendering, manifest: Manifest) -> Manifest:
    """Adds the lease, the digest, all parts of the workload, and the spec as applied (of a namespace, the
    labels, which say what it enforces), with the annotations that a controller reads.
    """
    own = manifest["metadata"].get("annotations", {})
    applied = manifest.get("spec") or {"labels": manifest["metadata"]["labels"]}
    if own:
        applied = {"annotations": own, "spec": applied}
    annotations = own | {
        naming.LEASE: str(rendering.workload.lease),
        naming.DIGEST: rendering.digest,
        naming.PARTS: ",".join(parts_of(rendering)),
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


def _strategy(rollout: Rollout) -> Manifest:
    """Without surplus pods: the lease does not pay for them."""
    if rollout.strategy is RolloutStrategy.RECREATE:
        return {"type": "Recreate"}
    return {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 0, "maxUnavailable": rollout.max_unavailable},
    }


def _deployment(rendering: Rendering, service: Service, aliases: Sequence[Manifest]) -> Manifest:
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
        "strategy": _strategy(service.rollout),
        "template": {"metadata": template_meta, "spec": pod},
    }
    meta = _metadata(rendering, service)
    meta["labels"][naming.SPEC] = spec_hash
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}
