"""Results that are kept have a name each, so that none is taken for another."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import reconciler

METHODS = {"reuse", "reuse_each", "reuse_values", "same", "same_each"}
SOURCES = Path(reconciler.__file__).parent


def names_in(source: Path) -> Iterator[str]:
    text = source.read_text()
    if "result_cache import" not in text or source.name == "result_cache.py":
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            first = node.args[0] if node.args else None
            first = first.elts[0] if isinstance(first, ast.Tuple) else first
            assert isinstance(first, ast.Constant), f"{source.name}:{node.lineno}: the name is no text"
            yield str(first.value)


def test_each_name_of_a_kept_result_stands_in_one_place() -> None:
    found = Counter(name for source in SOURCES.rglob("*.py") for name in names_in(source))
    assert len(found) > 50
    assert [name for name, count in found.items() if count > 1] == []
