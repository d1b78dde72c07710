"""Reserves machines for everything promised: leases, open bids, and bids on their way. Pure.

Effects in flight need no room of their own: an apply belongs to a lease, and a workload that is being removed
holds its machine until it is gone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.planning.capacity.headroom import (
    AdapterHeadroom,
    Headroom,
    Pieces,
    Reservation,
    adapter_headroom,
    free_machine,
    reserve_percent,
    without_volumes,
)
from reconciler.planning.capacity.packing import FreeMachine, eligible, fit
from reconciler.planning.capacity.placement import tied_adapter, tied_adapters
from reconciler.planning.lease_index import promises_by_workload, served_leases
from reconciler.planning.planning_input import PlanningBasis
from reconciler.values.clusters import KubernetesSettings
from reconciler.values.ids import OrderId, WorkloadId, workload_id
from reconciler.values.machines import Capacity, Promise
from reconciler.values.messages import CreateBid
from reconciler.values.observed import AdapterView, Bid, Lease, Market
from reconciler.values.readings import Seen, Unseen
from reconciler.values.resources import Attribute, Resources, ResourceUnit, group_resources, total
from reconciler.values.result_cache import KeyedInput, KeyedInputs

NOTHING = Resources()
NOTHING_HELD: Mapping[WorkloadId, Resources] = {}
PIECES_MAX = 1_000
"""Units of one order: the chain allows 20 kinds of units, 50 of each (semantics 2)."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a lease or bid was promised: the units of its order, on `adapter` ("": to be chosen) and there on
    `machines`, one for each piece; `workload` is that of a lease, which may run already. `may_move`: nothing
    but the promise ties it to its adapter.
    """

    order: OrderId
    pieces: Pieces
    attributes: tuple[Attribute, ...]
    adapter: str
    machines: tuple[str, ...]
    workload: WorkloadId | None = None
    may_move: bool = False


def reserve(basis: PlanningBasis) -> Reservation:
    """Reserve each claim where it was promised, then find room for pieces whose machine is gone or full;
    leases come before bids, older bids before newer ones. The promises are kept while the chain is unseen.
    """
    market, rooms = basis.market, _rooms(basis)
    leases = _lease_claims(basis)
    missing = _missing_pieces(basis, leases, rooms)
    inputs = (
        *(leases, missing, reserve_percent(basis.desired), basis.limits.capacity, basis.memory.promises),
        *((market.bids, *basis.intents, market.orders if basis.intents else None) if market else ()),
        *(
            part
            for name, view in sorted(basis.adapters.items())
            for part in (name, _capacity_of(view), _leased_ips(basis, name))
        ),
    )
    return basis.decisions.reuse(
        "reserve", inputs, lambda: _reserve(basis, _Machines(basis, rooms), leases, missing)
    )


def _capacity_of(view: AdapterView) -> object:
    """What the adapter's machines offer, or why that is unseen."""
    return view.capacity.view if isinstance(view.capacity, Seen) else view.capacity


def _rooms(basis: PlanningBasis) -> Mapping[str, AdapterHeadroom]:
    """The room of each adapter whose capacity is seen, before any promise."""
    percent = reserve_percent(basis.desired)
    return {
        name: adapter_headroom(
            view.capacity.view,
            _free_machines(basis, name, view.capacity.view),
            percent,
            _leased_ips(basis, name),
        )
        for name, view in sorted(basis.adapters.items())
        if isinstance(view.capacity, Seen)
    }


def _leased_ips(basis: PlanningBasis, adapter: str) -> int:
    """How many addresses may be leased on an adapter."""
    settings = basis.desired.adapters.get(adapter)
    pool = settings.leased_ips if isinstance(settings, KubernetesSettings) else None
    return pool.count if pool else 0


def _free_machines(basis: PlanningBasis, adapter: str, capacity: Capacity) -> tuple[FreeMachine, ...]:
    machines = {each.name: each for each in capacity.machines}
    inputs = KeyedInputs(machines, (KeyedInput(machines),))
    free = basis.decisions.reuse_each(
        ("free machines", adapter), inputs, lambda name: free_machine(machines[name])
    )
    return tuple(free.values())


def _held(basis: PlanningBasis, adapter: str) -> Mapping[WorkloadId, Resources]:
    """What each workload holds of an adapter's machines; nothing while that is unseen."""
    capacity, results = basis.adapters[adapter].capacity, basis.decisions
    if isinstance(capacity, Unseen):
        return NOTHING_HELD
    machines = {each.name: each for each in capacity.view.machines}
    inputs = KeyedInputs(machines, (KeyedInput(machines),))
    by_machine = results.reuse_each(
        ("held on a machine", adapter), inputs, lambda name: machines[name].held_by_workload
    )

    def in_all() -> Mapping[WorkloadId, Resources]:
        found: dict[WorkloadId, Resources] = {}
        for held in by_machine.values():
            found |= {name: found[name] + part if name in found else part for name, part in held.items()}
        return results.same_each(("held", adapter), found)

    return results.reuse(("held in all", adapter), (by_machine,), in_all)


def _missing_pieces(
    basis: PlanningBasis, leases: Mapping[WorkloadId, Claim], rooms: Mapping[str, AdapterHeadroom]
) -> Mapping[WorkloadId, Mapping[int, Resources]]:
    """The pieces, by index, that each lease's workload does not hold yet; without workloads that hold all,
    and those on unseen adapters.
    """
    names = sorted(basis.adapters)
    held = {name: _held(basis, name) for name in names}
    shared = [(name, name in rooms and rooms[name].workloads_are_whole, name in rooms) for name in names]

    def missing(name: WorkloadId) -> Mapping[int, Resources] | None:
        claim = leases[name]
        if claim.adapter not in rooms:
            return None if claim.adapter else dict(enumerate(claim.pieces))
        packed = rooms[claim.adapter].packed(claim.pieces)
        return _beyond(packed, held[claim.adapter].get(name, NOTHING)) or None

    by_key = (KeyedInput(leases), *(KeyedInput(held[name]) for name in names))
    inputs = KeyedInputs(leases, by_key, tuple(part for parts in shared for part in parts))
    return basis.decisions.reuse_each("missing pieces", inputs, missing)


def _beyond(pieces: Pieces, held: Resources) -> Mapping[int, Resources]:
    """The pieces, by index, that remain after what is held."""
    rest: dict[int, Resources] = {}
    for index, piece in enumerate(pieces):
        left = (piece - held).without_negatives()
        held = (held - piece).without_negatives()
        if left != NOTHING:
            rest[index] = left
    return rest


def _reserve(
    basis: PlanningBasis,
    machines: _Machines,
    leases: Mapping[WorkloadId, Claim],
    missing: Mapping[WorkloadId, Mapping[int, Resources]],
) -> Reservation:
    known = basis.memory.promises
    if basis.market is None:
        return Reservation(machines.headroom(), known)
    bids = [*_bids(basis, basis.market)]
    machines.count(_claimed(basis, leases))
    for bid in bids:
        machines.count({bid.adapter: total(list(bid.pieces))})
    in_order = sorted((leases[name] for name in missing), key=lambda claim: str(claim.order))
    pinned = [(claim, machines.pin(claim, missing[claim.workload])) for claim in in_order if claim.workload]
    pinned += [(bid, machines.pin(bid, rest)) for bid in bids if (rest := machines.pieces(bid))]
    moved = {claim.order: machines.settle(claim, rest) for claim, rest in pinned if rest}
    kept = _kept_promises(basis, leases, bids)
    changed = {
        order: found for order, found in moved.items() if found is not None and known.get(order) != found
    }
    unplaced = frozenset(order for order, promise in moved.items() if promise is None)
    return Reservation(machines.headroom(), {**kept, **changed} if changed else kept, unplaced)


def _claimed(basis: PlanningBasis, leases: Mapping[WorkloadId, Claim]) -> Mapping[str, Resources]:
    """The sum of the claims of leases on each adapter."""
    inputs = KeyedInputs(leases, (KeyedInput(leases),))
    each = basis.decisions.reuse_each(
        "resources of claims", inputs, lambda name: total(list(leases[name].pieces))
    )

    def sums() -> Mapping[str, Resources]:
        found: dict[str, list[Resources]] = defaultdict(list)
        for name, claim in leases.items():
            found[claim.adapter].append(each[name])
        return {adapter: total(parts) for adapter, parts in found.items()}

    return basis.decisions.reuse("claimed", (leases, each), sums)


def _kept_promises(
    basis: PlanningBasis, leases: Mapping[WorkloadId, Claim], bids: Sequence[Claim]
) -> Mapping[OrderId, Promise]:
    """The known promises of these claims; the same mapping if none has ended."""
    known = basis.memory.promises
    leased = basis.decisions.reuse(
        "leased orders", (leases,), lambda: {claim.order for claim in leases.values()}
    )
    claimed = leased | {bid.order for bid in bids}
    return known if known.keys() <= claimed else {order: known[order] for order in known if order in claimed}


def promised_resources(market: Market) -> Resources:
    """The sum of what leases and bids that may win claim."""
    leased = [_all(lease.units) for lease in market.leases.values() if market.may_be_active(lease)]
    bid = [_all(bid.order.units) for bid in market.bids.values() if bid.order and bid.may_win]
    return total(leased + bid)


def pieces_of(units: Sequence[ResourceUnit]) -> Pieces:
    """Every unit of a group; more than the chain allows count as one, so a false order costs no memory. The
    first has the group's leased addresses.
    """
    is_false = sum(unit.count for unit in units) > PIECES_MAX
    pieces = (_all(units),) if is_false else tuple(piece for unit in units for piece in unit.pieces)
    leased = Resources(leased_ips=group_resources(units).leased_ips)
    return (pieces[0] + leased, *pieces[1:]) if leased.leased_ips and pieces else pieces


def _all(units: Sequence[ResourceUnit]) -> Resources:
    return total([unit.all for unit in units])


def _lease_claims(basis: PlanningBasis) -> Mapping[WorkloadId, Claim]:
    """The claims of served leases."""
    served, promised = served_leases(basis), basis.memory.promises
    results = basis.decisions
    promises = results.reuse(
        "promises of leases",
        (served, promised),
        lambda: promises_by_workload({name: each.id for name, each in served.items()}, promised),
    )
    by_key = (KeyedInput(served), KeyedInput(tied_adapters(basis)), KeyedInput(promises))
    inputs = KeyedInputs(served, by_key, tuple(sorted(basis.adapters)))
    return results.reuse_each("claims of leases", inputs, lambda name: _lease(basis, served[name]))


def _lease(basis: PlanningBasis, lease: Lease) -> Claim:
    subject, pieces = workload_id(lease.id), pieces_of(lease.units)
    adapter = tied_adapter(basis, lease.id)
    if not adapter:
        claim = _promised(basis, lease.id.order, pieces, lease.attributes)
        return replace(claim, workload=subject)
    promise = basis.memory.promises.get(lease.id.order)
    machines = promise.machines if promise and promise.adapter == adapter else ()
    return Claim(lease.id.order, pieces, lease.attributes, adapter, machines, subject)


def _bids(basis: PlanningBasis, market: Market) -> Iterator[Claim]:
    """Open bids, then those in unconfirmed transactions."""
    shown = (bid for bid in market.bids.values() if bid.may_win)
    for bid in sorted(shown, key=lambda bid: (bid.created_at, str(bid.id))):
        yield _bid(basis, bid)
    for intent in basis.intents:
        for message in intent.messages:
            if isinstance(message, CreateBid) and message.id not in market.bids:
                order = market.orders.get(message.id.order)
                attributes = order.attributes if order else ()
                yield _promised(basis, message.id.order, pieces_of(message.units), attributes)


def _bid(basis: PlanningBasis, bid: Bid) -> Claim:
    assert bid.order is not None, "a bid whose order is unknown claims nothing"
    return _promised(basis, bid.id.order, pieces_of(bid.order.units), bid.order.attributes)


def _promised(
    basis: PlanningBasis, order: OrderId, pieces: Pieces, attributes: tuple[Attribute, ...]
) -> Claim:
    promise = basis.memory.promises.get(order)
    if promise is None or promise.adapter not in basis.adapters:
        return Claim(order, pieces, attributes, "", ())
    return Claim(order, pieces, attributes, promise.adapter, promise.machines, may_move=True)


class _Machines:
    """The machines while claims are reserved on them, in place; made and used within one call."""

    def __init__(self, basis: PlanningBasis, rooms: Mapping[str, AdapterHeadroom]) -> None:
        self._rooms = rooms
        self._free = {
            name: {each.name: each.free for each in room.machines} for name, room in self._rooms.items()
        }
        self._left = {name: room.left for name, room in self._rooms.items()}
        self._volumes = {name: room.volumes_left for name, room in self._rooms.items()}
        most = basis.limits.capacity
        self._ceiling = most.percent(100 - reserve_percent(basis.desired)) if most is not None else None
        self._eligible: dict[tuple[str, tuple[Attribute, ...]], list[str]] = {}

    def headroom(self) -> Headroom:
        """What is left."""
        return Headroom({name: self._room(name) for name in self._rooms}, self._ceiling)

    def count(self, claimed: Mapping[str, Resources], *, is_ceiling: bool = True) -> None:
        """Deduct claims from the sums that may be promised, by adapter ("": to be chosen)."""
        if self._ceiling is not None and is_ceiling:
            self._ceiling -= total(list(claimed.values()))
        for name, amount in claimed.items():
            if name in self._left:
                self._left[name] -= amount.on_machine
                self._volumes[name] = without_volumes(self._volumes[name], amount)

    def pieces(self, claim: Claim) -> Mapping[int, Resources]:
        """All pieces of a claim by index; none on an unseen adapter."""
        room = self._rooms.get(claim.adapter)
        if room is None:
            return {} if claim.adapter else dict(enumerate(claim.pieces))
        return dict(enumerate(room.packed(claim.pieces)))

    def pin(self, claim: Claim, pieces: Mapping[int, Resources]) -> Mapping[int, Resources]:
        """Reserve the pieces that have room on their promised machine; returns the others."""
        free, rest = self._free.get(claim.adapter, {}), dict(pieces)
        for index, piece in pieces.items():
            name = claim.machines[index] if index < len(claim.machines) else ""
            if name in free and free[name].covers(piece):
                free[name] -= rest.pop(index)
        return rest

    def settle(self, claim: Claim, rest: Mapping[int, Resources]) -> Promise | None:
        """Find room for these pieces of a claim on its adapter, or on any if it has none or may move."""
        if not claim.adapter:
            promise = self._choose(claim)
            if promise is None:  # it counts against the sum that may be promised, wherever it will run
                claimed = total(list(claim.pieces))
                self.count(dict.fromkeys(self._left, claimed), is_ceiling=False)
            return promise
        free, machines = self._free[claim.adapter], self._eligible_on(claim.adapter, claim.attributes)
        found = fit([free[name] for name in machines], list(rest.values()))
        if found is None:
            return self._move(claim, rest) if claim.may_move else None
        packed = self._rooms[claim.adapter].packed(claim.pieces)
        names = list(claim.machines) if len(claim.machines) == len(packed) else [""] * len(packed)
        for (index, piece), at in zip(rest.items(), found, strict=True):
            names[index] = machines[at]
            free[machines[at]] -= piece
        return Promise(claim.adapter, tuple(names))

    def _eligible_on(self, adapter: str, attributes: tuple[Attribute, ...]) -> list[str]:
        """The names of the adapter's machines that meet the attributes."""
        if (adapter, attributes) not in self._eligible:
            found = eligible(self._rooms[adapter].machines, attributes)
            self._eligible[adapter, attributes] = [machine.name for machine in found]
        return self._eligible[adapter, attributes]

    def _move(self, claim: Claim, rest: Mapping[int, Resources]) -> Promise | None:
        """Give up its machines and choose again; without another choice it keeps them."""
        before = dict(self._free[claim.adapter]), self._left[claim.adapter]
        packed = self._rooms[claim.adapter].packed(claim.pieces)
        volumes = self._volumes[claim.adapter]
        self._left[claim.adapter] += total(list(packed))
        self._volumes[claim.adapter] = without_volumes(volumes, total(list(claim.pieces)).times(-1))
        for index, piece in enumerate(packed):
            if index not in rest:
                self._free[claim.adapter][claim.machines[index]] += piece
        promise = self._choose(claim)
        if promise is None:
            self._free[claim.adapter], self._left[claim.adapter] = before
            self._volumes[claim.adapter] = volumes
        return promise

    def _choose(self, claim: Claim) -> Promise | None:
        promise = replace(self.headroom(), ceiling=None).place(claim.pieces, claim.attributes)
        if promise is not None:
            packed = self._rooms[promise.adapter].packed(claim.pieces)
            self._left[promise.adapter] -= total(list(packed))
            wanted = total(list(claim.pieces))
            self._volumes[promise.adapter] = without_volumes(self._volumes[promise.adapter], wanted)
            for name, piece in zip(promise.machines, packed, strict=True):
                self._free[promise.adapter][name] -= piece
        return promise

    def _room(self, name: str) -> AdapterHeadroom:
        free = self._free[name]
        machines = tuple(FreeMachine(m.name, free[m.name], m.attributes) for m in self._rooms[name].machines)
        left, volumes = self._left[name], self._volumes[name]
        return replace(self._rooms[name], machines=machines, left=left, volumes_left=volumes)
