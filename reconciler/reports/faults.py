"""Faults of a repository for terminals, programs, GitHub, code scanning and GitLab."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from reconciler.values.desired import Fault

RULES: Mapping[str, str] = {
    "content": "A key or value is not allowed in its kind of file.",
    "unreadable": "The file cannot be read as YAML in UTF-8.",
    "name": "The file name does not match its lease.",
    "files": "A file is missing, is not a regular file, or is in a place that is not read.",
    "across": "Two files contradict each other.",
    "bounds": "A price is out of the bounds of the host file.",
    "plausibility": "The value is valid, but probably a mistake.",
}
"""The kinds of faults, by `Fault.rule`."""
SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
TOOL = "provider-daemon"
SOURCE_WIDTH = 100
"""Characters of a line that are shown with a caret."""
BOM = b"\xef\xbb\xbf"


def text_of(faults: Sequence[Fault], files: Mapping[str, bytes]) -> str:
    """`pricing.yaml:4:3: message (advice)`, the line and a caret; `files` are by the faults' paths."""
    lines = []
    for fault in faults:
        lines.append(fault.describe())
        if source := _source_line(files.get(fault.path, b""), fault.line):
            lines += _with_caret(source, fault)
    return _lines(lines)


def _source_line(content: bytes, number: int) -> str:
    lines = re.split(r"\r\n?|\n", content.removeprefix(BOM).decode(errors="replace"))
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _with_caret(source: str, fault: Fault) -> tuple[str, str]:
    """The part of a line around the position, each character as one column, and the caret."""
    first = max(0, fault.column - 1 - SOURCE_WIDTH // 2) if len(source) > SOURCE_WIDTH else 0
    shown = "".join(_one_column(each) for each in source[first : first + SOURCE_WIDTH])
    margin = f"{fault.line:>6} | "
    return margin + shown, " " * len(margin[:-2]) + "| " + " " * (fault.column - 1 - first) + "^"


def _one_column(character: str) -> str:
    """A character that takes one column of a terminal, or one in its place."""
    is_wide = unicodedata.east_asian_width(character) in "WF" or unicodedata.combining(character)
    return "\N{REPLACEMENT CHARACTER}" if is_wide or not character.isprintable() else character


def json_of(faults: Sequence[Fault]) -> str:
    """A list of objects with path, line, column, severity, rule, message and advice."""
    return json.dumps([fault_fields(fault) for fault in faults], indent=2) + "\n"


def github_of(faults: Sequence[Fault]) -> str:
    """Workflow commands, which GitHub and Gitea show beside the changed lines."""
    return _lines([_command(fault) for fault in faults])


def gitlab_of(faults: Sequence[Fault]) -> str:
    """A code quality report; a fault keeps its fingerprint while lines above it move."""
    marks = _fingerprints(faults)
    entries = [_gitlab_entry(fault, mark) for fault, mark in zip(faults, marks, strict=True)]
    return json.dumps(entries, indent=2) + "\n"


def sarif_of(faults: Sequence[Fault]) -> str:
    """SARIF 2.1.0: one run."""
    rules = [{"id": name, "shortDescription": {"text": text}} for name, text in RULES.items()]
    marks = _fingerprints(faults)
    run = {
        "tool": {"driver": {"name": TOOL, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(fault, mark) for fault, mark in zip(faults, marks, strict=True)],
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _lines(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _severity(fault: Fault) -> str:
    return "warning" if fault.warning else "error"


def _sentence(fault: Fault) -> str:
    return f"{fault.message} ({fault.advice})" if fault.advice else fault.message


def fault_fields(fault: Fault) -> dict[str, object]:
    """A fault as a JSON object."""
    return {
        "path": fault.path,
        "line": fault.line,
        "column": fault.column,
        "severity": _severity(fault),
        "rule": fault.rule,
        "message": fault.message,
        "advice": fault.advice,
    }


def _command(fault: Fault) -> str:
    """Characters that would end the command or a property are escaped."""
    place = {"line": fault.line, "col": fault.column} if fault.line else {}
    properties = {"file": fault.path, **place, "title": f"{TOOL} {fault.rule}"}
    shown = ",".join(f"{name}={_escaped_property(str(value))}" for name, value in properties.items())
    return f"::{_severity(fault)} {shown}::{_escaped(_sentence(fault))}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped_property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _gitlab_entry(fault: Fault, mark: str) -> dict[str, object]:
    return {
        "description": _sentence(fault),
        "check_name": fault.rule,
        "fingerprint": mark,
        "severity": "minor" if fault.warning else "critical",
        "location": {"path": fault.path, "lines": {"begin": max(1, fault.line)}},
    }


def _sarif_result(fault: Fault, mark: str) -> dict[str, object]:
    region = {"startLine": max(1, fault.line), "startColumn": max(1, fault.column)}
    artifact = {"uri": quote(fault.path)}
    return {
        "ruleId": fault.rule,
        "ruleIndex": [*RULES].index(fault.rule),
        "level": _severity(fault),
        "message": {"text": _sentence(fault)},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
        "partialFingerprints": {"fault/v1": mark},
    }


def _fingerprints(faults: Sequence[Fault]) -> list[str]:
    """Of path, rule and message, with a counter for duplicates, as no two results may share one."""
    seen: Counter[str] = Counter()
    marks = []
    for fault in faults:
        name = "\0".join((fault.path, fault.rule, fault.message))
        marks.append(hashlib.sha256(f"{name}\0{seen[name]}".encode()).hexdigest())
        seen[name] += 1
    return marks
