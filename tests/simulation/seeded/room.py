"""Room on the machines for everything that was accepted: an exhaustive search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.chain.wire_market import order_id_of, order_of
from reconciler.planning.capacity.promises import pieces_of
from reconciler.values.ids import LeaseId
from reconciler.values.observed import State
from reconciler.values.resources import Resources, total
from tests.simulation.seeded.acts import active_leases
from tests.simulation.seeded.turn import Invariant, Turn
from tests.simulation.seeded.world import World

Pieces = tuple[Resources, ...]
Rooms = Mapping[str, Pieces]
"""Adapter -> what is free on each of its machines."""


class WhatIsAcceptedHasRoom(Invariant):
    """The units of all active leases fit on the machines together, those of a lease on one adapter."""

    def __init__(self) -> None:
        self._fitted: frozenset[LeaseId] = frozenset()

    def check(self, turn: Turn) -> Iterator[str]:
        leases = frozenset(active_leases(turn.world))
        if leases <= self._fitted:
            self._fitted = leases
            return
        if not Search(turn.world).fits(tuple(sorted(leases)), _rooms(turn.world)):
            yield f"the {len(leases)} leases do not fit together"
        self._fitted = leases


class Search:
    """Tries every placement; remembers those that failed."""

    def __init__(self, world: World) -> None:
        self._units = {
            order_id_of(wire.id): pieces_of(order_of(wire, State.OPEN, State.OPEN).units)
            for wire in world.orders()
        }
        self._whole = {name for name, each in world.adapters.items() if each.is_whole}
        self._failed: set[tuple[int, tuple[tuple[str, Pieces], ...]]] = set()

    def fits(self, leases: tuple[LeaseId, ...], rooms: Rooms) -> bool:
        """Whether all of these leases have room."""
        state = len(leases), tuple(rooms.items())
        if not leases or state in self._failed:
            return not leases
        pieces = self._units[leases[0].order]
        for name, free in rooms.items():
            for after in _placements(free, (total(list(pieces)),) if name in self._whole else pieces):
                if self.fits(leases[1:], {**rooms, name: after}):
                    return True
        self._failed.add(state)
        return False


def _rooms(world: World) -> Rooms:
    """All machines, those that failed or are in no file too: what was accepted before has its room again when
    they return.
    """
    return {
        name: _sorted([*each.machines.values(), *each.lost.values(), *each.absent.values()])
        for name, each in world.adapters.items()
    }


def _placements(free: Pieces, pieces: Pieces) -> Iterator[Pieces]:
    """What is left of the machines, for every way to place these pieces."""
    if not pieces:
        yield _sorted(free)
        return
    for at, room in enumerate(free):
        if room not in free[:at] and not room.lacks(pieces[0]):
            yield from _placements((*free[:at], room - pieces[0], *free[at + 1 :]), pieces[1:])


def _sorted(free: list[Resources] | Pieces) -> Pieces:
    return tuple(sorted(free, key=lambda each: each.amounts))
