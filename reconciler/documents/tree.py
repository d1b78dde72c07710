"""A YAML file as plain values, with the place of every key and value in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from reconciler.documents.faults import FILE_START, Place
from reconciler.documents.scalars import Scalar
from reconciler.values.desired import Fault

Node: TypeAlias = "Scalar | list[Node] | dict[str, Node]"
"""What a document is made of; numbers are int or Decimal, never float."""


class Mark(NamedTuple):
    """Where one entry of a mapping or list stands; in a list, key and value share a place."""

    key: Place
    value: Place


@dataclass(frozen=True, slots=True)
class Document:
    """One parsed file; `marks` is keyed by the identity of the container that `root` holds."""

    path: str
    root: Node
    marks: Mapping[int, Mapping[str | int, Mark]]

    def place(self, steps: Sequence[str | int], *, of_key: bool = False) -> Place:
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

    def fault(
        self, steps: Sequence[str | int], message: str, advice: str = "", *, of_key: bool = False
    ) -> Fault:
        """An error at the place that `steps` lead to, its message led by the dotted path."""
        place = self.place(steps, of_key=of_key)
        where = ".".join(str(step) for step in steps)
        return Fault(self.path, place.line, place.column, f"{where}: {message}" if where else message, advice)
