"""Tables with aligned columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.values.text import printable

GAP = "   "


MIDDLE = "\N{HORIZONTAL ELLIPSIS}"
CELL_MIN = 12
"""Columns are not shortened below this width."""


def table(names: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> Iterator[str]:
    """A header line, then a line per row; text from outside cannot move the terminal's cursor.

    With the terminal's `width`, long cells are shortened in the middle, those of the widest column first.
    """
    lines = [list(names), *([printable(cell) for cell in row] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(names))]
    if width is not None:
        widths = _narrowed(widths, [len(name) for name in names], width - len(GAP) * (len(names) - 1))
    for line in lines:
        cells = [shortened(cell, width).ljust(width) for cell, width in zip(line, widths, strict=True)]
        yield GAP.join(cells).rstrip()


def shortened(text: str, length: int) -> str:
    """The text without its middle, so that an id still begins and ends as it is known."""
    if len(text) <= length:
        return text
    end = (length - 1) // 2
    return text[: length - 1 - end] + MIDDLE + (text[-end:] if end else "")


def _narrowed(widths: Sequence[int], least: Sequence[int], total: int) -> list[int]:
    """Widths of a sum of at most `total`, unless each is at its minimum."""
    found = list(widths)
    while (excess := sum(found) - total) > 0:
        wide = [n for n, width in enumerate(found) if width > max(CELL_MIN, least[n])]
        if not wide:
            break
        widest = max(wide, key=lambda n: found[n])
        second = max((found[n] for n in wide if found[n] < found[widest]), default=0)
        found[widest] = max(found[widest] - excess, second, CELL_MIN, least[widest])
        if found[widest] == second:
            found[widest] -= 1
    return found
