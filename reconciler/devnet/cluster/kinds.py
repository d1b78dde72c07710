"""The kinds of the simulated cluster: those that the adapter and the demo use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ObjectKind:
    """One kind of object, as discovery names it."""

    plural: str
    name: str
    namespaced: bool = True
    group: str = ""
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ("status",)

    @property
    def group_version(self) -> str:
        """Such as `v1` or `apps/v1`."""
        return f"{self.group}/v1" if self.group else "v1"

    @property
    def qualified(self) -> str:
        """The plural with its group, as in messages."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


ALL = ("all",)
KINDS = (
    ObjectKind("namespaces", "Namespace", namespaced=False, short=("ns",)),
    ObjectKind("nodes", "Node", namespaced=False, short=("no",)),
    ObjectKind("pods", "Pod", short=("po",), categories=ALL, subresources=("status", "log")),
    ObjectKind("services", "Service", short=("svc",), categories=ALL),
    ObjectKind("resourcequotas", "ResourceQuota", short=("quota",)),
    ObjectKind("limitranges", "LimitRange", short=("limits",), subresources=()),
    ObjectKind("events", "Event", short=("ev",), subresources=()),
    ObjectKind("secrets", "Secret", subresources=()),
    ObjectKind("configmaps", "ConfigMap", short=("cm",), subresources=()),
    ObjectKind(
        "deployments",
        "Deployment",
        group="apps",
        short=("deploy",),
        categories=ALL,
        subresources=("status", "scale"),
    ),
    ObjectKind(
        "statefulsets",
        "StatefulSet",
        group="apps",
        short=("sts",),
        categories=ALL,
        subresources=("status", "scale"),
    ),
    ObjectKind("persistentvolumeclaims", "PersistentVolumeClaim", short=("pvc",)),
    ObjectKind(
        "storageclasses",
        "StorageClass",
        namespaced=False,
        group="storage.k8s.io",
        short=("sc",),
        subresources=(),
    ),
    ObjectKind(
        "replicasets",
        "ReplicaSet",
        group="apps",
        short=("rs",),
        categories=ALL,
        subresources=("status", "scale"),
    ),
    ObjectKind(
        "networkpolicies", "NetworkPolicy", group="networking.k8s.io", short=("netpol",), subresources=()
    ),
    ObjectKind("ingresses", "Ingress", group="networking.k8s.io", short=("ing",)),
    ObjectKind(
        "ingressclasses", "IngressClass", namespaced=False, group="networking.k8s.io", subresources=()
    ),
    ObjectKind("gateways", "Gateway", group="gateway.networking.k8s.io", short=("gtw",)),
    ObjectKind("httproutes", "HTTPRoute", group="gateway.networking.k8s.io"),
    ObjectKind("servicecidrs", "ServiceCIDR", namespaced=False, group="networking.k8s.io"),
)
GROUPS = tuple(sorted({kind.group for kind in KINDS if kind.group}))
"""The named API groups, each with its one version."""

BY_PLURAL = {kind.plural: kind for kind in KINDS}
BY_NAME = {kind.name: kind for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Target:
    """What a request's path names: a collection, an object or a part of one."""

    kind: ObjectKind
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def parse_path(path: str) -> Target | None:
    """The target of an API path; None for an unknown resource."""
    parts = path.strip("/").split("/")
    if parts[:2] == ["api", "v1"]:
        group, rest = "", parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3 and parts[2] == "v1":
        group, rest = parts[1], parts[3:]
    else:
        return None
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and rest[2] in BY_PLURAL:
        namespace, rest = rest[1], rest[2:]
    kind = BY_PLURAL.get(rest[0]) if rest else None
    if kind is None or kind.group != group or len(rest) > 3 or (namespace and not kind.namespaced):
        return None
    name, subresource = [*rest[1:], "", ""][:2]
    if subresource and subresource not in kind.subresources:
        return None
    return Target(kind, namespace, name, subresource)
