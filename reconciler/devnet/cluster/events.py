"""Events of the simulated cluster: what its played parts say about an object; said again, the count rises."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.devnet.cluster.kinds import Object
from reconciler.devnet.cluster.store import ObjectKey
from reconciler.devnet.cluster.writes import Writes, short_hash, stamp


@dataclass(frozen=True, slots=True)
class ClusterEvent:
    """Something said about an object, by one of the cluster's parts."""

    reason: str
    message: str
    warning: bool = False
    component: str = "kubelet"


def tell(writes: Writes, about: Object, note: ClusterEvent) -> None:
    """Write the event, or count it once more; nothing where the namespace is on its way out."""
    meta = about["metadata"]
    namespace = meta.get("namespace", "default")
    space = writes.store.get(ObjectKey("namespaces", "", namespace))
    if space is None or space["metadata"].get("deletionTimestamp"):
        return
    name = f"{meta['name']}.{short_hash([meta['uid'], note.reason])}"
    now = stamp(writes.clock())
    told = writes.store.get(ObjectKey("events", namespace, name))
    if told is not None:
        writes.store.put(told | {"count": told["count"] + 1, "lastTimestamp": now, "message": note.message})
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
