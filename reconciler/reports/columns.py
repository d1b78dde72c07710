"""Tables with aligned columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.values.text import printable

GAP = "   "


def table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A header line, then a line per row; text from outside cannot move the terminal's cursor."""
    lines = [list(names), *([printable(cell) for cell in row] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(names))]
    for line in lines:
        yield GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
