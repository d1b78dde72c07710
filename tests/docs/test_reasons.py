"""Each reason that the program can give has a section that says what it means and what to do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters.ansible import troubles as of_hosts
from reconciler.adapters.kubernetes import troubles as of_clusters
from reconciler.values.plans import Reason

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"(?ms)^### (\S+)\n\n(.*?)(?=^##|\Z)", PAGE))
GIVEN_BY = {"Trouble": 0, "Refused": 0, "Failed": 0, "Retry": 2}
"""Who carries a reason, and which of its arguments that is."""
ELSEWHERE: dict[str, set[str]] = {
    "adapters/kubernetes/troubles.py: reason": of_clusters._CONFIG,
    "adapters/ansible/troubles.py: reason": {reason for _, reason, _ in of_hosts._HOSTS},
    "planning/memory_update.py: reason": set(),
}
"""Reasons that are no word where they are given: what they can be, nothing where they are only passed on."""


def constants(tree: ast.Module) -> dict[str, str]:
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.value, str)
    }


def modules() -> dict[str, ast.Module]:
    """Those of the daemon: what simulators and commands say is no reason of ours."""
    root = ROOT / "reconciler"
    paths = (path for path in root.rglob("*.py") if path.relative_to(root).parts[0] not in ("devnet", "cli"))
    return {path.relative_to(root).as_posix(): ast.parse(path.read_text()) for path in sorted(paths)}


MODULES = modules()
WORDS = {name: word for tree in MODULES.values() for name, word in constants(tree).items()}


def given() -> Iterator[tuple[str, ast.expr]]:
    """Where a reason is given, and what stands there."""
    for path, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in GIVEN_BY:
                at = GIVEN_BY[node.func.id]
                named = [each.value for each in node.keywords if each.arg == "reason"]
                yield path, named[0] if named else node.args[at]


def words(path: str, node: ast.expr) -> set[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.Name) and node.id in WORDS:
        return {WORDS[node.id]}
    if isinstance(node, ast.Attribute) and node.attr == "reason":
        return set()  # of a value that has got its word before
    where = f"{path}: {ast.unparse(node)}"
    assert where in ELSEWHERE, f"say in ELSEWHERE what it can be: {where}"
    return ELSEWHERE[where]


CONDITIONS = {word for path, node in given() for word in words(path, node)}
HOLDS = {reason.value for reason in Reason}


def test_there_is_something_to_look_at() -> None:
    assert len(HOLDS) > 40
    assert {"ImagePullFailed", "ChainRefused", "AuthFailure", "CertificateExpired"} < CONDITIONS


def test_no_reason_is_without_its_section() -> None:
    missing = (HOLDS | CONDITIONS) - SECTIONS.keys()
    assert missing == set(), "write what it means and what to do into docs/reasons.md"


def test_no_section_is_about_nothing() -> None:
    assert SECTIONS.keys() - (HOLDS | CONDITIONS) == set()


def test_what_is_passed_on_is_still_passed_on() -> None:
    places = {f"{path}: {ast.unparse(node)}" for path, node in given()}
    assert ELSEWHERE.keys() <= places, "nothing is given there any more"


@pytest.mark.parametrize("reason", sorted(SECTIONS))
def test_a_section_says_what_it_means_and_what_to_do(reason: str) -> None:
    meaning, _, fix = SECTIONS[reason].partition("\n\n**Do:** ")
    assert re.fullmatch(r"[A-Z`].{25,}[.:)]", meaning, re.DOTALL)
    assert re.fullmatch(r".{8,}\.\n*", fix, re.DOTALL)


def test_headings_make_distinct_anchors() -> None:
    names = re.findall(r"(?m)^### (.*)$", PAGE)
    assert len({name.lower() for name in names}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z]+", name) for name in names)
