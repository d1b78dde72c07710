"""Values to Kubernetes objects; pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.adapters.kubernetes import naming
from reconciler.adapters.kubernetes.policies import service_policies
from reconciler.adapters.kubernetes.quantities import bytes_quantity, count_quantity, cpu_quantity
from reconciler.values.desired import Env, Port, Service, Workload
from reconciler.values.images import CAPABILITIES
from reconciler.values.resources import Resources

Manifest = dict[str, Any]
GRACE_SECONDS = 30
REVISIONS_KEPT = 2


def namespace_manifest(namespace: str) -> Manifest:
    """Our namespace, which rejects privileged pods."""
    labels = {naming.MANAGED_BY: naming.MANAGER, "pod-security.kubernetes.io/enforce": "baseline"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}


def quota_manifest(namespace: str, quota: Resources) -> Manifest:
    """The quota for all workloads together; requests equal limits."""
    amounts = {
        "cpu": cpu_quantity(quota.cpu_milli),
        "memory": bytes_quantity(quota.memory_bytes),
        "ephemeral-storage": bytes_quantity(quota.storage_bytes),
    }
    hard = {f"{side}.{name}": amount for side in ("requests", "limits") for name, amount in amounts.items()}
    hard[f"requests.{naming.GPU}"] = count_quantity(quota.gpu)
    meta = {"name": naming.QUOTA_NAME, "namespace": namespace, "labels": {naming.MANAGED_BY: naming.MANAGER}}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": hard}}


def service_manifests(namespace: str, workload: Workload, digest: str) -> list[Manifest]:
    """For each service with ports, a ClusterIP Service with all of them for its own lease; for public ports,
    a NodePort Service with these alone.
    """
    made: list[Manifest] = []
    for service in workload.services:
        if service.ports:
            made.append(_service(namespace, workload, service))
        if any(port.public for port in service.ports):
            made.append(_public_service(namespace, workload, service))
    return [_with_digest(workload, digest, each) for each in made]


def policy_manifests(namespace: str, workload: Workload, digest: str) -> list[Manifest]:
    """A NetworkPolicy for each service."""
    return [_with_digest(workload, digest, each) for each in service_policies(namespace, workload)]


def deployment_manifests(
    namespace: str, workload: Workload, digest: str, addresses: Mapping[str, str]
) -> list[Manifest]:
    """A Deployment for each service; `addresses` (service name -> cluster IP) become host aliases, so that
    services find each other by the names in the manifest, which tenants may share.
    """
    aliases = [{"ip": address, "hostnames": [name]} for name, address in sorted(addresses.items())]
    return [
        _with_digest(workload, digest, _deployment(namespace, workload, service, aliases))
        for service in workload.services
    ]


def parts_of(workload: Workload) -> tuple[str, ...]:
    """The objects of a workload, as `deployment/name`, `networkpolicy/name`, `service/name`; sorted."""
    parts: list[str] = []
    for service in workload.services:
        name = naming.object_name(workload.id, service.name)
        parts += [f"deployment/{name}", f"networkpolicy/{name}"]
        parts += [f"service/{name}"] if service.ports else []
        if any(port.public for port in service.ports):
            parts.append(f"service/{naming.public_name(workload.id, service.name)}")
    return tuple(sorted(parts))


def _with_digest(workload: Workload, digest: str, manifest: Manifest) -> Manifest:
    """Adds the lease, the digest, all parts of the workload, and the spec as applied."""
    applied = json.dumps(manifest["spec"], sort_keys=True, separators=(",", ":"))
    annotations = {
        naming.LEASE: str(workload.lease),
        naming.DIGEST: digest,
        naming.PARTS: ",".join(parts_of(workload)),
        naming.APPLIED: applied,
    }
    return manifest | {"metadata": manifest["metadata"] | {"annotations": annotations}}


def _metadata(namespace: str, workload: Workload, service: Service) -> Manifest:
    name = naming.object_name(workload.id, service.name)
    return {"name": name, "namespace": namespace, "labels": naming.labels(workload.id, service.name)}


def _service(namespace: str, workload: Workload, service: Service) -> Manifest:
    spec = {
        "type": "ClusterIP",
        "selector": naming.selector(workload.id, service.name),
        "ports": [_service_port(port) for port in service.ports],
    }
    meta = _metadata(namespace, workload, service)
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def _public_service(namespace: str, workload: Workload, service: Service) -> Manifest:
    made = _service(namespace, workload, service)
    made["metadata"]["name"] = naming.public_name(workload.id, service.name)
    made["spec"] |= {"type": "NodePort", "ports": [_service_port(p) for p in service.ports if p.public]}
    return made


def _service_port(port: Port) -> Manifest:
    exposed = port.exposed_as or port.port
    name = f"{port.protocol.lower()}-{exposed}"
    return {"name": name, "port": exposed, "targetPort": port.port, "protocol": port.protocol}


def _deployment(
    namespace: str, workload: Workload, service: Service, aliases: Sequence[Manifest]
) -> Manifest:
    """Rolls without surplus pods: the lease does not pay for them."""
    pod_spec = _pod_spec(service, aliases)
    spec_hash = hashlib.sha256(json.dumps(pod_spec, sort_keys=True).encode()).hexdigest()[:10]
    template_meta = {
        "labels": naming.labels(workload.id, service.name) | {naming.SPEC: spec_hash},
        "annotations": {naming.LEASE: str(workload.lease)},
    }
    spec = {
        "replicas": 0 if workload.paused else service.count,
        "revisionHistoryLimit": REVISIONS_KEPT,
        "selector": {"matchLabels": naming.selector(workload.id, service.name)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
        "template": {"metadata": template_meta, "spec": pod_spec},
    }
    meta = _metadata(namespace, workload, service)
    meta["labels"][naming.SPEC] = spec_hash
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


def _pod_spec(service: Service, aliases: Sequence[Manifest]) -> Manifest:
    """A tenant's pod: no access to the cluster's API, no names of other tenants, no privilege escalation."""
    spec: Manifest = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container(service)],
    }
    return spec | ({"hostAliases": list(aliases)} if aliases else {})


def _container(service: Service) -> Manifest:
    amounts = _amounts(service.resources)
    container: Manifest = {
        "name": service.name,
        "image": service.image,
        "resources": {"requests": amounts, "limits": amounts},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "privileged": False,
            "capabilities": {"drop": ["ALL"], "add": list(CAPABILITIES)},
        },
    }
    optional: Manifest = {
        "command": list(service.command),
        "args": list(service.args),
        "env": [_env(env) for env in service.env],
        "ports": [{"containerPort": p, "protocol": protocol} for p, protocol in _container_ports(service)],
    }
    return container | {name: value for name, value in optional.items() if value}


def _container_ports(service: Service) -> list[tuple[int, str]]:
    return sorted({(port.port, port.protocol) for port in service.ports})


def _amounts(resources: Resources) -> dict[str, str]:
    amounts = {
        "cpu": cpu_quantity(resources.cpu_milli),
        "memory": bytes_quantity(resources.memory_bytes),
    }
    if resources.storage_bytes:
        amounts["ephemeral-storage"] = bytes_quantity(resources.storage_bytes)
    if resources.gpu:
        amounts[naming.GPU] = count_quantity(resources.gpu)
    return amounts


def _env(env: Env) -> Manifest:
    """A secret is a reference (`name/key`); its value never passes through here."""
    if env.secret is None:
        return {"name": env.name, "value": env.value or ""}
    name, _, key = env.secret.partition("/")
    return {"name": env.name, "valueFrom": {"secretKeyRef": {"name": name, "key": key}}}
