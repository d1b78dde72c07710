"""Reserves machines for everything promised: leases, open bids, and bids on their way. Pure.

Effects in flight need no room of their own: an apply belongs to a lease, and a workload that is being removed
holds its machine until it is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.planning.capacity.headroom import (
    AdapterHeadroom,
    Headroom,
    Pieces,
    Reservation,
    adapter_headroom,
    reserve_percent,
)
from reconciler.planning.capacity.packing import FreeMachine, eligible, fit
from reconciler.planning.capacity.placement import tied_adapter, tied_adapters
from reconciler.planning.lease_index import promises_by_workload, served_leases
from reconciler.planning.planning_input import PlanningBasis
from reconciler.values.ids import OrderId, WorkloadId, workload_id
from reconciler.values.machines import Promise
from reconciler.values.messages import CreateBid
from reconciler.values.observed import AdapterView, Bid, Lease, Market
from reconciler.values.readings import Seen
from reconciler.values.resources import Attribute, Resources, ResourceUnit, total
from reconciler.values.result_cache import KeyedInput, KeyedInputs

NOTHING = Resources()
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
    market = basis.market
    leases = _lease_claims(basis)
    inputs = (
        *(leases, reserve_percent(basis.desired), basis.limits.capacity, basis.memory.promises),
        *((market.bids, *basis.intents, market.orders if basis.intents else None) if market else ()),
        *(part for name, view in sorted(basis.adapters.items()) for part in (name, _capacity_of(view))),
    )
    return basis.decisions.reuse("reserve", inputs, lambda: _reserve(basis, leases))


def _capacity_of(view: AdapterView) -> object:
    """What the adapter's machines offer, or why that is unseen."""
    return view.capacity.view if isinstance(view.capacity, Seen) else view.capacity


def _reserve(basis: PlanningBasis, leases: Sequence[Claim]) -> Reservation:
    machines = _Machines(basis)
    if basis.market is None:
        return Reservation(machines.headroom(), basis.memory.promises)
    claims = [*leases, *_bids(basis, basis.market)]
    loose = [(claim, rest) for claim in claims if (rest := machines.pin(claim)) is not None]
    moved = {claim.order: machines.settle(claim, rest) for claim, rest in loose}
    promises = {
        claim.order: promise
        for claim in claims
        if (promise := moved.get(claim.order) or basis.memory.promises.get(claim.order)) is not None
    }
    known = basis.memory.promises
    unplaced = frozenset(order for order, promise in moved.items() if promise is None)
    return Reservation(machines.headroom(), known if promises == known else promises, unplaced)


def promised_resources(market: Market) -> Resources:
    """The sum of what leases and bids that may win claim."""
    leased = [_all(lease.units) for lease in market.leases.values() if market.may_be_active(lease)]
    bid = [_all(bid.order.units) for bid in market.bids.values() if bid.order and bid.may_win]
    return total(leased + bid)


def pieces_of(units: Sequence[ResourceUnit]) -> Pieces:
    """Every unit of a group; more than the chain allows count as one, so a false order costs no memory."""
    if sum(unit.count for unit in units) > PIECES_MAX:
        return (_all(units),)
    return tuple(piece for unit in units for piece in unit.pieces)


def _all(units: Sequence[ResourceUnit]) -> Resources:
    return total([unit.all for unit in units])


def _lease_claims(basis: PlanningBasis) -> Sequence[Claim]:
    """The claims of served leases, in the order of their ids as text; the same object if none differs."""
    served, promised = served_leases(basis), basis.memory.promises
    results = basis.decisions
    promises = results.reuse(
        "promises of leases",
        (served, promised),
        lambda: promises_by_workload({name: each.id for name, each in served.items()}, promised),
    )
    by_key = (KeyedInput(served), KeyedInput(tied_adapters(basis)), KeyedInput(promises))
    inputs = KeyedInputs(served, by_key, tuple(sorted(basis.adapters)))
    claims = results.reuse_each("claims of leases", inputs, lambda name: _lease(basis, served[name]))
    in_order = results.reuse(
        "leases in order", (served,), lambda: sorted(served, key=lambda name: str(served[name].id))
    )
    return results.reuse("claims in order", (claims,), lambda: [claims[name] for name in in_order])


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

    def __init__(self, basis: PlanningBasis) -> None:
        percent = reserve_percent(basis.desired)
        views = {
            n: v.capacity.view for n, v in sorted(basis.adapters.items()) if isinstance(v.capacity, Seen)
        }
        self._rooms: dict[str, AdapterHeadroom] = {
            name: adapter_headroom(view, percent) for name, view in views.items()
        }
        self._free = {
            name: {each.name: each.free for each in room.machines} for name, room in self._rooms.items()
        }
        self._left = {name: room.left for name, room in self._rooms.items()}
        most = basis.limits.capacity
        self._ceiling = most.percent(100 - percent) if most is not None else None
        self._held: dict[tuple[str, WorkloadId], Resources] = {}
        for name, view in views.items():
            for machine in view.machines:
                for workload, pieces in machine.held.items():
                    held = self._held.get((name, workload), NOTHING)
                    self._held[name, workload] = held + total(list(pieces))

    def headroom(self) -> Headroom:
        """What is left."""
        return Headroom({name: self._room(name) for name in self._rooms}, self._ceiling)

    def pin(self, claim: Claim) -> dict[int, Resources] | None:
        """Reserve the pieces that run already or that have room on their promised machine; the others by
        index, None if there are none.
        """
        if self._ceiling is not None:
            self._ceiling -= total(list(claim.pieces))
        room = self._rooms.get(claim.adapter)
        if room is None:
            return None if claim.adapter else dict(enumerate(claim.pieces))
        packed = room.packed(claim.pieces)
        self._left[claim.adapter] -= total(list(packed))
        free = self._free[claim.adapter]
        rest = self._missing(claim, packed)
        for index in list(rest):
            name = claim.machines[index] if index < len(claim.machines) else ""
            if name in free and free[name].covers(rest[index]):
                free[name] -= rest.pop(index)
        return rest or None

    def settle(self, claim: Claim, rest: Mapping[int, Resources]) -> Promise | None:
        """Find room for these pieces of a claim on its adapter, or on any if it has none or may move."""
        if not claim.adapter:
            promise = self._choose(claim)
            if promise is None:  # it counts against the sum that may be promised, wherever it will run
                self._left = {name: left - total(list(claim.pieces)) for name, left in self._left.items()}
            return promise
        room = self._room(claim.adapter)
        machines = eligible(room.machines, claim.attributes)
        found = fit(machines, list(rest.values()))
        if found is None:
            return self._move(claim, rest) if claim.may_move else None
        packed = room.packed(claim.pieces)
        names = list(claim.machines) if len(claim.machines) == len(packed) else [""] * len(packed)
        for (index, piece), at in zip(rest.items(), found, strict=True):
            names[index] = machines[at].name
            self._free[claim.adapter][machines[at].name] -= piece
        return Promise(claim.adapter, tuple(names))

    def _move(self, claim: Claim, rest: Mapping[int, Resources]) -> Promise | None:
        """Give up its machines and choose again; without another choice it keeps them."""
        before = dict(self._free[claim.adapter]), self._left[claim.adapter]
        packed = self._rooms[claim.adapter].packed(claim.pieces)
        self._left[claim.adapter] += total(list(packed))
        for index, piece in enumerate(packed):
            if index not in rest:
                self._free[claim.adapter][claim.machines[index]] += piece
        promise = self._choose(claim)
        if promise is None:
            self._free[claim.adapter], self._left[claim.adapter] = before
        return promise

    def _choose(self, claim: Claim) -> Promise | None:
        promise = replace(self.headroom(), ceiling=None).place(claim.pieces, claim.attributes)
        if promise is not None:
            packed = self._rooms[promise.adapter].packed(claim.pieces)
            self._left[promise.adapter] -= total(list(packed))
            for name, piece in zip(promise.machines, packed, strict=True):
                self._free[promise.adapter][name] -= piece
        return promise

    def _missing(self, claim: Claim, packed: Pieces) -> dict[int, Resources]:
        """The pieces, by index, beyond what the claim's workload holds already."""
        if claim.workload is None:
            return dict(enumerate(packed))
        held = self._held.get((claim.adapter, claim.workload), NOTHING)
        missing: dict[int, Resources] = {}
        for index, piece in enumerate(packed):
            rest = (piece - held).without_negatives()
            held = (held - piece).without_negatives()
            if rest != NOTHING:
                missing[index] = rest
        return missing

    def _room(self, name: str) -> AdapterHeadroom:
        free = self._free[name]
        machines = tuple(FreeMachine(m.name, free[m.name], m.attributes) for m in self._rooms[name].machines)
        return replace(self._rooms[name], machines=machines, left=self._left[name])
