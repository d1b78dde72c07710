"""What is left to promise: on each adapter's machines, and under the ceilings on the sum of all promises."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.planning.capacity.packing import FreeMachine, eligible, fit
from reconciler.values.desired import Desired
from reconciler.values.ids import OrderId
from reconciler.values.limits import Limits
from reconciler.values.machines import Capacity, Machine, Promise
from reconciler.values.observed import AdapterView
from reconciler.values.plans import Reason
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.resources import Attribute, Parts, Resources, total

ADAPTER = "adapter"
"""Order attribute that names an adapter."""
WHYS_MAX = 3
"""Adapters that a message lists."""
Pieces = tuple[Resources, ...]
_NAMED = (Reason.ADAPTER_DENIED, Reason.NETWORK_POLICY_MISSING, Reason.AUTH_FAILURE)


@dataclass(frozen=True, slots=True)
class AdapterHeadroom:
    """What is left of one adapter: of each machine, of the sum that may be promised, and of persistent
    volumes by class; may be negative.
    """

    machines: tuple[FreeMachine, ...]
    left: Resources
    workloads_are_whole: bool = False
    volumes_left: Parts[str] = ()

    def pack(self, pieces: Pieces, attributes: Sequence[Attribute]) -> tuple[str, ...] | None:
        """The machine of each piece (of all of them, where workloads are whole); None if they do not fit."""
        packed = self.packed(pieces)
        wanted = total(list(packed))
        if not self.left.covers(wanted) or wanted.leased_ips > max(self.left.leased_ips, 0):
            return None
        if self._short_classes(pieces):
            return None
        machines = eligible(self.machines, attributes)
        found = fit([machine.free for machine in machines], packed)
        return None if found is None else tuple(machines[at].name for at in found)

    def after(self, pieces: Pieces, machines: Sequence[str]) -> AdapterHeadroom:
        """What is left after these pieces are promised on these machines."""
        packed = self.packed(pieces)
        taken: dict[str, Resources] = {}
        for name, piece in zip(machines, packed, strict=True):
            taken[name] = taken.get(name, Resources()) + piece
        rest = tuple(
            replace(each, free=each.free - taken[each.name]) if each.name in taken else each
            for each in self.machines
        )
        volumes = without_volumes(self.volumes_left, total(list(pieces)))
        return replace(self, machines=rest, left=self.left - total(list(packed)), volumes_left=volumes)

    def shortage(self, pieces: Pieces, attributes: Sequence[Attribute]) -> str:
        """Why the pieces do not fit, with the figures."""
        packed = self.packed(pieces)
        wanted = total(list(packed))
        if short := self.left.lacks(wanted):
            return f"{self.left.without_negatives().describe()} is free: too little {', '.join(short)}"
        if wanted.leased_ips > (free := max(self.left.leased_ips, 0)):
            return f"{free} addresses of its pool are free: too few leased IPs"
        if classes := self._short_classes(pieces):
            return f"too little persistent storage of class {', '.join(classes)} is free"
        machines = eligible(self.machines, attributes)
        if not machines:
            return "no machine has the requested attributes"
        if self.workloads_are_whole:
            return "no host has enough free for all of it"
        alone = [piece for piece in packed if not any(each.free.covers(piece) for each in machines)]
        if alone:
            return f"one unit requires {alone[0].describe()}, more than any single node has free"
        return "its units fit on no set of nodes together"

    def matches(self, attributes: Sequence[Attribute]) -> int:
        """How many of the attributes a machine has, at most."""
        return max((len(set(attributes) & set(each.attributes)) for each in self.machines), default=0)

    def packed(self, pieces: Pieces) -> Pieces:
        """What goes to a machine as one: each piece without its persistent volumes, or all of them together
        where workloads are whole.
        """
        local = tuple(piece.on_machine for piece in pieces)
        return (total(list(local)),) if self.workloads_are_whole else local

    def _short_classes(self, pieces: Pieces) -> tuple[str, ...]:
        """The classes of persistent volumes of which too little is left."""
        left = dict(self.volumes_left)
        wanted = total(list(pieces)).volumes
        return tuple(name for name, part in wanted if part > left.get(name, 0))


def without_volumes(left: Parts[str], taken: Resources) -> Parts[str]:
    """What is left of the persistent volumes of each class; may be negative."""
    if not left or not (gone := dict(taken.volumes)):
        return left
    return tuple((name, part - gone.get(name, 0)) for name, part in left)


@dataclass(frozen=True, slots=True)
class Headroom:
    """The adapters whose capacity is seen, by name, and what is left under the host file's ceiling on the sum
    of all promises (None: no ceiling).
    """

    adapters: Mapping[str, AdapterHeadroom]
    ceiling: Resources | None = None

    def place(self, pieces: Pieces, attributes: Sequence[Attribute]) -> Promise | None:
        """The first suitable adapter on whose machines the pieces fit; None if they fit on none."""
        if self.ceiling is not None and not self.ceiling.covers(total(list(pieces))):
            return None
        for name in self.by_preference(attributes):
            machines = self.adapters[name].pack(pieces, attributes)
            if machines is not None:
                return Promise(name, machines)
        return None

    def only(self, names: Collection[str]) -> Headroom:
        """That of these adapters."""
        return replace(self, adapters={name: room for name, room in self.adapters.items() if name in names})

    def after(self, promise: Promise, pieces: Pieces) -> Headroom:
        """What is left after a promise."""
        room = self.adapters[promise.adapter].after(pieces, promise.machines)
        ceiling = self.ceiling - total(list(pieces)) if self.ceiling is not None else None
        return Headroom({**self.adapters, promise.adapter: room}, ceiling)

    def shortage(self, pieces: Pieces, attributes: Sequence[Attribute]) -> str:
        """Why the pieces fit on no adapter, with the figures."""
        wanted = total(list(pieces))
        if self.ceiling is not None and (short := self.ceiling.lacks(wanted)):
            left = f"the host file's capacity leaves {self.ceiling.without_negatives().describe()}"
            return f"requires {wanted.describe()}; {left}: too little {', '.join(short)}"
        names = self.by_preference(attributes)
        whys = [f"{name}: {self.adapters[name].shortage(pieces, attributes)}" for name in names[:WHYS_MAX]]
        more = f"; and {len(names) - WHYS_MAX} more adapters" if len(names) > WHYS_MAX else ""
        return f"requires {wanted.describe()} on one adapter; {'; '.join(whys)}{more}"

    @property
    def left(self) -> Resources:
        """The sum of what is left: for display only."""
        whole = total([room.left for room in self.adapters.values()])
        return whole if self.ceiling is None else whole.least(self.ceiling)

    def by_preference(self, attributes: Sequence[Attribute]) -> list[str]:
        """The adapters in order of preference: that which the order names, else those that match most
        attributes, clusters first.
        """
        named = [value for key, value in attributes if key == ADAPTER and value in self.adapters]
        if named:
            return named[:1]

        def rank(name: str) -> tuple[int, bool, str]:
            room = self.adapters[name]
            return -room.matches(attributes), room.workloads_are_whole, name

        return sorted(self.adapters, key=rank)


@dataclass(frozen=True, slots=True)
class Reservation:
    """What is left after everything promised, where each promise lies, and those that fit nowhere now."""

    headroom: Headroom
    promises: Mapping[OrderId, Promise] = field(default_factory=dict)
    unplaced: frozenset[OrderId] = frozenset()


def adapter_headroom(
    capacity: Capacity, free: tuple[FreeMachine, ...], reserve_percent: int, leased_ips: int = 0
) -> AdapterHeadroom:
    """An adapter's room before any promise; what our workloads hold is taken from its machines."""
    left = replace(capacity.total.percent(100 - reserve_percent), leased_ips=leased_ips)
    volumes = tuple((name, part * (100 - reserve_percent) // 100) for name, part in capacity.volumes)
    return AdapterHeadroom(free, left, capacity.workloads_are_whole, volumes)


def free_machine(machine: Machine) -> FreeMachine:
    """What is left of a machine beside our workloads on it, with the model of its GPUs if that is named."""
    free, model = machine.free, machine.gpu_model
    if model and free.gpu > 0:
        free = replace(free, gpu_models=(((model,), free.gpu),))
    return FreeMachine(machine.name, free, machine.attributes)


def offered(adapters: Mapping[str, AdapterView]) -> Reading[Resources]:
    """The sum of what the adapters' machines offer; Unseen if no adapter's capacity could be read."""
    views = [view.capacity for _, view in sorted(adapters.items())]
    seen = [each.view.total for each in views if isinstance(each, Seen)]
    if seen:
        return Seen(total(seen))
    unseen = [each for each in views if isinstance(each, Unseen)]
    whys = "; ".join(each.why for each in unseen)
    words = {each.reason for each in unseen}
    none = "no adapter is configured; name a kubeconfig in the host file, or add hosts to the repository"
    return Unseen(whys or none, words.pop() if len(words) == 1 else "")


def unseen_reason(cluster: Unseen) -> Reason:
    """The reason of holds on effects that need the cluster; ClusterUnseen unless a more specific one is
    known.
    """
    return next((reason for reason in _NAMED if cluster.reason == reason), Reason.CLUSTER_UNSEEN)


def usable(whole: Resources, limits: Limits, desired: Desired) -> Resources:
    """The most of what machines offer that may be promised in sum, after the reserve and the host's
    ceiling.
    """
    most = whole if limits.capacity is None else whole.least(limits.capacity)
    return most.percent(100 - reserve_percent(desired))


def reserve_percent(desired: Desired) -> int:
    """The share of the capacity that config.yaml keeps free."""
    return desired.config.capacity_reserve_percent if desired.config else 0
