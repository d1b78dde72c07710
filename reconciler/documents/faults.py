"""Where in a file something is wrong, and the error that stops the reading of one."""

from typing import NamedTuple

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
