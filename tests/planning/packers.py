"""An exhaustive packer: finds a packing whenever there is one, in exponential time."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.values.resources import Resources


def fits_exhaustively(free: Sequence[Resources], pieces: Sequence[Resources]) -> bool:
    """Whether any assignment of the pieces to the machines fits."""
    if not pieces:
        return True
    piece, rest = pieces[0], pieces[1:]
    tried: set[Resources] = set()
    for at, room in enumerate(free):
        if room in tried or room.lacks(piece):
            continue
        tried.add(room)
        if fits_exhaustively([*free[:at], room - piece, *free[at + 1 :]], rest):
            return True
    return False
