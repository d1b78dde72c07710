"""A parsed YAML file: plain values, the position of every key and value, and faults at a position."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from reconciler.documents.yaml_scalars import Scalar
from reconciler.values.desired import Fault


class SourcePosition(NamedTuple):
    """A position in a text file, counted from 1; columns count characters."""

    line: int
    column: int


FILE_START = SourcePosition(1, 1)


class BrokenFileError(Exception):
    """A file that cannot be parsed; carries the fault that stopped parsing."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.describe())
        self.fault = fault


Node: TypeAlias = "Scalar | list[Node] | dict[str, Node]"
"""A value of a document; numbers are int or Decimal, never float."""


class Mark(NamedTuple):
    """Positions of an entry of a mapping or list; in a list both are the same."""

    key: SourcePosition
    value: SourcePosition


@dataclass(frozen=True, slots=True)
class Document:
    """One parsed file; `marks` is keyed by the id() of each container in `root`."""

    path: str
    root: Node
    marks: Mapping[int, Mapping[str | int, Mark]]

    def place(self, steps: Sequence[str | int], *, of_key: bool = False) -> SourcePosition:
        """The position of the value at `steps`, or of its deepest existing parent.

        Steps without an entry (names of union members in pydantic's locations) are skipped.
        """
        node = self.root
        deepest = Mark(FILE_START, FILE_START)
        last: Mark | None = None
        for step in steps:
            last = self.marks.get(id(node), {}).get(step) if isinstance(node, dict | list) else None
            if last is None:
                continue
            deepest = last
            node = node[step]  # type: ignore[index]  # a mark exists, so the step fits the container
        return deepest.key if of_key or last is None else deepest.value

    def empty_values(self) -> tuple[Fault, ...]:
        """A fault for each key without a value, which may be a forgotten one or an intended null."""
        return tuple(self._empty_values(self.root, ()))

    def _empty_values(self, node: Node, steps: tuple[str | int, ...]) -> Iterator[Fault]:
        if node is None:
            yield self.fault(steps, "this key has no value", "give it a value or remove the key")
        inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for step, value in inner:
            yield from self._empty_values(value, (*steps, step))

    def fault(
        self, steps: Sequence[str | int], message: str, advice: str = "", *, of_key: bool = False
    ) -> Fault:
        """A fault at the position of `steps`; its message starts with the dotted path."""
        place = self.place(steps, of_key=of_key)
        where = ".".join(str(step) for step in steps)
        return Fault(self.path, place.line, place.column, f"{where}: {message}" if where else message, advice)

    def warning(
        self, steps: Sequence[str | int], message: str, advice: str, *, of_key: bool = False
    ) -> Fault:
        """A warning about a value that is probably a mistake."""
        fault = self.fault(steps, message, advice, of_key=of_key)
        return replace(fault, warning=True, rule="plausibility")
