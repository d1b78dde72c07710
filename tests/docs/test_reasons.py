"""Each reason in the code has a section in docs/reasons.md with its meaning and its fix."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters.ansible import troubles as host_troubles
from reconciler.adapters.kubernetes import troubles as cluster_troubles
from reconciler.values.plans import Reason

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"(?ms)^### (\S+)\n\n(.*?)(?=^##|\Z)", PAGE))
REASON_ARGUMENT = {"Trouble": 0, "Refused": 0, "Failed": 0, "Retry": 2}
"""Types that carry a reason, with the position of that argument."""
VARIABLES: dict[str, set[str]] = {
    "adapters/kubernetes/troubles.py: reason": set(cluster_troubles._RUNTIME),
    "adapters/ansible/troubles.py: reason": {
        reason for reason, _ in (*host_troubles._HOST_ERRORS.values(), *host_troubles._STEPS.values())
    },
    "planning/memory_update.py: reason": set(),
}
"""Arguments that are variables: their possible values, empty if they only pass a reason on."""


def constants(tree: ast.Module) -> dict[str, str]:
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.value, str)
    }


def modules() -> dict[str, ast.Module]:
    """The daemon's modules, without simulators and commands."""
    root = ROOT / "reconciler"
    paths = (path for path in root.rglob("*.py") if path.relative_to(root).parts[0] not in ("devnet", "cli"))
    return {path.relative_to(root).as_posix(): ast.parse(path.read_text()) for path in sorted(paths)}


MODULES = modules()
WORDS = {name: word for tree in MODULES.values() for name, word in constants(tree).items()}


def reason_arguments() -> Iterator[tuple[str, ast.expr]]:
    """The file and the expression of each reason."""
    for path, tree in MODULES.items():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in REASON_ARGUMENT
            ):
                at = REASON_ARGUMENT[node.func.id]
                named = [each.value for each in node.keywords if each.arg == "reason"]
                yield path, named[0] if named else node.args[at]


def values_of(path: str, node: ast.expr) -> set[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.Name) and node.id in WORDS:
        return {WORDS[node.id]}
    if isinstance(node, ast.Attribute) and node.attr == "reason":
        return set()  # a reason that another value already has
    where = f"{path}: {ast.unparse(node)}"
    assert where in VARIABLES, f"list its possible values in VARIABLES: {where}"
    return VARIABLES[where]


CONDITIONS = {word for path, node in reason_arguments() for word in values_of(path, node)}
HOLDS = {reason.value for reason in Reason}


def test_reasons_are_found() -> None:
    assert len(HOLDS) > 40
    assert {"ImagePullFailed", "ChainRefused", "AuthFailure", "CertificateExpired"} < CONDITIONS


def test_every_reason_has_a_section() -> None:
    missing = (HOLDS | CONDITIONS) - SECTIONS.keys()
    assert missing == set(), "describe it and its fix in docs/reasons.md"


def test_every_section_has_a_reason() -> None:
    assert SECTIONS.keys() - (HOLDS | CONDITIONS) == set()


def test_listed_variables_exist() -> None:
    places = {f"{path}: {ast.unparse(node)}" for path, node in reason_arguments()}
    assert VARIABLES.keys() <= places, "remove it from VARIABLES"


@pytest.mark.parametrize("reason", sorted(SECTIONS))
def test_section_has_meaning_and_fix(reason: str) -> None:
    meaning, _, fix = SECTIONS[reason].partition("\n\n**Do:** ")
    assert re.fullmatch(r"[A-Z`].{25,}[.:)]", meaning, re.DOTALL)
    assert re.fullmatch(r".{8,}\.\n*", fix, re.DOTALL)


def test_headings_have_distinct_anchors() -> None:
    names = re.findall(r"(?m)^### (.*)$", PAGE)
    assert len({name.lower() for name in names}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z]+", name) for name in names)
