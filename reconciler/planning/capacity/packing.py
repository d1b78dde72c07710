"""Packs the pieces of one group onto the machines of one adapter: may we bid, and where does it go? Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.values.resources import Attribute, Resources, total


@dataclass(frozen=True, slots=True)
class FreeMachine:
    """What is left of a machine after everything that is promised on it; may be negative."""

    name: str
    free: Resources
    attributes: tuple[Attribute, ...] = ()


def fit(free: Sequence[Resources], pieces: Sequence[Resources]) -> tuple[int, ...] | None:
    """The index of a machine for each piece, so that all pieces fit together into what is free of each
    machine; None if no packing was found.

    First-fit decreasing: the piece with the largest share of what is free comes first, and takes the first
    machine with room. It may miss a packing that an exhaustive search finds.
    """
    rooms = list(free)
    chosen = [0] * len(pieces)
    for index in _largest_first(pieces, rooms):
        piece = pieces[index]
        place = next((at for at, room in enumerate(rooms) if room.covers(piece)), None)
        if place is None:
            return None
        rooms[place] -= piece
        chosen[index] = place
    return tuple(chosen)


def eligible(machines: Sequence[FreeMachine], attributes: Sequence[Attribute]) -> list[FreeMachine]:
    """The machines that meet the attributes; keys that no machine declares distinguish none and do not
    count.
    """
    keys = {key for machine in machines for key, _ in machine.attributes}
    wanted = {(key, value) for key, value in attributes if key in keys}
    return [machine for machine in machines if wanted <= set(machine.attributes)]


def _largest_first(pieces: Sequence[Resources], rooms: Sequence[Resources]) -> list[int]:
    """The indices of the pieces by the largest share that a piece takes of any kind."""
    if len(pieces) == 1:
        return [0]
    whole = total([room.without_negatives() for room in rooms]).amounts

    def share(index: int) -> float:
        return max(
            (
                amount / there if there else float(amount > 0)
                for amount, there in zip(pieces[index].amounts, whole, strict=True)
            ),
            default=0.0,
        )

    return sorted(range(len(pieces)), key=lambda index: (-share(index), index))
