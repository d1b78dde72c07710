"""The style of the tree, told by a machine; every exception has its reason beside it."""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from subprocess import run

import pytest

from reconciler.values.plans import Reason
from tests.mirrors import ELSEWHERE

ROOT = Path(__file__).parent.parent
LINES_MAX, TEST_LINES_MAX = 300, 400
TOO_WIDE = frozenset({"manager", "handler", "helper", "util", "common", "base", "core"})
BANNED = TOO_WIDE | {"process", "data", "info", "misc", "service", "context"}
NAMES_ALLOWED = {
    "reconciler/repo/git_process.py": "an operating system's process is its noun",
    "reconciler/cli/service.py": "systemd's own noun: it writes the unit of a service",
    "reconciler/values/desired.py:Service": "a workload's service, as tenants' manifests call it",
    "reconciler/documents/workload_model.py:ServiceModel": "the same",
    "reconciler/adapters/kubernetes/objects.py:Service": "Kubernetes' own kind",
    "reconciler/adapters/kubernetes/objects.py:ServiceSpec": "Kubernetes' own kind",
    "reconciler/adapters/kubernetes/views.py:ServiceView": "of Kubernetes' own kind",
}
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


def test_there_is_something_to_look_at() -> None:
    assert len(modules()) > 200


def test_files_are_short() -> None:
    long = [
        f"{name_of(path)}: {count} lines, at most {most}"
        for path in tracked("*.py", "*.js", "*.css", "*.html")
        for most in [TEST_LINES_MAX if name_of(path).startswith("tests/") else LINES_MAX]
        if (count := text_of(path).count("\n")) > most
    ]
    assert not long, "look for the missing noun:\n" + "\n".join(long)


def named() -> set[str]:
    """Every file and class of reconciler/ that has a banned word in its name."""
    found = {name_of(path) for path in tracked("reconciler/*") if words_of(path.stem) & BANNED}
    for path in modules():
        classes = (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.ClassDef))
        found |= {f"{name_of(path)}:{node.name}" for node in classes if words_of(node.name) & BANNED}
    chains_own = "reconciler/chain/proto/"  # file names of our .proto say the chain's own packages
    return {each for each in found if not each.startswith(chains_own)}


def test_names_say_what_a_thing_is() -> None:
    assert named() == NAMES_ALLOWED.keys(), "a name says what a thing is, or is listed with its reason"


@pytest.mark.parametrize("name", ["git_process", "DataHolder", "utils", "TheHTTPHandler"])
def test_banned_words_are_found(name: str) -> None:
    assert words_of(name) & BANNED


@pytest.mark.parametrize("name", ["Database", "processed", "basement", "score"])
def test_other_words_are_not(name: str) -> None:
    assert not words_of(name) & BANNED


def test_every_module_says_what_it_is() -> None:
    silent = [name_of(path) for path in modules() if not ast.get_docstring(tree_of(path))]
    assert not silent, "a docstring of one sentence belongs on top of each"


def test_packages_hold_no_code() -> None:
    inits = [path for path in modules() if path.name == "__init__.py"]
    assert [name_of(path) for path in inits if len(tree_of(path).body) > 1] == []


def mirror_of(path: Path) -> Path:
    inside = path.relative_to(ROOT / "reconciler")
    return ROOT / "tests" / inside.parent / f"test_{inside.name}"


def alone() -> tuple[str, ...]:
    """The modules, below reconciler/, that have code and no test file of their own name."""
    found = (path for path in modules() if path.name != "__init__.py" and not mirror_of(path).exists())
    return tuple(name_of(path).removeprefix("reconciler/") for path in found)


def test_every_module_has_its_test_or_says_where() -> None:
    listed = {pattern for each in ELSEWHERE for pattern in each.modules}
    missing = [name for name in alone() if not any(fnmatch(name, pattern) for pattern in listed)]
    assert not missing, "write tests/x/test_y.py, or say in tests/mirrors.py what tests it"


def test_the_list_of_tests_elsewhere_is_true() -> None:
    names = [name_of(path).removeprefix("reconciler/") for path in modules()]
    gone = [each.tests for each in ELSEWHERE if not (ROOT / each.tests).exists()]
    patterns = [pattern for each in ELSEWHERE for pattern in each.modules]
    idle = [pattern for pattern in patterns if not any(fnmatch(name, pattern) for name in names)]
    assert gone == []
    assert idle == [], "no module is called so"
    assert all(each.reason for each in ELSEWHERE)


def test_no_file_knows_a_machine_or_a_package_index() -> None:
    told = []
    for path in tracked():
        if path == Path(__file__) or name_of(path).startswith("tests/vectors/"):
            continue
        for number, line in enumerate(text_of(path).splitlines(), 1):
            if MACHINE.search(line) or INDEX.search(line):
                told.append(f"{name_of(path)}:{number}: {line.strip()[:100]}")
    assert not told, "\n".join(told)


def test_every_reason_is_given_somewhere() -> None:
    used = set()
    for path in modules():
        if path.name == "plans.py":
            continue
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "Reason":
                used.add(node.attr)
    assert {reason.name for reason in Reason} - used == set(), "words that nobody says"
