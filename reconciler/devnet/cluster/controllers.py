"""The work queue of the simulated controllers: each change enqueues the affected objects."""

from __future__ import annotations

import heapq

from reconciler.devnet.cluster.deployments import Deployments, ReplicaSets
from reconciler.devnet.cluster.kinds import Object
from reconciler.devnet.cluster.load_balancers import (
    ROUTED,
    ingress_status,
    route_status,
    service_status,
)
from reconciler.devnet.cluster.nodes import Nodes
from reconciler.devnet.cluster.refusals import RefusalError
from reconciler.devnet.cluster.resource_totals import quota_used
from reconciler.devnet.cluster.stateful_sets import StatefulSets, bind_claim
from reconciler.devnet.cluster.store import ObjectChange, ObjectKey, key_of
from reconciler.devnet.cluster.writes import Writes

NAMESPACE_SECONDS = 0.5
SYNCED = (
    "namespaces",
    "deployments",
    "statefulsets",
    "replicasets",
    "persistentvolumeclaims",
    "pods",
    *ROUTED,
)
"""The kinds that a controller reconciles."""

ROUNDS_MAX = 200
PAUSE_SECONDS = 0.05


class Controllers:
    """Runs every controller until nothing changes; keeps the due times of timed changes."""

    def __init__(self, writes: Writes, nodes: Nodes) -> None:
        self._writes = writes
        self._store = writes.store
        self._nodes = nodes
        self._deployments = Deployments(writes)
        self._sets = ReplicaSets(writes)
        self._stateful = StatefulSets(writes)
        self._seen = -1
        self._queue: dict[ObjectKey, None] = {}
        self._quotas: set[str] = set()
        self._blocked: set[ObjectKey] = set()
        self._leaving: dict[str, float] = {}
        self._due: list[tuple[float, ObjectKey]] = []

    def run(self) -> float | None:
        """Run until nothing changes; the seconds until the next timed change, or None."""
        for _ in range(ROUNDS_MAX):
            if not self._gather():
                break
            queue, self._queue = self._queue, {}
            for key in queue:
                self._sync(key)
            if not self._queue and self._store.version == self._seen:
                self._count_quotas()
        else:
            return PAUSE_SECONDS
        return max(self._due[0][0] - self._writes.clock(), 0.0) if self._due else None

    def _gather(self) -> bool:
        """Enqueue changed and due objects; False if there are none."""
        with self._store.lock:
            try:
                changes = self._store.since(self._seen) if self._seen >= 0 else None
            except RefusalError:
                changes = None
            everything = [] if changes is not None else self._all_keys()
            self._seen = self._store.version
        for key in everything:
            self._add(key)
            self._quotas.add(key.namespace)
        for change in changes or ():
            self._wake(change)
        while self._due and self._due[0][0] <= self._writes.clock():
            self._add(heapq.heappop(self._due)[1])
        return bool(self._queue or self._quotas)

    def _all_keys(self) -> list[ObjectKey]:
        return [key_of(found) for plural in SYNCED for found in self._store.all(plural)]

    def _wake(self, change: ObjectChange) -> None:
        key = change.key
        self._add(key)
        for found in (change.before, change.after):
            for owner in (found or {}).get("metadata", {}).get("ownerReferences", ()):
                self._add(ObjectKey(f"{owner['kind'].lower()}s", key.namespace, owner["name"]))
        if change.after is None and change.before is not None:
            for child in self._store.owned_by(change.before["metadata"]["uid"]):
                self._add(key_of(child))
            if key.plural == "pods":
                self._nodes.forget(change.before)
        if key.plural in ("pods", "services", "secrets", "configmaps", "resourcequotas"):
            self._quotas.add(key.namespace)
        if key.plural in ("nodes", "resourcequotas", "persistentvolumeclaims") or (
            key.plural == "pods" and change.after is None
        ):
            for blocked in self._blocked:
                self._add(blocked)

    def _add(self, key: ObjectKey) -> None:
        if key.plural in (*SYNCED, "secrets", "configmaps"):
            self._queue[key] = None

    def _sync(self, key: ObjectKey) -> None:
        found = self._store.get(key)
        self._blocked.discard(key)
        if found is None or self._collect(found):
            return
        match key.plural:
            case "namespaces":
                self._empty(key, found)
            case "deployments":
                self._deployments.sync(found)
            case "replicasets":
                if not self._sets.sync(found):
                    self._blocked.add(key)
            case "statefulsets":
                if not self._stateful.sync(found):
                    self._blocked.add(key)
            case "persistentvolumeclaims":
                bind_claim(self._writes, found)
            case "pods":
                self._play(key, found)
            case "services":
                self._writes.put_status(found, service_status(found))
            case "ingresses":
                self._writes.put_status(found, ingress_status(found, self._store.all("ingressclasses")))
            case "httproutes":
                self._writes.put_status(found, route_status(found, self._store.all("gateways")))
            case _:
                pass

    def _play(self, key: ObjectKey, pod: Object) -> None:
        due = self._nodes.play(pod)
        if due is not None:
            heapq.heappush(self._due, (due, key))
        elif not pod["spec"].get("nodeName"):
            now = self._store.get(key)
            if now is not None and not now["spec"].get("nodeName"):
                self._blocked.add(key)

    def _collect(self, found: Object) -> bool:
        """Remove an object whose owners are all gone; True if it was removed."""
        owners = found["metadata"].get("ownerReferences", ())
        namespace = found["metadata"].get("namespace", "")
        for owner in owners:
            there = self._store.get(ObjectKey(f"{owner['kind'].lower()}s", namespace, owner["name"]))
            if there is not None and there["metadata"]["uid"] == owner["uid"]:
                return False
        if not owners:
            return False
        if found["kind"] == "Pod":
            if not found["metadata"].get("deletionTimestamp"):
                marks = {
                    "deletionTimestamp": found["metadata"]["creationTimestamp"],
                    "deletionGracePeriodSeconds": 30,
                }
                self._store.put(found | {"metadata": found["metadata"] | marks})
            return False
        self._writes.remove(key_of(found))
        return True

    def _empty(self, key: ObjectKey, namespace: Object) -> None:
        """Remove a terminating namespace with its objects, after a delay."""
        if not namespace["metadata"].get("deletionTimestamp"):
            return
        due = self._leaving.setdefault(namespace["metadata"]["uid"], self._writes.clock() + NAMESPACE_SECONDS)
        if self._writes.clock() < due:
            heapq.heappush(self._due, (due, key))
            return
        name = namespace["metadata"]["name"]
        for plural in (
            "deployments",
            "statefulsets",
            "replicasets",
            "pods",
            *ROUTED,
            "persistentvolumeclaims",
            "networkpolicies",
            "limitranges",
            "resourcequotas",
            "secrets",
            "configmaps",
            "events",
        ):
            for found in self._store.all(plural, name):
                self._writes.remove(key_of(found))
        self._writes.remove(key_of(namespace))

    def _count_quotas(self) -> None:
        namespaces, self._quotas = self._quotas, set()
        for namespace in sorted(namespaces):
            for quota in self._store.all("resourcequotas", namespace):
                used = quota_used(self._store, self._writes.tallies, quota)
                self._writes.put_status(quota, {"hard": quota["spec"].get("hard", {}), "used": used})
