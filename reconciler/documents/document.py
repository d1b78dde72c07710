"""A parsed YAML file: plain values, the position of every key and value, and faults at a position."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from reconciler.documents.yaml_scalars import Scalar
from reconciler.values.desired import Fault


class SourcePosition(NamedTuple):
    """A spot in a text file, counted from 1 as editors do; the column counts characters."""

    line: int
    column: int


FILE_START = SourcePosition(1, 1)


class BrokenFileError(Exception):
    """A file that cannot be read at all; carries the one fault that stopped the reading."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.show())
        self.fault = fault


Node: TypeAlias = "Scalar | list[Node] | dict[str, Node]"
"""What a document is made of; numbers are int or Decimal, never float."""


class Mark(NamedTuple):
    """Where one entry of a mapping or list stands; in a list, key and value share a place."""

    key: SourcePosition
    value: SourcePosition


@dataclass(frozen=True, slots=True)
class Document:
    """One parsed file; `marks` is keyed by the identity of the container that `root` holds."""

    path: str
    root: Node
    marks: Mapping[int, Mapping[str | int, Mark]]

    def place(self, steps: Sequence[str | int], *, of_key: bool = False) -> SourcePosition:
        """The place of what `steps` lead to, or of the deepest part of the way that is there.

        Steps that lead nowhere (names of union members in pydantic's locations) are skipped.
        """
        node = self.root
        found = Mark(FILE_START, FILE_START)
        last: Mark | None = None
        for step in steps:
            last = self.marks.get(id(node), {}).get(step) if isinstance(node, dict | list) else None
            if last is None:
                continue
            found = last
            node = node[step]  # type: ignore[index]  # a mark exists, so the step fits the container
        return found.key if of_key or last is None else found.value

    def empty_values(self) -> tuple[Fault, ...]:
        """A fault for each key without a value: a forgotten one and one left out on purpose look the same."""
        return tuple(self._empty_values(self.root, ()))

    def _empty_values(self, node: Node, steps: tuple[str | int, ...]) -> Iterator[Fault]:
        if node is None:
            yield self.fault(steps, "nothing stands here", "give it a value or remove the key")
        inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for step, value in inner:
            yield from self._empty_values(value, (*steps, step))

    def fault(
        self, steps: Sequence[str | int], message: str, advice: str = "", *, of_key: bool = False
    ) -> Fault:
        """An error at the place that `steps` lead to, its message led by the dotted path."""
        place = self.place(steps, of_key=of_key)
        where = ".".join(str(step) for step in steps)
        return Fault(self.path, place.line, place.column, f"{where}: {message}" if where else message, advice)
