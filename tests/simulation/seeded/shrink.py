"""Shortens a failing run: leaves out steps as long as the same invariant breaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Breaks = Callable[[Sequence[int]], bool]
"""Whether a run with only these steps, by their numbers, breaks the same invariant."""

RUNS_MAX = 60
"""Runs that a seed may cost; a step more in the end is cheaper than an hour."""


def shrink(steps: Sequence[int], breaks: Breaks, runs_max: int = RUNS_MAX) -> tuple[int, ...]:
    """A shorter list that still breaks it, such that no single part of it can be left out (delta debugging),
    unless the runs are used up before.
    """
    kept, parts, runs = list(steps), 2, 0
    while kept and runs < runs_max:
        size = max(-(-len(kept) // parts), 1)
        for start in range(0, len(kept), size):
            rest = kept[:start] + kept[start + size :]
            runs += 1
            if breaks(rest):
                kept, parts = rest, max(parts - 1, 2)
                break
            if runs >= runs_max:
                break
        else:
            if size == 1:
                break
            parts = min(2 * parts, len(kept))
    return tuple(kept)


def text_of(kept: Sequence[int]) -> str:
    """`0,4,7-9`, for a command line."""
    runs: list[list[int]] = []
    for each in sorted(kept):
        if runs and runs[-1][1] == each - 1:
            runs[-1][1] = each
        else:
            runs.append([each, each])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs) or "none"


def steps_in(text: str) -> tuple[int, ...]:
    """The numbers in `0,4,7-9` or `none`."""
    found: list[int] = []
    for part in (each for each in text.split(",") if each != "none"):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return tuple(found)
