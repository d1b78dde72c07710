"""SECURITY.md lists the known threats, and every test that it names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+(?:\.py(?:::\w+)?)?)`", TEXT)))
THREATS = [line for line in TEXT.splitlines() if re.match(r"\| \d+ \|", line)]


def test_every_threat_has_a_test() -> None:
    assert [int(line.split("|")[1]) for line in THREATS] == list(range(1, 26))
    assert [line for line in THREATS if "`tests/" not in line] == []


@pytest.mark.parametrize("named", NAMED)
def test_named_tests_exist(named: str) -> None:
    path, _, function = named.partition("::")
    assert (ROOT / path).exists()
    if function:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
