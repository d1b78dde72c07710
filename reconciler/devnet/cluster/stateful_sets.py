"""The simulated StatefulSet controller, and the provisioner of its claims."""

from __future__ import annotations

from reconciler.devnet.cluster.deployments import CONTROLLER, is_ready, owner_of
from reconciler.devnet.cluster.events import ClusterEvent, record_event
from reconciler.devnet.cluster.kinds import BY_PLURAL, Object, Target
from reconciler.devnet.cluster.refusals import RefusalError
from reconciler.devnet.cluster.store import ObjectKey
from reconciler.devnet.cluster.writes import Writes, short_hash

_REVISION = "controller-revision-hash"
_POD_NAME = "statefulset.kubernetes.io/pod-name"


class StatefulSets:
    """Creates the pods and claims of a StatefulSet, all at once, and replaces outdated pods one by one."""

    def __init__(self, writes: Writes) -> None:
        self._writes = writes

    def sync(self, found: Object) -> bool:
        """Reconcile the pods of one StatefulSet by one step; False where a pod was refused."""
        if found["metadata"].get("deletionTimestamp"):
            return True
        name, wanted = found["metadata"]["name"], found["spec"]["replicas"]
        revision = f"{name}-{short_hash(found['spec']['template'])}"
        pods = {pod["metadata"]["name"]: pod for pod in self._pods(found)}
        names = [f"{name}-{at}" for at in range(wanted)]
        for extra in sorted(pods.keys() - set(names)):
            self._delete(pods[extra])
        made = [self._create(found, each, revision) for each in names if each not in pods]
        self._replace_one([pods[each] for each in names if each in pods], revision)
        self._writes.put_status(found, self._status(found, revision))
        return all(made)

    def _pods(self, found: Object) -> list[Object]:
        owned = self._writes.store.owned_by(found["metadata"]["uid"])
        return [each for each in owned if each["kind"] == "Pod"]

    def _delete(self, pod: Object) -> None:
        meta = pod["metadata"]
        if not meta.get("deletionTimestamp"):
            self._writes.delete(Target(BY_PLURAL["pods"], meta["namespace"], meta["name"]), {}, CONTROLLER)

    def _replace_one(self, pods: list[Object], revision: str) -> None:
        """Delete one outdated pod, if all that are current are ready."""
        current = [pod for pod in pods if pod["metadata"]["labels"][_REVISION] == revision]
        outdated = [pod for pod in pods if pod["metadata"]["labels"][_REVISION] != revision]
        ending = any(pod["metadata"].get("deletionTimestamp") for pod in pods)
        if outdated and not ending and all(is_ready(pod) for pod in current):
            self._delete(outdated[-1])

    def _create(self, found: Object, name: str, revision: str) -> bool:
        meta, template = found["metadata"], found["spec"]["template"]
        space, volumes = meta["namespace"], list(template["spec"].get("volumes", ()))
        for claim in found["spec"].get("volumeClaimTemplates", ()):
            claim_name = f"{claim['metadata']['name']}-{name}"
            volumes.append(
                {"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": claim_name}}
            )
            if self._writes.store.get(ObjectKey("persistentvolumeclaims", space, claim_name)) is None:
                labels = claim["metadata"].get("labels", {}) | found["spec"]["selector"]["matchLabels"]
                body = {
                    "metadata": claim["metadata"] | {"name": claim_name, "labels": labels},
                    "spec": claim["spec"],
                }
                target = Target(BY_PLURAL["persistentvolumeclaims"], space, claim_name)
                self._writes.create(target, body, CONTROLLER)
        labels = template["metadata"]["labels"] | {_REVISION: revision, _POD_NAME: name}
        metadata = template["metadata"] | {
            "name": name,
            "labels": labels,
            "ownerReferences": [owner_of(found)],
        }
        spec = template["spec"] | ({"volumes": volumes} if volumes else {})
        target = Target(BY_PLURAL["pods"], space, name)
        try:
            self._writes.create(target, {"metadata": metadata, "spec": spec}, CONTROLLER)
        except RefusalError as error:
            why = f"create Pod {name} in StatefulSet {meta['name']} failed error: {error}"
            event = ClusterEvent("FailedCreate", why, warning=True, component="statefulset-controller")
            record_event(self._writes, found, event)
            return False
        return True

    def _status(self, found: Object, revision: str) -> Object:
        pods = [pod for pod in self._pods(found) if not pod["metadata"].get("deletionTimestamp")]
        ready = sum(is_ready(pod) for pod in pods)
        current = sum(pod["metadata"]["labels"][_REVISION] == revision for pod in pods)
        counts = {"readyReplicas": ready, "availableReplicas": ready, "updatedReplicas": current}
        status: Object = {"observedGeneration": found["metadata"]["generation"], "replicas": len(pods)}
        return (
            status | {"updateRevision": revision} | {name: value for name, value in counts.items() if value}
        )


def bind_claim(writes: Writes, claim: Object) -> None:
    """Bind a claim whose StorageClass exists to a volume that is only a name."""
    storage_class = claim["spec"].get("storageClassName", "")
    if writes.store.get(ObjectKey("storageclasses", "", storage_class)) is None:
        writes.put_status(claim, {"phase": "Pending"})
        return
    size = claim["spec"].get("resources", {}).get("requests", {})
    writes.put_status(
        claim, {"phase": "Bound", "accessModes": claim["spec"]["accessModes"], "capacity": size}
    )


def unbound_claim(writes: Writes, pod: Object) -> bool:
    """Whether a claim of the pod is not bound yet."""
    for volume in pod["spec"].get("volumes", ()):
        if reference := volume.get("persistentVolumeClaim"):
            key = ObjectKey("persistentvolumeclaims", pod["metadata"]["namespace"], reference["claimName"])
            claim = writes.store.get(key)
            if claim is None or claim.get("status", {}).get("phase") != "Bound":
                return True
    return False
