"""The style of the tree, checked automatically; every exception has its reason beside it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from subprocess import run

import pytest

from reconciler.values.plans import Reason

ROOT = Path(__file__).parent.parent
LINES_MAX = 400
BANNED = {"manager", "handler", "helper", "util", "misc", "common"}
"""Words that fit anything."""
METAPHORS = {
    *("bell", "board", "door", "wicket", "desk", "press", "purse", "scene", "eye", "sight", "estate"),
    *("stranger", "outlook", "happening", "chronicle", "furnish", "promptness", "surrounding", "teller"),
}
"""Metaphors used instead of the field's term."""
SAME_NAME_ALLOWED = {"Records": "the journal's port, and the records of the program that runs on a host"}
"""Public classes that may share a name, each with the reason."""
MACHINE = re.compile(r"/(?:work|root|Users)/|/home/(?!(?:provider|operator|olga)\b)\w+|/tmp/\w+_jobs")
INDEX = re.compile(r"(?:--(?:extra-)?index-url|find-links)|https?://[^\s\"'/]+/(?:[^\s\"']*/)?simple\b", re.I)


@cache
def tracked(*patterns: str) -> tuple[Path, ...]:
    """The repository's own files that are there, generated code excepted."""
    listed = run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = (ROOT / name for name in listed.stdout.split("\0") if name and "_pb2.py" not in name)
    return tuple(path for path in paths if path.is_file())


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(text_of(path))


def modules() -> tuple[Path, ...]:
    return tracked("reconciler/*.py")


def words_of(name: str) -> set[str]:
    """`git_process` and `GitProcess` are git and process; a plural counts as its singular."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    return {form for word in words for form in (word.lower(), word.lower().removesuffix("s"))}


def test_modules_are_found() -> None:
    assert len(modules()) > 200


def test_files_are_short() -> None:
    long = [
        f"{name_of(path)}: {count} lines, at most {LINES_MAX}"
        for path in tracked("*.py", "*.js", "*.css", "*.html")
        if (count := text_of(path).count("\n")) > LINES_MAX
    ]
    assert not long, "more than one concept in a file:\n" + "\n".join(long)


def classes() -> Iterator[tuple[str, str]]:
    """The file and the name of every class of reconciler/."""
    for path in modules():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef):
                yield name_of(path), node.name


def test_names_are_the_fields_terms() -> None:
    files = {name_of(path) for path in tracked("reconciler/*") if words_of(path.stem) & (BANNED | METAPHORS)}
    named = {f"{file}: {name}" for file, name in classes() if words_of(name) & (BANNED | METAPHORS)}
    assert files | named == set()


@pytest.mark.parametrize("name", ["DataManager", "utils", "TheHTTPHandler", "OutsideDoor", "eyes_git"])
def test_banned_words_are_recognized(name: str) -> None:
    assert words_of(name) & (BANNED | METAPHORS)


@pytest.mark.parametrize("name", ["process", "Service", "Dashboard", "compress"])
def test_other_words_are_allowed(name: str) -> None:
    assert not words_of(name) & (BANNED | METAPHORS)


def test_no_two_public_classes_share_a_name() -> None:
    files: dict[str, set[str]] = {}
    for file, name in classes():
        if not name.startswith("_"):
            files.setdefault(name, set()).add(file)
    shared = {name: sorted(found) for name, found in files.items() if len(found) > 1}
    assert {name for name in shared if name not in SAME_NAME_ALLOWED} == set(), shared
    assert SAME_NAME_ALLOWED.keys() <= shared.keys(), "no longer shared"


def test_every_module_has_a_docstring() -> None:
    silent = [name_of(path) for path in modules() if not ast.get_docstring(tree_of(path))]
    assert not silent, "a docstring of one sentence belongs on top of each"


def test_packages_hold_no_code() -> None:
    inits = [path for path in modules() if path.name == "__init__.py"]
    assert [name_of(path) for path in inits if len(tree_of(path).body) > 1] == []


def test_no_file_contains_local_paths_or_package_indexes() -> None:
    found = []
    for path in tracked():
        if path == Path(__file__) or name_of(path).startswith("tests/vectors/"):
            continue
        for number, line in enumerate(text_of(path).splitlines(), 1):
            if MACHINE.search(line) or INDEX.search(line):
                found.append(f"{name_of(path)}:{number}: {line.strip()[:100]}")
    assert not found, "\n".join(found)


def test_every_reason_is_used() -> None:
    used = set()
    for path in modules():
        if path.name == "plans.py":
            continue
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "Reason":
                used.add(node.attr)
    assert {reason.name for reason in Reason} - used == set(), "unused reasons"


def test_types_are_described_to_msgspec_under_one_lock() -> None:
    """Two threads that decode a type for the first time at once end the process: see `typed_json`."""
    allowed = {"reconciler/documents/typed_json.py", "reconciler/devnet/chain/saving.py"}  # has one thread
    pattern = re.compile(r"msgspec\.(?:json|msgpack|yaml)\.(?:decode|Decoder)|msgspec\.convert")
    found = {name_of(path) for path in modules() if pattern.search(text_of(path))}
    assert found == allowed
