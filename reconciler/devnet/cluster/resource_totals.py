"""The sums of pods' resources by namespace and by node, updated from the store's changes."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from reconciler.adapters.kubernetes.quantities import bytes_quantity, canonical, parse_quantity
from reconciler.devnet.cluster.kinds import Object
from reconciler.devnet.cluster.refusals import RefusalError
from reconciler.devnet.cluster.store import ObjectStore

Amounts = Counter[str]
_COUNTED = {"pods": "Pod", "services": "Service", "secrets": "Secret", "configmaps": "ConfigMap"}


def pod_amounts(pod: Object) -> dict[str, Decimal]:
    """A pod's requests and limits by quota name, with `pods`; empty once it has ended."""
    if pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return {}
    amounts: dict[str, Decimal] = {"pods": Decimal(1)}
    for container in pod["spec"]["containers"]:
        for side, listed in container.get("resources", {}).items():
            for name, amount in listed.items():
                at = f"{side}.{name}"
                amounts[at] = amounts.get(at, Decimal(0)) + parse_quantity(amount)
    return amounts


class ResourceTotals:
    """Sums of the store's pods, by namespace and by node."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._version = -1
        self._spaces: dict[str, dict[str, Decimal]] = {}
        self._nodes: dict[str, dict[str, Decimal]] = {}

    def in_namespace(self, namespace: str) -> dict[str, Decimal]:
        """Sums by quota name."""
        self._catch_up()
        return self._spaces.get(namespace, {})

    def on_node(self, node: str) -> dict[str, Decimal]:
        """Sums by quota name, of the pods on the node."""
        self._catch_up()
        return self._nodes.get(node, {})

    def _catch_up(self) -> None:
        with self._store.lock:
            try:
                changes = self._store.since(self._version) if self._version >= 0 else None
            except RefusalError:
                changes = None
            if changes is None:
                self._spaces, self._nodes = {}, {}
                for pod in self._store.all("pods"):
                    self._count(pod, 1)
            for change in changes or ():
                if change.key.plural == "pods":
                    if change.before:
                        self._count(change.before, -1)
                    if change.after:
                        self._count(change.after, 1)
            self._version = self._store.version

    def _count(self, pod: Object, sign: int) -> None:
        amounts = pod_amounts(pod)
        node = pod["spec"].get("nodeName")
        for sums in (
            self._spaces.setdefault(pod["metadata"]["namespace"], {}),
            self._nodes.setdefault(node, {}) if node else {},
        ):
            for name, amount in amounts.items():
                sums[name] = sums.get(name, Decimal(0)) + sign * amount


def quota_used(store: ObjectStore, tallies: ResourceTotals, quota: Object) -> dict[str, str]:
    """The `used` of a quota's status, in canonical form."""
    namespace = quota["metadata"]["namespace"]
    sums = tallies.in_namespace(namespace)
    used = {}
    for name in quota["spec"].get("hard", {}):
        plural = name.removeprefix("count/").partition(".")[0]
        if plural in _COUNTED and plural != "pods":
            used[name] = str(len(store.all(plural, namespace)))
        else:
            used[name] = _spelled(name, sums.get(_quota_key(name), Decimal(0)))
    return used


def refuse_over_quota(store: ObjectStore, tallies: ResourceTotals, pod: Object) -> str:
    """The reason why a quota of the pod's namespace forbids it, or ""."""
    namespace = pod["metadata"]["namespace"]
    amounts, sums = pod_amounts(pod), tallies.in_namespace(namespace)
    for quota in store.all("resourcequotas", namespace):
        hard = quota["spec"].get("hard", {})
        name = quota["metadata"]["name"]
        missing = [
            each for each in hard if each.startswith(("requests.", "limits.")) and _must_say(each, amounts)
        ]
        if missing:
            return f"failed quota: {name}: must specify {','.join(sorted(missing))}"
        over = [
            each
            for each in sorted(hard)
            if amounts.get(_quota_key(each))
            and sums.get(_quota_key(each), Decimal(0)) + amounts[_quota_key(each)]
            > parse_quantity(hard[each])
        ]
        if over:
            return _exceeded(quota, over, amounts, sums)
    return ""


def _must_say(name: str, amounts: dict[str, Decimal]) -> bool:
    return name.partition(".")[2] in ("cpu", "memory") and name not in amounts


def _exceeded(quota: Object, over: list[str], amounts: dict[str, Decimal], sums: dict[str, Decimal]) -> str:
    def listed(value: dict[str, str]) -> str:
        return ",".join(f"{name}={value[name]}" for name in over)

    requested = {name: _spelled(name, amounts[_quota_key(name)]) for name in over}
    used = {name: _spelled(name, sums.get(_quota_key(name), Decimal(0))) for name in over}
    return (
        f"exceeded quota: {quota['metadata']['name']}, requested: {listed(requested)}, "
        f"used: {listed(used)}, limited: {listed(quota['spec']['hard'])}"
    )


def _spelled(name: str, amount: Decimal) -> str:
    """Memory and storage in powers of 1024, the rest in powers of ten."""
    if name.endswith(("memory", "storage")):
        return bytes_quantity(int(amount))
    return canonical(str(amount))


def _quota_key(name: str) -> str:
    short = {"cpu": "requests.cpu", "memory": "requests.memory", "count/pods": "pods"}
    return short.get(name, name)
