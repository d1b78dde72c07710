"""The simulated API server's defaults, canonical quantities and validation."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.adapters.kubernetes.quantities import canonical
from reconciler.devnet.cluster.kinds import Object, ObjectKind
from reconciler.devnet.cluster.refusals import invalid

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_QUANTITIES = {"requests", "limits", "hard", "capacity", "allocatable"}
_POD: Mapping[str, Any] = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "securityContext": {},
}
_CONTAINER: Mapping[str, Any] = {
    "imagePullPolicy": "IfNotPresent",
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "resources": {},
}
_DEPLOYMENT: Mapping[str, Any] = {
    "replicas": 1,
    "revisionHistoryLimit": 10,
    "progressDeadlineSeconds": 600,
    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
}
_STATEFUL: Mapping[str, Any] = {
    "replicas": 1,
    "revisionHistoryLimit": 10,
    "podManagementPolicy": "OrderedReady",
    "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
    "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
}
_FIXED = ("volumeClaimTemplates", "serviceName", "podManagementPolicy", "selector")
"""Fields of a StatefulSet that cannot change."""
_SERVICE: Mapping[str, Any] = {
    "type": "ClusterIP",
    "sessionAffinity": "None",
    "internalTrafficPolicy": "Cluster",
    "ipFamilies": ["IPv4"],
    "ipFamilyPolicy": "SingleStack",
}


def normalized(value: Any, field: str = "") -> Any:
    """The value with canonical quantities and without nulls."""
    if isinstance(value, dict):
        if field in _QUANTITIES:
            return {name: canonical(str(each)) for name, each in value.items()}
        return {name: normalized(each, name) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [normalized(each) for each in value]
    return value


def defaulted(kind: ObjectKind, found: Object) -> Object:
    """The object with a real server's default fields, as far as anything here reads them."""
    match kind.name:
        case "Deployment":
            return found | {"spec": _with_template(_DEPLOYMENT | found.get("spec", {}))}
        case "StatefulSet":
            return found | {"spec": _with_template(_stateful(found.get("spec", {})))}
        case "PersistentVolumeClaim":
            return found | {"spec": {"volumeMode": "Filesystem"} | found.get("spec", {})}
        case "ReplicaSet":
            return found | {"spec": _with_template({"replicas": 1} | found.get("spec", {}))}
        case "Pod":
            return found | {"spec": _pod_spec(found.get("spec", {}))}
        case "Service":
            return found | {"spec": _service_spec(found.get("spec", {}), found["metadata"]["name"])}
        case "Secret":
            return {"type": "Opaque"} | _secret(found)
        case "Namespace":
            labels = found["metadata"].get("labels", {}) | {
                "kubernetes.io/metadata.name": found["metadata"]["name"]
            }
            finalizers = {"spec": {"finalizers": ["kubernetes"]}}
            return finalizers | found | {"metadata": found["metadata"] | {"labels": labels}}
        case _:
            return found


def _secret(found: Object) -> Object:
    """`stringData` is stored as base64 in `data`."""
    text = {name: b64encode(value.encode()).decode() for name, value in found.get("stringData", {}).items()}
    kept = {name: value for name, value in found.items() if name != "stringData"}
    return kept | ({"data": kept.get("data", {}) | text} if text else {})


def _stateful(spec: Object) -> Object:
    """With claim templates as a server stores them."""
    kind: Object = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Pending"}}
    templates = [
        kind | each | {"spec": {"volumeMode": "Filesystem"} | each["spec"]}
        for each in spec.get("volumeClaimTemplates", ())
    ]
    return dict(_STATEFUL) | spec | ({"volumeClaimTemplates": templates} if templates else {})


def _with_template(spec: Object) -> Object:
    template = spec.get("template", {})
    return spec | {"template": template | {"spec": _pod_spec(template.get("spec", {}))}}


def _pod_spec(spec: Object) -> Object:
    return dict(_POD) | spec | {"containers": [_container(each) for each in spec.get("containers", ())]}


def _container(found: Object) -> Object:
    resources = found.get("resources", {})
    if "limits" in resources:
        resources = resources | {"requests": resources["limits"] | resources.get("requests", {})}
    ports = [{"protocol": "TCP"} | port for port in found.get("ports", ())]
    return dict(_CONTAINER) | found | {"resources": resources} | ({"ports": ports} if ports else {})


def _service_spec(spec: Object, name: str) -> Object:
    ports = [{"protocol": "TCP", "targetPort": port["port"]} | port for port in spec.get("ports", ())]
    digest = hashlib.sha256(name.encode()).digest()
    address = spec.get("clusterIP") or f"10.96.{digest[0]}.{1 + digest[1] % 254}"
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        ports = [
            {"nodePort": 30_000 + (digest[2] << 8 | digest[3]) % 2768 + at} | port
            for at, port in enumerate(ports)
        ]
    else:
        ports = [{name: value for name, value in port.items() if name != "nodePort"} for port in ports]
    addresses = {"clusterIP": address, "clusterIPs": [address]}
    return dict(_SERVICE) | addresses | spec | ({"ports": ports} if ports else {})


def validate(kind: ObjectKind, found: Object, live: Object | None) -> None:
    """Refuse an invalid object with 422."""
    name = found["metadata"]["name"]
    if not _NAME.fullmatch(name) or (
        kind.name == "Service" and not re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name)
    ):
        raise invalid(
            kind,
            name,
            "metadata.name",
            f"Invalid value: {name!r}: must be a lower case RFC 1123 or 1035 name",
        )
    for label, value in found["metadata"].get("labels", {}).items():
        if not _LABEL.fullmatch(str(value)):
            raise invalid(
                kind,
                name,
                "metadata.labels",
                f"Invalid value: {value!r} of {label}: at most 63 letters, digits, -, _ and .",
            )
    if kind.name in ("Deployment", "ReplicaSet", "StatefulSet"):
        _validate_template(kind, found, live)
    if kind.name == "StatefulSet" and live is not None:
        _validate_fixed(kind, found, live)
    if kind.name == "Pod":
        _validate_containers(kind, name, "spec", found["spec"])
        if live and normalized(live["spec"].get("containers")) != found["spec"].get("containers"):
            raise invalid(
                kind, name, "spec", "Forbidden: pod updates may not change fields other than the image"
            )
    if kind.name == "Service":
        _validate_ports(kind, name, found["spec"].get("ports", ()))


def _validate_ports(kind: ObjectKind, name: str, ports: Sequence[Object]) -> None:
    if not ports:
        raise invalid(kind, name, "spec.ports", "Required value")
    for at, port in enumerate(ports):
        if not 0 < port["port"] < 65536:
            why = f"Invalid value: {port['port']}: must be between 1 and 65535, inclusive"
            raise invalid(kind, name, f"spec.ports[{at}].port", why)


def _validate_template(kind: ObjectKind, found: Object, live: Object | None) -> None:
    name, spec = found["metadata"]["name"], found["spec"]
    wanted = spec.get("selector", {}).get("matchLabels", {})
    labels = spec["template"].get("metadata", {}).get("labels", {})
    if not wanted or any(labels.get(key) != value for key, value in wanted.items()):
        raise invalid(
            kind,
            name,
            "spec.template.metadata.labels",
            "Invalid value: `selector` does not match template `labels`",
        )
    if live and live["spec"]["selector"] != spec["selector"]:
        raise invalid(kind, name, "spec.selector", "Invalid value: field is immutable")
    if not isinstance(spec["replicas"], int) or spec["replicas"] < 0:
        raise invalid(kind, name, "spec.replicas", "Invalid value: must be greater than or equal to 0")
    _validate_containers(kind, name, "spec.template.spec", spec["template"]["spec"])


def _validate_fixed(kind: ObjectKind, found: Object, live: Object) -> None:
    if any(found["spec"].get(name) != live["spec"].get(name) for name in _FIXED):
        why = (
            "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', "
            "'template', 'updateStrategy', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' "
            "are forbidden"
        )
        raise invalid(kind, found["metadata"]["name"], "spec", why)


def _validate_containers(kind: ObjectKind, name: str, field: str, spec: Object) -> None:
    if not spec["containers"]:
        raise invalid(kind, name, f"{field}.containers", "Required value")
    for at, container in enumerate(spec["containers"]):
        if not container.get("image") or not re.fullmatch(
            r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", container.get("name", "")
        ):
            raise invalid(kind, name, f"{field}.containers[{at}]", "Required value: a name and an image")
