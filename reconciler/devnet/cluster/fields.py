"""Field ownership: objects as leaves by path, and managedFields."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from reconciler.devnet.cluster.kinds import Object

Path = tuple[str, ...]
_LIST_KEYS = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "imagePullSecrets": ("name",),
    "conditions": ("type",),
    "ownerReferences": ("uid",),
}
_SETS = {"finalizers"}
_ATOMIC = {
    "selector",
    "nodeSelector",
    "secretKeyRef",
    "configMapKeyRef",
    "fieldRef",
    "involvedObject",
    "managedFields",
}
_SERVERS_OWN = {
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "generateName",
    "selfLink",
}


def list_keys(field: str, items: list[Any]) -> tuple[str, ...]:
    """The fields that identify a list's items; none where the list is atomic."""
    if field == "ports" and items and isinstance(items[0], dict):
        return ("containerPort", "protocol") if "containerPort" in items[0] else ("port", "protocol")
    return _LIST_KEYS.get(field, ())


def element(item: Object, keys: tuple[str, ...]) -> str:
    """The path element of a keyed item."""
    defaults = {"protocol": "TCP"}
    found = {key: item.get(key, defaults.get(key)) for key in keys}
    return "k:" + json.dumps(found, sort_keys=True, separators=(",", ":"))


def leaves(found: Object, *, status: bool = False) -> dict[Path, Any]:
    """The ownable leaves of an object by path: of its status, or of everything else."""
    out: dict[Path, Any] = {}
    for name, value in found.items():
        if name in ("apiVersion", "kind") or (name == "status") != status:
            continue
        if name == "metadata":
            value = {key: each for key, each in value.items() if key not in _SERVERS_OWN}
        if value not in ({}, None):
            _collect(name, value, (f"f:{name}",), out)
    return out


def _collect(field: str, value: Any, path: Path, out: dict[Path, Any]) -> None:
    if isinstance(value, dict) and value and field not in _ATOMIC:
        for name, inner in value.items():
            _collect(name, inner, (*path, f"f:{name}"), out)
    elif isinstance(value, list) and (keys := list_keys(field, value)):
        for item in value:
            inside = (*path, element(item, keys))
            out[(*inside, ".")] = True
            for name, inner in item.items():
                _collect(name, inner, (*inside, f"f:{name}"), out)
    elif isinstance(value, list) and field in _SETS:
        for item in value:
            out[(*path, "v:" + json.dumps(item))] = True
    else:
        out[path] = value


def to_fields(paths: Iterable[Path]) -> Object:
    """Paths as a fieldsV1 tree."""
    tree: Object = {}
    for path in sorted(paths):
        node = tree
        for part in path:
            node = node.setdefault(part, {})
    return tree


def from_fields(tree: Object, path: Path = ()) -> set[Path]:
    """A fieldsV1 tree as paths."""
    if not tree and path:
        return {path}
    out: set[Path] = set()
    for part, inner in tree.items():
        out |= from_fields(inner, (*path, part))
    return out


class Owners:
    """The managers of one object, with the paths and times of their writes."""

    def __init__(self, found: Object | None) -> None:
        self._held: dict[tuple[str, str, str], tuple[set[Path], str]] = {}
        for entry in (found or {}).get("metadata", {}).get("managedFields", ()):
            held = (entry["manager"], entry["operation"], entry.get("subresource", ""))
            self._held[held] = (from_fields(entry["fieldsV1"]), entry["time"])

    def applied(self, manager: str) -> set[Path]:
        """The paths that a manager owns by server-side apply."""
        return set(self._held.get((manager, "Apply", ""), (set(), ""))[0])

    def others(self, manager: str) -> dict[str, set[Path]]:
        """The paths of all other managers, and of this one by other writes."""
        mine = (manager, "Apply", "")
        return {f"{held[0]}/{held[1]}": paths for held, (paths, _) in self._held.items() if held != mine}

    def apply(self, manager: str, paths: set[Path], time: str) -> None:
        """Set the paths that a manager owns by apply."""
        held = (manager, "Apply", "")
        if held not in self._held or self._held[held][0] != paths:
            self._held[held] = (set(paths), time)

    def write(self, manager: str, subresource: str, changed: set[Path], time: str) -> None:
        """A plain write becomes the owner of the changed paths."""
        self.take(changed)
        if changed:
            held = (manager, "Update", subresource)
            self._held[held] = (self._held.get(held, (set(), ""))[0] | changed, time)

    def take(self, paths: set[Path], spare: str = "") -> None:
        """Remove these paths from all managers, except from one applier."""
        for held, (owned, time) in list(self._held.items()):
            if held != (spare, "Apply", ""):
                self._held[held] = (owned - paths, time)

    def keep_only(self, present: set[Path]) -> None:
        """Remove the owners of paths that no longer exist, except of the status."""
        for held, (owned, time) in list(self._held.items()):
            if held[2] != "status":
                self._held[held] = (owned & present, time)

    def entries(self, api_version: str) -> list[Object]:
        """As managedFields."""
        out = []
        for (manager, operation, subresource), (paths, time) in sorted(self._held.items()):
            if paths:
                entry: Object = {
                    "manager": manager,
                    "operation": operation,
                    "apiVersion": api_version,
                    "time": time,
                }
                entry |= {"fieldsType": "FieldsV1", "fieldsV1": to_fields(paths)}
                out.append(entry | ({"subresource": subresource} if subresource else {}))
        return out
