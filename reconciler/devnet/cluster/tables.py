"""Tables for kubectl: the columns of each kind, and an object's cells."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from reconciler.devnet.cluster.kinds import Object, ObjectKind

Cell = Callable[[Object], object]


def table(kind: ObjectKind, objects: list[Object], now: float, *, whole: bool = False) -> Object:
    """A Table of objects, each whole or as metadata."""
    columns = [
        *_COLUMNS[kind.name],
        ("Age", 0, lambda found: age(found["metadata"]["creationTimestamp"], now)),
    ]
    if kind.name == "Event":
        columns = [("Last Seen", 0, lambda found: age(found.get("lastTimestamp"), now)), *_COLUMNS[kind.name]]
    columns.sort(key=lambda column: column[1] > 0)
    rows = [
        {"cells": [cell(found) for _, _, cell in columns], "object": found if whole else bare(found)}
        for found in objects
    ]
    head = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {}}
    return head | {"columnDefinitions": [_definition(*column[:2]) for column in columns], "rows": rows}


def _definition(name: str, priority: int) -> Object:
    form = "name" if name == "Name" else ""
    return {"name": name, "type": "string", "format": form, "description": name, "priority": priority}


def bare(found: Object) -> Object:
    """An object's metadata only."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": found["metadata"]}


def age(since: str | None, now: float) -> str:
    """A duration in kubectl's form, such as 12s, 3m5s, 4h or 2d."""
    if not since:
        return "<unknown>"
    seconds = max(int(now - datetime.fromisoformat(since).timestamp()), 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    return f"{hours}h" if days < 2 else f"{days}d"


def _status(found: Object, name: str, default: object = 0) -> object:
    return found.get("status", {}).get(name, default)


def _containers(found: Object) -> list[Object]:
    listed: list[Object] = found.get("status", {}).get("containerStatuses", [])
    return listed


def _pod_ready(pod: Object) -> str:
    return f"{sum(each['ready'] for each in _containers(pod))}/{len(pod['spec']['containers'])}"


def pod_status(pod: Object) -> str:
    """The STATUS column: the phase, or why a container is not running."""
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for each in _containers(pod):
        for state in ("waiting", "terminated"):
            if reason := each["state"].get(state, {}).get("reason"):
                return str(reason)
    return str(_status(pod, "phase", "Unknown"))


def _restarts(pod: Object) -> str:
    return str(sum(each["restartCount"] for each in _containers(pod)))


def _node_status(node: Object) -> str:
    conditions = node.get("status", {}).get("conditions", ())
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ("Ready" if ready else "NotReady") + (
        ",SchedulingDisabled" if node["spec"].get("unschedulable") else ""
    )


def _ports(found: Object) -> str:
    return (
        ",".join(f"{each['port']}/{each['protocol']}" for each in found["spec"].get("ports", ())) or "<none>"
    )


def _pairs(labels: dict[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items())) or "<none>"


def _quota(side: str) -> Cell:
    def cell(found: Object) -> str:
        status = found.get("status", {})
        hard, used = status.get("hard", {}), status.get("used", {})
        names = [name for name in sorted(hard) if name.startswith("limits.") == (side == "limits")]
        return ", ".join(f"{name}: {used.get(name, 0)}/{hard[name]}" for name in names)

    return cell


def _addresses(found: Object) -> str:
    """The addresses of a load balancer or an ingress controller."""
    listed = found.get("status", {}).get("loadBalancer", {}).get("ingress", ())
    return ",".join(each.get("ip") or each["hostname"] for each in listed) or "<none>"


def _images(found: Object) -> str:
    return ",".join(each["image"] for each in found["spec"]["template"]["spec"]["containers"])


def _names(found: Object) -> str:
    return ",".join(each["name"] for each in found["spec"]["template"]["spec"]["containers"])


def _involved(found: Object) -> str:
    return f"{found['involvedObject']['kind'].lower()}/{found['involvedObject']['name']}"


_NAME: tuple[str, int, Cell] = ("Name", 0, lambda found: found["metadata"]["name"])
_SELECTOR: tuple[str, int, Cell] = (
    "Selector",
    1,
    lambda found: _pairs(found["spec"]["selector"].get("matchLabels", {})),
)
_COLUMNS: dict[str, list[tuple[str, int, Cell]]] = {
    "Namespace": [_NAME, ("Status", 0, lambda found: _status(found, "phase"))],
    "Node": [
        _NAME,
        ("Status", 0, _node_status),
        ("Roles", 0, lambda found: "<none>"),
        ("Version", 0, lambda found: found.get("status", {}).get("nodeInfo", {}).get("kubeletVersion", "")),
    ],
    "Pod": [
        _NAME,
        ("Ready", 0, _pod_ready),
        ("Status", 0, pod_status),
        ("Restarts", 0, _restarts),
        ("IP", 1, lambda found: _status(found, "podIP", "<none>")),
        ("Node", 1, lambda found: found["spec"].get("nodeName", "<none>")),
        ("Nominated Node", 1, lambda found: "<none>"),
        ("Readiness Gates", 1, lambda found: "<none>"),
    ],
    "Service": [
        _NAME,
        ("Type", 0, lambda found: found["spec"]["type"]),
        ("Cluster-IP", 0, lambda found: found["spec"].get("clusterIP", "<none>")),
        ("External-IP", 0, _addresses),
        ("Port(s)", 0, _ports),
        ("Selector", 1, lambda found: _pairs(found["spec"].get("selector", {}))),
    ],
    "Ingress": [
        _NAME,
        ("Class", 0, lambda found: found["spec"].get("ingressClassName", "<none>")),
        (
            "Hosts",
            0,
            lambda found: ",".join(rule.get("host", "*") for rule in found["spec"].get("rules", ())),
        ),
        ("Address", 0, _addresses),
    ],
    "IngressClass": [_NAME, ("Controller", 0, lambda found: found["spec"].get("controller", ""))],
    "Gateway": [_NAME, ("Class", 0, lambda found: found["spec"].get("gatewayClassName", ""))],
    "HTTPRoute": [_NAME, ("Hostnames", 0, lambda found: ",".join(found["spec"].get("hostnames", ())))],
    "LimitRange": [_NAME],
    "ServiceCIDR": [_NAME, ("CIDRs", 0, lambda found: ",".join(found["spec"].get("cidrs", ())))],
    "NetworkPolicy": [
        _NAME,
        ("Pod-Selector", 0, lambda found: _pairs(found["spec"]["podSelector"].get("matchLabels", {}))),
    ],
    "ResourceQuota": [_NAME, ("Request", 0, _quota("requests")), ("Limit", 0, _quota("limits"))],
    "Event": [
        ("Type", 0, lambda found: found["type"]),
        ("Reason", 0, lambda found: found["reason"]),
        ("Object", 0, _involved),
        ("Source", 1, lambda found: found["source"]["component"]),
        ("Message", 0, lambda found: found["message"]),
        ("Count", 1, lambda found: str(found["count"])),
        ("Name", 1, lambda found: found["metadata"]["name"]),
    ],
    "Secret": [
        _NAME,
        ("Type", 0, lambda found: found["type"]),
        ("Data", 0, lambda found: str(len(found.get("data", {})))),
    ],
    "ConfigMap": [_NAME, ("Data", 0, lambda found: str(len(found.get("data", {}))))],
    "Deployment": [
        _NAME,
        ("Ready", 0, lambda found: f"{_status(found, 'readyReplicas')}/{found['spec']['replicas']}"),
        ("Up-to-date", 0, lambda found: str(_status(found, "updatedReplicas"))),
        ("Available", 0, lambda found: str(_status(found, "availableReplicas"))),
        ("Containers", 1, _names),
        ("Images", 1, _images),
        _SELECTOR,
    ],
    "StatefulSet": [
        _NAME,
        ("Ready", 0, lambda found: f"{_status(found, 'readyReplicas')}/{found['spec']['replicas']}"),
        ("Containers", 1, _names),
        ("Images", 1, _images),
    ],
    "PersistentVolumeClaim": [
        _NAME,
        ("Status", 0, lambda found: _status(found, "phase", "Pending")),
        ("Volume", 0, lambda found: found["spec"].get("volumeName", "")),
        ("Capacity", 0, lambda found: found.get("status", {}).get("capacity", {}).get("storage", "")),
        ("StorageClass", 0, lambda found: found["spec"].get("storageClassName", "")),
    ],
    "StorageClass": [_NAME, ("Provisioner", 0, lambda found: found.get("provisioner", ""))],
    "ReplicaSet": [
        _NAME,
        ("Desired", 0, lambda found: str(found["spec"]["replicas"])),
        ("Current", 0, lambda found: str(_status(found, "replicas"))),
        ("Ready", 0, lambda found: str(_status(found, "readyReplicas"))),
        ("Containers", 1, _names),
        ("Images", 1, _images),
        _SELECTOR,
    ],
}
