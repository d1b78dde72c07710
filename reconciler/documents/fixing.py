"""Files with the mistakes corrected that have one right answer; everything else keeps its bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from reconciler.documents.desired import validate
from reconciler.documents.yaml_reader import BOM
from reconciler.values.desired import Fault

ROUNDS_MAX = 200
"""Corrections of one file: a mistake in its syntax hides the others."""


def fixed_files(files: Mapping[str, bytes], provider: str | None = None) -> Mapping[str, bytes]:
    """The files after all fixes; a file whose name was wrong has its right path, unless that exists."""
    found = dict(files)
    for _ in range(ROUNDS_MAX):
        before = dict(found)
        for fault in sorted(validate(found, provider), reverse=True):  # from the end, so that positions stay
            if fault.fix is not None and fault.path in found:
                _fix(found, fault)
        if found == before:
            break
    return found


def _fix(files: dict[str, bytes], fault: Fault) -> None:
    assert fault.fix is not None, "checked by the caller"
    if not fault.line:
        if fault.fix.right not in files:
            files[fault.fix.right] = files.pop(fault.path)
        return
    try:
        lines = re.split("(\r\n?|\n)", files[fault.path].removeprefix(BOM).decode())
    except UnicodeDecodeError:
        return
    index = 2 * (fault.line - 1)  # ends of lines are between them
    if index < len(lines) and (line := _fixed_line(lines[index], fault)) is not None:
        mark = BOM if files[fault.path].startswith(BOM) else b""
        files[fault.path] = mark + "".join((*lines[:index], line, *lines[index + 1 :])).encode()


def _fixed_line(line: str, fault: Fault) -> str | None:
    """The line with the fix; None if it does not have the wrong text, as written in another way."""
    assert fault.fix is not None, "checked by the caller"
    wrong, right = fault.fix
    before, rest = line[: fault.column - 1], line[fault.column - 1 :]
    if rest.startswith(wrong):
        return before + right + rest[len(wrong) :]
    for quote in ("'", '"'):
        if rest.startswith(quoted := quote + wrong + quote):
            return before + quote + right + quote + rest[len(quoted) :]
    return None
