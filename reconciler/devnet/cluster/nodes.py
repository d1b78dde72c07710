"""The simulated nodes: pods are bound where they fit and follow the lifecycle of their image's name."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from reconciler.adapters.kubernetes.quantities import parse_quantity
from reconciler.devnet.cluster.events import ClusterEvent, record_event
from reconciler.devnet.cluster.kinds import Object
from reconciler.devnet.cluster.pod_lifecycle import PodState, lifecycle_of, pod_states
from reconciler.devnet.cluster.resource_totals import pod_amounts
from reconciler.devnet.cluster.selectors import has_affinity
from reconciler.devnet.cluster.stateful_sets import unbound_claim
from reconciler.devnet.cluster.store import ObjectKey, key_of
from reconciler.devnet.cluster.writes import Writes, stamp


@dataclass(frozen=True, slots=True)
class NodeSize:
    """A simulated node's capacity, as Kubernetes quantities; the resource of its GPUs, and labels."""

    cpu: str = "32"
    memory: str = "128Gi"
    storage: str = "1Ti"
    gpu: int = 0
    pods: int = 250
    gpus: str = "nvidia.com/gpu"
    labels: tuple[tuple[str, str], ...] = ()

    def allocatable(self) -> dict[str, str]:
        """The `allocatable` of a Node's status."""
        room = {
            "cpu": self.cpu,
            "memory": self.memory,
            "ephemeral-storage": self.storage,
            "pods": str(self.pods),
        }
        return room | ({self.gpus: str(self.gpu)} if self.gpu else {})


def new_node(name: str, size: NodeSize, now: str) -> Object:
    """A ready Node."""
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    labels |= dict(size.labels)
    fine = {
        "type": "Ready",
        "status": "True",
        "reason": "Simulated",
        "message": "",
        "lastTransitionTime": now,
    }
    room, words = (
        size.allocatable(),
        ("bootID", "kernelVersion", "kubeProxyVersion", "machineID", "systemUUID"),
    )
    seen = dict.fromkeys(words, "simulated") | {
        "osImage": "simulated",
        "containerRuntimeVersion": "simulated://1",
    }
    seen |= {"kubeletVersion": "v1.36.0-simulated", "operatingSystem": "linux", "architecture": "amd64"}
    address = [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": name}]
    status = {"capacity": room, "allocatable": room, "conditions": [fine | {"lastHeartbeatTime": now}]}
    status |= {"addresses": address, "nodeInfo": seen}
    return {"metadata": {"name": name, "labels": labels}, "spec": {}, "status": status}


class Nodes:
    """The scheduler and the kubelets."""

    def __init__(self, writes: Writes, ending_seconds: float) -> None:
        self._writes = writes
        self._ending_seconds = ending_seconds
        self._started: dict[str, float] = {}
        self._event_seconds: dict[str, float] = {}
        self._ending: dict[str, float] = {}

    def play(self, pod: Object) -> float | None:
        """Update a pod to its state by now; the time of its next timed change, if any."""
        meta = pod["metadata"]
        if meta.get("deletionTimestamp"):
            return self._end(pod)
        if pod["status"].get("phase") in ("Succeeded", "Failed"):
            return None
        if not pod["spec"].get("nodeName"):
            self._bind(pod)
            return None
        return self._live(pod)

    def started(self, pod: Object) -> float | None:
        """The first start of a pod's containers in unix seconds, or None."""
        known = self._started.get(pod["metadata"]["uid"])
        if known is None and (text := pod["status"].get("startTime")):
            return datetime.fromisoformat(text).timestamp()
        return known

    def forget(self, pod: Object) -> None:
        """Forget a removed pod."""
        for kept in (self._started, self._event_seconds, self._ending):
            kept.pop(pod["metadata"]["uid"], None)

    def _end(self, pod: Object) -> float | None:
        now, uid = self._writes.clock(), pod["metadata"]["uid"]
        if uid not in self._ending and pod["spec"].get("nodeName"):
            record_event(self._writes, pod, ClusterEvent("Killing", "Stopping container"))
        word, _ = lifecycle_of(container["image"] for container in pod["spec"]["containers"])
        grace = pod["metadata"].get("deletionGracePeriodSeconds", 0)
        due = self._ending.setdefault(uid, now + (grace if word == "stubborn" else self._ending_seconds))
        if now < due:
            return due
        self._writes.remove(key_of(pod))
        return None

    def _bind(self, pod: Object) -> None:
        if unbound_claim(self._writes, pod):
            self._unschedulable(
                pod, "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."
            )
            return
        nodes = self._writes.store.all("nodes")
        wants, lacking = pod_amounts(pod), Counter[str]()
        fitting: list[tuple[Decimal, str]] = []
        for node in nodes:
            why = self._unfit(node, pod, wants)
            lacking.update(why)
            if not why:
                used = self._writes.tallies.on_node(node["metadata"]["name"])
                fitting.append((used.get("requests.cpu", Decimal(0)), node["metadata"]["name"]))
        if not fitting:
            reasons = ", ".join(f"{count} {why}" for why, count in sorted(lacking.items()))
            self._unschedulable(pod, f"0/{len(nodes)} nodes are available: {reasons or 'no node'}.")
            return
        name = min(fitting)[1]
        conditions = [_condition(pod, "PodScheduled", True, stamp(self._writes.clock()))]
        self._writes.store.put(
            pod
            | {"spec": pod["spec"] | {"nodeName": name}, "status": pod["status"] | {"conditions": conditions}}
        )
        message = f"Successfully assigned {pod['metadata']['namespace']}/{pod['metadata']['name']} to {name}"
        record_event(self._writes, pod, ClusterEvent("Scheduled", message, component="default-scheduler"))

    def _unfit(self, node: Object, pod: Object, wants: dict[str, Decimal]) -> list[str]:
        conditions = node.get("status", {}).get("conditions", ())
        labels = node["metadata"].get("labels", {})
        if not any(each["type"] == "Ready" and each["status"] == "True" for each in conditions):
            return ["node(s) were not ready"]
        if node.get("spec", {}).get("unschedulable"):
            return ["node(s) were unschedulable"]
        if any(each["effect"] != "PreferNoSchedule" for each in node.get("spec", {}).get("taints", ())):
            return ["node(s) had untolerated taint(s)"]
        if not has_affinity(pod["spec"], labels):
            return ["node(s) didn't match Pod's node affinity/selector"]
        room = node.get("status", {}).get("allocatable", {})
        used = self._writes.tallies.on_node(node["metadata"]["name"])
        lacking = []
        for resource, amount in wants.items():
            name = "pods" if resource == "pods" else resource.removeprefix("requests.")
            if not resource.startswith("limits.") and used.get(
                resource, Decimal(0)
            ) + amount > parse_quantity(room.get(name, "0")):
                lacking.append("Too many pods" if name == "pods" else f"Insufficient {name}")
        return lacking

    def _unschedulable(self, pod: Object, message: str) -> None:
        failed = _condition(pod, "PodScheduled", False, stamp(self._writes.clock()))
        failed |= {"reason": "Unschedulable", "message": message}
        status = pod["status"] | {"conditions": [failed]}
        if status != pod["status"]:
            self._writes.put_status(pod, status)
            note = ClusterEvent("FailedScheduling", message, warning=True, component="default-scheduler")
            record_event(self._writes, pod, note)

    def _live(self, pod: Object) -> float | None:
        now, uid = self._writes.clock(), pod["metadata"]["uid"]
        start = self._started.setdefault(uid, self.started(pod) or now)
        word, image = lifecycle_of(container["image"] for container in pod["spec"]["containers"])
        if (missing := self._missing_secret(pod)) is not None:
            why = f'secret "{missing}" not found'
            held = PodState(
                0, "Pending", "waiting", "CreateContainerConfigError", why, warning=True, event="Failed"
            )
            self._show(pod, held, start)
            return now + 1
        shown, upcoming = None, None
        for state in pod_states(word, image):
            if start + state.after_seconds > now:
                upcoming = start + state.after_seconds
                break
            shown = state
            if state.event and state.after_seconds > self._event_seconds.get(uid, -1.0):
                self._event_seconds[uid] = state.after_seconds
                record_event(self._writes, pod, ClusterEvent(state.event, state.message, state.warning))
        if shown is not None:
            self._show(pod, shown, start)
        return upcoming

    def _missing_secret(self, pod: Object) -> str | None:
        for container in pod["spec"]["containers"]:
            for env in container.get("env", ()):
                ref = env.get("valueFrom", {}).get("secretKeyRef")
                if ref and not ref.get("optional"):
                    secret = self._writes.store.get(
                        ObjectKey("secrets", pod["metadata"]["namespace"], ref["name"])
                    )
                    if secret is None or ref["key"] not in secret.get("data", {}):
                        return str(ref["name"])
        return None

    def _show(self, pod: Object, state: PodState, start: float) -> None:
        status, now = pod["status"], stamp(self._writes.clock())
        address = status.get("podIP") or _address(pod["metadata"]["uid"])
        held = {
            "ContainersReady": state.ready,
            "Ready": state.ready,
            "Initialized": True,
            "PodScheduled": True,
        }
        shown = {
            "phase": state.phase,
            "startTime": status.get("startTime", stamp(start)),
            "hostIP": "127.0.0.1",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "qosClass": "Guaranteed",
            "conditions": [_condition(pod, name, holds, now) for name, holds in held.items()],
            "containerStatuses": [_container(pod, each, state, start) for each in pod["spec"]["containers"]],
        }
        self._writes.put_status(pod, shown)


def _condition(pod: Object, name: str, holds: bool, now: str) -> Object:
    old = {each["type"]: each for each in pod["status"].get("conditions", ())}.get(name)
    text = str(holds)
    since = old["lastTransitionTime"] if old and old["status"] == text else now
    shown: Object = {"type": name, "status": text, "lastTransitionTime": since, "lastProbeTime": None}
    if not holds and name in ("Ready", "ContainersReady"):
        shown |= {"reason": "ContainersNotReady", "message": "containers with unready status"}
    return shown


def _container(pod: Object, container: Object, state: PodState, start: float) -> Object:
    current: dict[str, Any] = {"startedAt": stamp(start + state.started_seconds)}
    if state.state == "waiting":
        current = {"reason": state.reason, "message": state.message}
    last = {}
    if state.exited:
        began, ended, code, reason = state.exited
        last = {
            "exitCode": code,
            "reason": reason,
            "startedAt": stamp(start + began),
            "finishedAt": stamp(start + ended),
        }
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": container["image"],
        "containerID": f"simulated://{pod['metadata']['uid']}/{container['name']}",
        "ready": state.ready,
        "started": state.state == "running",
        "restartCount": state.restarts,
        "state": {state.state: current},
        "lastState": {"terminated": last} if last else {},
    }


def _address(uid: str) -> str:
    digest = hashlib.sha256(uid.encode()).digest()
    return f"10.42.{digest[0]}.{1 + digest[1] % 254}"
