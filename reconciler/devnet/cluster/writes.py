"""Writes to the simulated cluster, with admission and field ownership."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reconciler.devnet.cluster import refusals
from reconciler.devnet.cluster.defaults import defaulted, normalized, validate
from reconciler.devnet.cluster.fields import Owners, leaves
from reconciler.devnet.cluster.kinds import BY_NAME, BY_PLURAL, Object, ObjectKind, Target
from reconciler.devnet.cluster.merging import conflict, conflicts, server_side_apply
from reconciler.devnet.cluster.resource_totals import ResourceTotals, refuse_over_quota
from reconciler.devnet.cluster.store import ObjectKey, ObjectStore

Clock = Callable[[], float]
_KEPT = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds")
_FIRST_STATUS: dict[str, Object] = {
    "Namespace": {"phase": "Active"},
    "Pod": {"phase": "Pending", "qosClass": "Burstable"},
    "Service": {"loadBalancer": {}},
    "Ingress": {"loadBalancer": {}},
}


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """The options of a write."""

    manager: str = "unknown"
    dry_run: bool = False
    force: bool = False


def stamp(seconds: float) -> str:
    """A time in Kubernetes' form, to the second."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Writes:
    """All changes by requests and simulated controllers."""

    def __init__(self, store: ObjectStore, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.tallies = ResourceTotals(store)

    def create(self, target: Target, body: Object, options: WriteRequest) -> Object:
        """Create an object; refused where it exists or its namespace does not."""
        kind, meta = target.kind, dict(body.get("metadata", {}))
        meta["name"] = meta.get("name") or target.name or self._generated(meta)
        if kind.namespaced:
            meta["namespace"] = target.namespace
            self._refuse_absent_namespace(kind, target.namespace, meta["name"])
        if self.store.get(ObjectKey(kind.plural, meta.get("namespace", ""), meta["name"])):
            raise refusals.already_exists(kind, meta["name"])
        meta |= {"uid": self.store.new_uid(), "creationTimestamp": stamp(self.clock()), "generation": 1}
        found = self._shaped(kind, body | {"metadata": meta})
        first = _FIRST_STATUS.get(kind.name, {})
        if kind.name != "Node":
            found = {name: value for name, value in found.items() if name != "status"} | (
                {"status": first} if first else {}
            )
        validate(kind, found, None)
        self._admit(kind, found)
        owners = Owners(body)
        if not meta.get("managedFields"):
            owners.write(options.manager, "", set(leaves(found)), stamp(self.clock()))
        return self._store(self._owned(found, owners), options)

    def update(self, target: Target, change: Callable[[Object], Object], options: WriteRequest) -> Object:
        """Change an object, its status or its scale; without a difference nothing is written."""
        live = self.must_get(target)
        if target.subresource == "scale":
            return self._scaled(target, live, change(scale_of(live)), options)
        body = change(live)
        found = self._next(target, live, body)
        if found == live:
            return live
        owners, status = Owners(live), target.subresource == "status"
        before, after = leaves(live, status=status), leaves(found, status=status)
        changed = {path for path in after if before.get(path) != after[path]}
        owners.write(options.manager, target.subresource, changed, stamp(self.clock()))
        if not status:
            owners.keep_only(set(after))
        return self._store(self._owned(found, owners), options)

    def apply(self, target: Target, body: Object, options: WriteRequest) -> tuple[Object, bool]:
        """Server-side apply; the object and whether it was created."""
        if target.subresource:
            raise refusals.RefusalError(415, "the simulator applies whole objects only")
        body = normalized({name: value for name, value in body.items() if name != "status"})
        if body.get("metadata", {}).get("managedFields"):
            raise refusals.RefusalError(400, "metadata.managedFields must be nil")
        live = self._find(target)
        time, wanted = stamp(self.clock()), set(leaves(body))
        if live is None:
            owners = Owners(None)
            owners.apply(options.manager, wanted, time)
            meta = body.get("metadata", {}) | {"managedFields": owners.entries(target.kind.group_version)}
            return self.create(target, body | {"metadata": meta}, options), True
        owners = Owners(live)
        against = conflicts(live, body, options.manager, owners)
        if against and not options.force:
            raise conflict(target.kind, against)
        merged = server_side_apply(live, body, options.manager, owners)
        owners.take(set(against), spare=options.manager)
        owners.apply(options.manager, wanted, time)
        found = self._next(target, live, merged)
        owners.keep_only(set(leaves(found)))
        found = self._owned(found, owners)
        return (live if found == live else self._store(found, options)), False

    def delete(self, target: Target, body: Object, options: WriteRequest) -> Object:
        """Delete an object: pods and namespaces terminate first, others are removed at once."""
        live = self.must_get(target)
        meta, wanted = live["metadata"], body.get("preconditions") or {}
        if any(wanted.get(name, meta[name]) != meta[name] for name in ("uid", "resourceVersion")):
            raise refusals.stale(target.kind, meta["name"])
        if options.dry_run:
            return live
        if body.get("propagationPolicy") == "Orphan":
            self._orphan(meta["uid"])
        seconds = body.get("gracePeriodSeconds")
        if target.kind.name == "Pod":
            grace = live["spec"].get("terminationGracePeriodSeconds", 30) if seconds is None else seconds
            if grace and live["spec"].get("nodeName"):
                return self._mark(live, grace)
        elif target.kind.name == "Namespace" or meta.get("finalizers"):
            return self._mark(live, 0)
        return self.remove(ObjectKey(target.kind.plural, meta.get("namespace", ""), meta["name"])) or live

    def remove(self, key: ObjectKey) -> Object | None:
        """Remove an object now."""
        return self.store.remove(key)

    def put_status(self, found: Object, status: Object) -> None:
        """Write a controller's status if it differs."""
        live = self.store.get(
            ObjectKey(_plural(found), found["metadata"].get("namespace", ""), found["metadata"]["name"])
        )
        if (
            live is not None
            and live["metadata"]["uid"] == found["metadata"]["uid"]
            and live.get("status") != status
        ):
            self.store.put(live | {"status": status})

    def must_get(self, target: Target) -> Object:
        """The object; 404 where it is missing."""
        found = self._find(target)
        if found is None:
            raise refusals.not_found(target.kind, target.name)
        return found

    def _find(self, target: Target) -> Object | None:
        return self.store.get(ObjectKey(target.kind.plural, target.namespace, target.name))

    def _scaled(self, target: Target, live: Object, scale: Object, options: WriteRequest) -> Object:
        spec = live["spec"] | {"replicas": scale.get("spec", {}).get("replicas", 0)}
        whole = Target(target.kind, target.namespace, target.name)
        return scale_of(self.update(whole, lambda found: found | {"spec": spec}, options))

    def _next(self, target: Target, live: Object, body: Object) -> Object:
        """The live object with the body's content and the server's fields."""
        kind, meta = target.kind, body.get("metadata", {})
        if meta.get("resourceVersion") not in (None, "", live["metadata"]["resourceVersion"]):
            raise refusals.stale(kind, live["metadata"]["name"])
        if meta.get("uid") not in (None, "", live["metadata"]["uid"]):
            raise refusals.stale(kind, live["metadata"]["name"])
        if target.subresource == "status":
            return live | {"status": normalized(body.get("status", {}))}
        keep = {
            name: live["metadata"][name] for name in (*_KEPT, "resourceVersion") if name in live["metadata"]
        }
        names = {name: live["metadata"][name] for name in ("name", "namespace") if name in live["metadata"]}
        owned = {"managedFields": live["metadata"].get("managedFields", [])}
        found = self._shaped(kind, body | {"metadata": meta | keep | names | owned})
        if "status" in live:
            found = found | {"status": live["status"]}
        validate(kind, found, live)
        if found.get("spec") != live.get("spec"):
            found["metadata"]["generation"] = live["metadata"]["generation"] + 1
        return found

    def _shaped(self, kind: ObjectKind, body: Object) -> Object:
        found: Object = {"apiVersion": kind.group_version, "kind": kind.name} | normalized(body)
        meta = {name: value for name, value in found["metadata"].items() if value not in ({}, [])}
        return defaulted(kind, found | {"metadata": meta})

    def _owned(self, found: Object, owners: Owners) -> Object:
        entries = owners.entries(found["apiVersion"])
        return found | {"metadata": found["metadata"] | {"managedFields": entries}}

    def _store(self, found: Object, options: WriteRequest) -> Object:
        meta = found["metadata"]
        if options.dry_run:
            return found
        if (
            meta.get("deletionTimestamp")
            and not meta.get("finalizers")
            and found["kind"] not in ("Pod", "Namespace")
        ):
            return self.remove(ObjectKey(_plural(found), meta.get("namespace", ""), meta["name"])) or found
        return self.store.put(found)

    def _mark(self, live: Object, grace_seconds: int) -> Object:
        marks = {
            "deletionTimestamp": stamp(self.clock() + grace_seconds),
            "deletionGracePeriodSeconds": grace_seconds,
        }
        if live["metadata"].get("deletionTimestamp"):
            return live
        found = live | {"metadata": live["metadata"] | marks}
        if live["kind"] == "Namespace":
            found |= {"status": {"phase": "Terminating"}}
        return self.store.put(found)

    def _orphan(self, uid: str) -> None:
        for found in self.store.owned_by(uid):
            owners = [owner for owner in found["metadata"]["ownerReferences"] if owner["uid"] != uid]
            self.store.put(found | {"metadata": found["metadata"] | {"ownerReferences": owners}})

    def _refuse_absent_namespace(self, kind: ObjectKind, namespace: str, name: str) -> None:
        found = self.store.get(ObjectKey("namespaces", "", namespace))
        if found is None:
            raise refusals.not_found(BY_PLURAL["namespaces"], namespace)
        if found["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise refusals.forbidden(kind, name, why)

    def _admit(self, kind: ObjectKind, found: Object) -> None:
        if kind.name == "Pod" and (why := refuse_over_quota(self.store, self.tallies, found)):
            raise refusals.forbidden(kind, found["metadata"]["name"], why)

    def _generated(self, meta: Object) -> str:
        prefix: str = meta.get("generateName", "")
        if not prefix:
            raise refusals.RefusalError(
                422, "metadata.name: Required value: name or generateName is required"
            )
        return prefix + short_hash(self.store.version)[:5]


def scale_of(found: Object) -> Object:
    """The scale subresource of a Deployment or ReplicaSet."""
    meta = {name: found["metadata"][name] for name in ("name", "namespace", "uid", "resourceVersion")}
    labels: dict[str, str] = found["spec"]["selector"].get("matchLabels", {})
    return {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": meta,
        "spec": {"replicas": found["spec"]["replicas"]},
        "status": {
            "replicas": found.get("status", {}).get("replicas", 0),
            "selector": ",".join(f"{name}={value}" for name, value in sorted(labels.items())),
        },
    }


def short_hash(value: Any) -> str:
    """A hash of ten characters of Kubernetes' alphabet."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()
    return "".join("bcdfghjklmnpqrstvwxz2456789"[byte % 27] for byte in digest[:10])


def _plural(found: Object) -> str:
    return BY_NAME[found["kind"]].plural
