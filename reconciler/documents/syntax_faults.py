"""Faults of files that are no YAML: libyaml's complaint, or the mistake that probably caused it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import yaml

from reconciler.documents.yaml_scalars import ODD_SPACES
from reconciler.values.desired import Fault, Fix

SAVE_AGAIN = "save it as plain text in UTF-8"
COMMENT = re.compile(r"(?:^|(?<=[ \t]))#")
LINE_MAX = 500
"""Characters of a line in which a mistake is looked for."""
ODD_SPACE = re.compile(f"[{ODD_SPACES}]")
_KEY = r"[A-Za-z][A-Za-z0-9_]*"
_KEY_LINE = re.compile(rf" *(?:- +)?({_KEY}):(?: |$)")
_DASH = re.compile(rf" *-({_KEY}:(?: .*)?)$")
_COLON = re.compile(rf" *(?:- +)?({_KEY}):([^\s:/][^:]*)$")
_NO_COLON = re.compile(rf" *(?:- +)?({_KEY}) +([^\s:][^:]*)$")


def tab_fault(path: str, line: int, column: int) -> Fault:
    """A tab between values."""
    return Fault(path, line, column, "tabs are not allowed", "use spaces", fix=Fix("\t", "  "))


def odd_space_fault(path: str, line: int, column: int, character: str) -> Fault:
    """A space that is not the usual one, or a character without width, outside quotes."""
    name = unicodedata.name(character, "character").lower()
    message = f"the {name} U+{ord(character):04X} is not allowed outside quotes"
    fix = Fix(character, " " if unicodedata.category(character) == "Zs" else "")
    return Fault(path, line, column, message, "write a plain space instead, or remove it", fix=fix)


def syntax_fault(path: str, text: str, error: yaml.MarkedYAMLError) -> Fault:
    """The fault of a text that libyaml rejects."""
    mark = error.problem_mark or error.context_mark
    if error.context_mark and "quoted scalar" in str(error.context):
        start = error.context_mark
        return Fault(path, start.line + 1, start.column + 1, "not YAML: unterminated quoted text", "close it")
    if mark is None:
        return Fault(path, 1, 1, f"not YAML: {error.problem or error}", SAVE_AGAIN)
    lines = re.split(r"\r\n?|\n", text)
    line = lines[mark.line] if mark.line < len(lines) else ""
    if line[mark.column : mark.column + 1] == "\t":
        return tab_fault(path, mark.line + 1, mark.column + 1)
    if culprit := _culprit(path, lines[: mark.line + 1]):
        return culprit
    problem = ", ".join(part for part in (error.context, error.problem) if part)
    if "did not find expected key" in problem and (moved := _wrong_indentation(path, lines[: mark.line + 1])):
        return moved
    return Fault(path, mark.line + 1, mark.column + 1, f"not YAML: {problem}", _syntax_advice(problem, line))


def _culprit(path: str, lines: Sequence[str]) -> Fault | None:
    """The probable cause in the last line, or in the line with content before it: libyaml complains about
    the first token that does not fit, which often follows the mistake.
    """
    numbers = [n for n, line in enumerate(lines, 1) if n == len(lines) or COMMENT.split(line, 1)[0].strip()]
    for number in reversed(numbers[-2:]):
        line = COMMENT.split(lines[number - 1][:LINE_MAX], 1)[0].rstrip()
        if odd := ODD_SPACE.search(line):
            return odd_space_fault(path, number, odd.start() + 1, odd[0])
        if dash := _DASH.match(line):
            return Fault(
                path, number, dash.start(1) + 1, "there is no space after the dash", f"write - {dash[1]}"
            )
        if colon := _COLON.match(line):
            key = colon[1]
            message = f"there is no space after the colon of {key}"
            column, advice = colon.end(1) + 2, f"write {key}: {colon[2]}"
            return Fault(path, number, column, message, advice, fix=Fix("", " "))
    for number in reversed(numbers[-2:]):
        line = COMMENT.split(lines[number - 1][:LINE_MAX], 1)[0].rstrip()
        if bare := _NO_COLON.match(line):
            message = f"there is no colon after {bare[1]}"
            return Fault(path, number, bare.end(1) + 1, message, f"write {bare[1]}: {bare[2]}")
    return None


def _wrong_indentation(path: str, lines: Sequence[str]) -> Fault | None:
    """The key of the last line is in another column than the one of the line before."""
    before, found = (_KEY_LINE.match(line) for line in lines[-2:]) if len(lines) > 1 else (None, None)
    if before is None or found is None or before.start(1) == found.start(1):
        return None
    columns = f"{found.start(1)} and {before.start(1)} columns"
    message = f"{found[1]} is not indented like {before[1]} before it: by {columns}"
    return Fault(
        path, len(lines), found.start(1) + 1, message, "indent the keys of one mapping by the same number"
    )


def _syntax_advice(problem: str, line: str) -> str:
    if "mapping values are not allowed" in problem:
        return 'put text that contains ": " in quotes, or check the indentation'
    if "cannot start any token" in problem:
        return "put text that begins with this character in quotes"
    if "did not find expected" in problem or "could not find expected" in problem:
        return "check the indentation, quotes and brackets here and on the line before"
    if '"' in line or "'" in line:
        return "check the quotes on this line"
    return "check the punctuation and indentation of this line"
