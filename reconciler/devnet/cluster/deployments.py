"""The simulated Deployment and ReplicaSet controllers."""

from __future__ import annotations

import math

from reconciler.devnet.cluster.events import ClusterEvent, record_event
from reconciler.devnet.cluster.kinds import BY_PLURAL, Object, Target
from reconciler.devnet.cluster.refusals import RefusalError
from reconciler.devnet.cluster.store import ObjectKey
from reconciler.devnet.cluster.writes import WriteRequest, Writes, short_hash, stamp

CONTROLLER = WriteRequest(manager="kube-controller-manager")
_REVISION = "deployment.kubernetes.io/revision"
_HASH = "pod-template-hash"


class Deployments:
    """Scales a Deployment's ReplicaSets within its surge and unavailability."""

    def __init__(self, writes: Writes) -> None:
        self._writes = writes

    def sync(self, found: Object) -> None:
        """Reconcile one Deployment's ReplicaSets and status by one step."""
        if found["metadata"].get("deletionTimestamp"):
            return
        mark = short_hash(found["spec"]["template"])
        sets = [
            each
            for each in self._writes.store.owned_by(found["metadata"]["uid"])
            if each["kind"] == "ReplicaSet"
        ]
        new = next((each for each in sets if each["metadata"]["labels"].get(_HASH) == mark), None)
        old = [each for each in sets if each is not new]
        if new is None and self._is_taken(found, mark):
            return  # by one of a deleted Deployment; its removal enqueues this one
        if new is None:
            new = self._create_set(
                found,
                mark,
                1 + max([int(each["metadata"]["annotations"][_REVISION]) for each in old], default=0),
            )
        self._scale(found, new, old)
        self._writes.put_status(found, self._status(found, new["metadata"]["uid"]))

    def _is_taken(self, found: Object, mark: str) -> bool:
        meta = found["metadata"]
        return (
            self._writes.store.get(ObjectKey("replicasets", meta["namespace"], f"{meta['name']}-{mark}"))
            is not None
        )

    def _create_set(self, found: Object, mark: str, revision: int) -> Object:
        spec, meta = found["spec"], found["metadata"]
        labels = spec["template"]["metadata"]["labels"] | {_HASH: mark}
        template = spec["template"] | {"metadata": spec["template"]["metadata"] | {"labels": labels}}
        name = f"{meta['name']}-{mark}"
        body = {
            "metadata": {
                "name": name,
                "labels": labels,
                "annotations": {_REVISION: str(revision)},
                "ownerReferences": [owner_of(found)],
            },
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": spec["selector"]["matchLabels"] | {_HASH: mark}},
                "template": template,
            },
        }
        return self._writes.create(
            Target(BY_PLURAL["replicasets"], meta["namespace"], name), body, CONTROLLER
        )

    def _scale(self, found: Object, new: Object, old: list[Object]) -> None:
        wanted = found["spec"]["replicas"]
        strategy = found["spec"]["strategy"]
        live_old = [
            each for each in old if each["spec"]["replicas"] or each.get("status", {}).get("replicas")
        ]
        if strategy["type"] == "Recreate":
            for each in live_old:
                self._resize(found, each, 0)
            if not live_old:
                self._resize(found, new, wanted)
            return
        surge, unavailable = _bounds(strategy.get("rollingUpdate", {}), wanted)
        total = new["spec"]["replicas"] + sum(each["spec"]["replicas"] for each in live_old)
        room = max(wanted + surge - total, 0)
        grown = min(wanted, new["spec"]["replicas"] + room)
        self._resize(found, new, grown if new["spec"]["replicas"] <= wanted else wanted)
        ready_new = new.get("status", {}).get("readyReplicas", 0)
        spare = total - (wanted - unavailable) - (new["spec"]["replicas"] - ready_new)
        for each in live_old:
            down = min(max(spare, 0), each["spec"]["replicas"])
            spare -= down
            self._resize(found, each, each["spec"]["replicas"] - down)

    def _resize(self, found: Object, replicas: Object, count: int) -> None:
        before = replicas["spec"]["replicas"]
        if before == count:
            return
        meta = replicas["metadata"]
        target = Target(BY_PLURAL["replicasets"], meta["namespace"], meta["name"])
        self._writes.update(
            target, lambda live: live | {"spec": live["spec"] | {"replicas": count}}, CONTROLLER
        )
        way = "up" if count > before else "down"
        message = f"Scaled {way} replica set {meta['name']} from {before} to {count}"
        record_event(
            self._writes, found, ClusterEvent("ScalingReplicaSet", message, component="deployment-controller")
        )

    def _status(self, found: Object, new_uid: str) -> Object:
        owned = self._writes.store.owned_by(found["metadata"]["uid"])
        count = {
            each["metadata"]["uid"]: each.get("status", {}) for each in owned if each["kind"] == "ReplicaSet"
        }
        wanted = found["spec"]["replicas"]
        ready = sum(each.get("readyReplicas", 0) for each in count.values())
        counts = {
            "replicas": sum(each.get("replicas", 0) for each in count.values()),
            "updatedReplicas": count[new_uid].get("replicas", 0),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "unavailableReplicas": max(wanted - ready, 0),
        }
        failures = [
            each
            for status in count.values()
            for each in status.get("conditions", ())
            if each["type"] == "ReplicaFailure"
        ]
        conditions = [*self._progress(found, counts), *failures[:1]]
        status: Object = {"observedGeneration": found["metadata"]["generation"], "conditions": conditions}
        return status | {name: value for name, value in counts.items() if value}

    def _progress(self, found: Object, counts: dict[str, int]) -> list[Object]:
        """The conditions Available and Progressing."""
        wanted, ready = found["spec"]["replicas"], counts["readyReplicas"]
        _, unavailable = _bounds(found["spec"]["strategy"].get("rollingUpdate", {}), wanted)
        enough = ready >= wanted - unavailable
        complete = counts["updatedReplicas"] == wanted == counts["replicas"] == ready
        return [
            self._condition(found, "Available", enough, f"MinimumReplicas{'A' if enough else 'Una'}vailable"),
            self._condition(
                found, "Progressing", True, "NewReplicaSetAvailable" if complete else "ReplicaSetUpdated"
            ),
        ]

    def _condition(self, found: Object, name: str, holds: bool, reason: str) -> Object:
        now, text = stamp(self._writes.clock()), str(holds)
        conditions: list[Object] = found.get("status", {}).get("conditions", [])
        old = {each["type"]: each for each in conditions}.get(name)
        if old and old["status"] == text and old["reason"] == reason:
            return old
        since = old["lastTransitionTime"] if old and old["status"] == text else now
        message = {"type": name, "status": text, "reason": reason, "message": f"Deployment: {reason}"}
        return message | {"lastUpdateTime": now, "lastTransitionTime": since}


class ReplicaSets:
    """Creates and deletes a ReplicaSet's pods."""

    def __init__(self, writes: Writes) -> None:
        self._writes = writes

    def sync(self, found: Object) -> bool:
        """Reconcile the pods of one ReplicaSet; False where a pod was refused."""
        if found["metadata"].get("deletionTimestamp"):
            return True
        pods = [each for each in self._pods(found) if not each["metadata"].get("deletionTimestamp")]
        wanted = found["spec"]["replicas"]
        refused = ""
        for _ in range(wanted - len(pods)):
            refused = self._create_pod(found)
            if refused:
                break
        for pod in sorted(pods, key=_least_wanted)[: max(len(pods) - wanted, 0)]:
            meta = pod["metadata"]
            self._writes.delete(Target(BY_PLURAL["pods"], meta["namespace"], meta["name"]), {}, CONTROLLER)
        self._writes.put_status(found, self._status(found, refused))
        return not refused

    def _pods(self, found: Object) -> list[Object]:
        owned = self._writes.store.owned_by(found["metadata"]["uid"])
        return [
            each
            for each in owned
            if each["kind"] == "Pod" and each["status"].get("phase") not in ("Succeeded", "Failed")
        ]

    def _create_pod(self, found: Object) -> str:
        meta, template = found["metadata"], found["spec"]["template"]
        name = f"{meta['name']}-{short_hash([meta['uid'], self._writes.store.version])[:5]}"
        metadata = template["metadata"] | {"name": name, "ownerReferences": [owner_of(found)]}
        target = Target(BY_PLURAL["pods"], meta["namespace"], name)
        try:
            self._writes.create(target, {"metadata": metadata, "spec": template["spec"]}, CONTROLLER)
        except RefusalError as error:
            message = f"Error creating: {error}"
            record_event(
                self._writes,
                found,
                ClusterEvent("FailedCreate", message, warning=True, component="replicaset-controller"),
            )
            return str(error)
        record_event(
            self._writes,
            found,
            ClusterEvent("SuccessfulCreate", f"Created pod: {name}", component="replicaset-controller"),
        )
        return ""

    def _status(self, found: Object, refused: str) -> Object:
        pods = [each for each in self._pods(found) if not each["metadata"].get("deletionTimestamp")]
        ready = sum(is_ready(each) for each in pods)
        status: Object = {"replicas": len(pods), "observedGeneration": found["metadata"]["generation"]}
        counts = {"fullyLabeledReplicas": len(pods), "readyReplicas": ready, "availableReplicas": ready}
        status |= {name: value for name, value in counts.items() if value}
        if refused:
            conditions = found.get("status", {}).get("conditions", ())
            old = [each for each in conditions if _why(each["message"]) == _why(refused)]
            failed = {
                "type": "ReplicaFailure",
                "status": "True",
                "reason": "FailedCreate",
                "message": refused,
            }
            status["conditions"] = old or [failed | {"lastTransitionTime": stamp(self._writes.clock())}]
        return status


def _why(refused: str) -> str:
    """The reason without the pod's name, which differs each time."""
    return refused.partition(" is forbidden: ")[2]


def is_ready(pod: Object) -> bool:
    """Whether a pod's Ready condition holds."""
    return any(
        each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", ())
    )


def owner_of(found: Object) -> Object:
    """An owner reference to the controller."""
    reference: Object = {
        "apiVersion": found["apiVersion"],
        "kind": found["kind"],
        "name": found["metadata"]["name"],
    }
    return reference | {"uid": found["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True}


def _bounds(rolling: Object, wanted: int) -> tuple[int, int]:
    """The surge and the unavailable pods that a rolling update may have."""
    surge = _share(rolling.get("maxSurge", "25%"), wanted, up=True)
    unavailable = _share(rolling.get("maxUnavailable", "25%"), wanted, up=False)
    return surge, unavailable or (0 if surge else 1)


def _share(value: int | str, wanted: int, *, up: bool) -> int:
    if isinstance(value, int):
        return value
    exact = int(value.rstrip("%")) * wanted / 100
    return math.ceil(exact) if up else math.floor(exact)


def _least_wanted(pod: Object) -> tuple[bool, bool, int]:
    """The order of deletion: unbound pods, then unready ones, then the newest."""
    return (bool(pod["spec"].get("nodeName")), is_ready(pod), -int(pod["metadata"]["resourceVersion"]))
