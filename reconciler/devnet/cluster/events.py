"""Events of the simulated cluster's components about objects; a repeated event raises its count."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.devnet.cluster.kinds import Object
from reconciler.devnet.cluster.store import ObjectKey
from reconciler.devnet.cluster.writes import Writes, short_hash, stamp


@dataclass(frozen=True, slots=True)
class ClusterEvent:
    """An event about an object, from one of the cluster's components."""

    reason: str
    message: str
    warning: bool = False
    component: str = "kubelet"


def record_event(writes: Writes, about: Object, note: ClusterEvent) -> None:
    """Write the event, or raise its count; nothing in a terminating namespace."""
    meta = about["metadata"]
    namespace = meta.get("namespace", "default")
    space = writes.store.get(ObjectKey("namespaces", "", namespace))
    if space is None or space["metadata"].get("deletionTimestamp"):
        return
    name = f"{meta['name']}.{short_hash([meta['uid'], note.reason])}"
    now = stamp(writes.clock())
    existing = writes.store.get(ObjectKey("events", namespace, name))
    if existing is not None:
        writes.store.put(
            existing | {"count": existing["count"] + 1, "lastTimestamp": now, "message": note.message}
        )
        return
    writes.store.put(_event(about, note, now) | {"metadata": _metadata(writes, namespace, name)})


def _metadata(writes: Writes, namespace: str, name: str) -> Object:
    made = {"uid": writes.store.new_uid(), "creationTimestamp": stamp(writes.clock())}
    return {"name": name, "namespace": namespace} | made


def _event(about: Object, note: ClusterEvent, now: str) -> Object:
    meta = about["metadata"]
    involved = {
        "apiVersion": about["apiVersion"],
        "kind": about["kind"],
        "name": meta["name"],
        "uid": meta["uid"],
    }
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "type": "Warning" if note.warning else "Normal",
        "reason": note.reason,
        "message": note.message,
        "count": 1,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "source": {"component": note.component},
        "reportingComponent": note.component,
        "reportingInstance": "",
        "involvedObject": involved | ({"namespace": meta["namespace"]} if "namespace" in meta else {}),
    }
