"""Finds every regular expression of the program and times it on texts made from the pattern itself.

`python -m tests.regular_expressions` prints one line per pattern: the cost per byte with the slowest text
as a multiple of a plain pattern's, method, file, pattern and the beginning of the text.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from re import _constants as sre  # type: ignore[attr-defined]  # typeshed knows neither
from re import _parser as parser  # type: ignore[attr-defined]
from types import ModuleType
from typing import Any

import reconciler
from reconciler.api.routes.snapshot import HOLD_PATTERN, LEASE_PATTERN
from reconciler.documents.corrections import _OF_CHARACTERS, _RULES
from reconciler.documents.forms import FORMS
from reconciler.git.git_errors import _KNOWN

ROOT = Path(reconciler.__file__).parent
PLAYS = ROOT / "adapters/ansible/plays"
METHODS = frozenset({"search", "match", "fullmatch", "sub", "subn", "findall", "finditer", "split"})
NOT_LITERAL: Mapping[str, tuple[str, ...]] = {
    "git/git_errors.py": tuple(pattern for pattern, _ in _KNOWN),
    "api/routes/routing.py": (LEASE_PATTERN, HOLD_PATTERN),
    "cli/planning/price.py": tuple(FORMS),
    "documents/corrections.py": tuple(
        rule.pattern.pattern for rules in (_OF_CHARACTERS, *_RULES.values()) for rule in rules
    ),
    "devnet/cluster/pod_lifecycle.py": ("(^|/)crash",),
    "values/key_patterns.py": (),  # of a pattern from outside: see tests/values/test_key_patterns.py
    "devnet/chain/matching.py": (),  # of a pattern that comes from outside: see tests/devnet/chain
}
"""Files in which a pattern is no literal at the call, with the patterns used there."""
SHORT = 1 << 11
LONGER = (1 << 13, 1 << 16, 1 << 20)
"""Characters: all texts are tried short, the slowest of them longer and longer, up to the limit."""
RATIO_MAX = 400
"""Limit: times the cost per byte of a plain pattern; a quadratic one reaches thousands at 8 KiB."""
SLOW_NANOSECONDS = 1_000
"""A slower run per byte is repeated."""
TEXTS_MAX = 90
FILLER = (" ", "1", "a", "A", "\n", '"', "-", "/", ".", "@", "=")


@dataclass(frozen=True)
class Used:
    """A pattern, the file that holds it, and the methods called on it."""

    place: str
    pattern: re.Pattern[Any]
    methods: frozenset[str]


def every() -> list[Used]:
    """All patterns: compiled ones in modules, those in calls of `re`, and those of the models."""
    found: dict[tuple[str, Any, int], Used] = {}
    for path in sorted(ROOT.rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        if place.endswith("_pb2.py"):
            continue
        nodes, module = _nodes(path), _module(path)
        for used in (*_inline(place, nodes, module), *_named(place, nodes, module)):
            found.setdefault((place, used.pattern.pattern, used.pattern.flags), used)
    for text in FORMS:
        found["forms", text, 0] = Used("documents/forms.py", re.compile(text), frozenset({"search"}))
    return list(found.values())


Nodes = tuple[ast.AST, ...]


@cache
def _nodes(path: Path) -> Nodes:
    """A module's syntax tree, the module itself first; empty where its text names no method of a pattern."""
    text = path.read_text(encoding="utf-8")
    if not any(f".{name}" in text for name in (*METHODS, "compile")):
        return ()
    return tuple(ast.walk(ast.parse(text)))


def _module(path: Path) -> ModuleType:
    if path.is_relative_to(PLAYS):
        inside = path.relative_to(PLAYS)
        if inside.parts[0] != "module_utils":
            return ModuleType("none")  # plugins of Ansible hold no pattern of their own
        sys.path.insert(0, str(PLAYS))
        try:
            return importlib.import_module(".".join(inside.with_suffix("").parts))
        finally:
            sys.path.remove(str(PLAYS))
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    if parts[-1] == "__main__":
        return ModuleType("none")
    return importlib.import_module(".".join(parts).removesuffix(".__init__"))


def _inline(place: str, nodes: Nodes, module: ModuleType) -> Iterator[Used]:
    """Patterns in calls such as `re.search(...)` and `partial(re.search, ...)`."""
    for call in nodes:
        if not isinstance(call, ast.Call):
            continue
        function, *arguments = (call.func, *call.args)
        if isinstance(function, ast.Name) and function.id == "partial":
            function, *arguments = arguments
        if not isinstance(function, ast.Attribute):
            continue
        if not isinstance(function.value, ast.Name) or function.value.id != "re":
            continue
        name = function.attr
        if name not in METHODS | {"compile"}:
            continue
        flags = _flags(call, arguments, name, module)
        try:
            texts: tuple[Any, ...] = (_value(arguments[0], module),)
        except NameError:
            texts = NOT_LITERAL[place]  # KeyError: a place that is not listed
        for text in texts:
            pattern = re.compile(text, flags)
            methods = frozenset({name}) if name != "compile" else frozenset(METHODS)
            yield Used(place, pattern, _methods_of(place, nodes, call, methods))


def _value(node: ast.expr, module: ModuleType) -> Any:
    return eval(compile(ast.Expression(node), "<pattern>", "eval"), dict(vars(module)))


def _flags(call: ast.Call, arguments: list[ast.expr], name: str, module: ModuleType) -> int:
    words = [each.value for each in call.keywords if each.arg == "flags"]
    at = {"compile": 1, "sub": 4, "subn": 4, "split": 3}.get(name, 2)
    node = words[0] if words else arguments[at] if len(arguments) > at else None
    return int(_value(node, module)) if node is not None else 0


def _methods_of(place: str, nodes: Nodes, call: ast.Call, given: frozenset[str]) -> frozenset[str]:
    """For a compiled pattern with a name, the methods called on the name in any module."""
    if len(given) == 1:
        return given
    assert isinstance(nodes[0], ast.Module)
    for node in nodes[0].body:
        value = getattr(node, "value", None)
        if value is call:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            names = [each.id for each in targets if isinstance(each, ast.Name)]
            return frozenset(_called().get((place, names[0]), ())) or _anonymous(nodes)
    return _anonymous(nodes)


def _anonymous(nodes: Nodes) -> frozenset[str]:
    """For a pattern in a table, the methods that its module calls on any object."""
    calls = (node for node in nodes if isinstance(node, ast.Attribute))
    return frozenset(node.attr for node in calls if node.attr in METHODS) or METHODS


@cache
def _called() -> Mapping[tuple[str, str], set[str]]:
    """By module and name of a pattern: the methods called on it there and in modules that import it."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for path in ROOT.rglob("*.py"):
        place, nodes = path.relative_to(ROOT).as_posix(), _nodes(path)
        homes: dict[str, str] = {}
        for node in nodes:
            if isinstance(node, ast.ImportFrom) and (source := node.module or "").startswith("reconciler."):
                home = f"{source.removeprefix('reconciler.').replace('.', '/')}.py"
                homes |= {each.name: home for each in node.names}
        for node in nodes:
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in METHODS:
                found[homes.get(node.value.id, place), node.value.id].add(node.attr)
    return found


def _named(place: str, nodes: Nodes, module: ModuleType) -> Iterator[Used]:
    """Patterns in the module's variables."""
    for name, value in vars(module).items():
        for pattern in _patterns_in(value):
            yield Used(place, pattern, frozenset(_called().get((place, name), ())) or _anonymous(nodes))


def _patterns_in(value: object, depth: int = 0) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict) and depth < 4:
        for pair in value.items():
            yield from _patterns_in(pair, depth + 1)
    elif isinstance(value, tuple | list | set | frozenset) and depth < 4:
        for each in value:
            yield from _patterns_in(each, depth + 1)


def texts_for(pattern: re.Pattern[Any]) -> list[str]:
    """Short texts to repeat: the characters that the pattern names, and near matches."""
    tree = parser.parse(pattern.pattern, pattern.flags)
    signs = list(dict.fromkeys((*_signs(tree), *FILLER)))[:16]
    whole = _example(tree)
    near = [whole, whole[:-1], whole[1:], *(whole + sign for sign in signs[:6])]
    pairs = [one + two for one in signs[:9] for two in signs[:9] if one != two]
    return list(dict.fromkeys(text for text in (*near, *signs, *pairs) if text))[:TEXTS_MAX]


def pumped(pattern: re.Pattern[Any]) -> list[tuple[str, str]]:
    """Pairs: the text before each unbounded repeat, and the text that it repeats."""
    tree = parser.parse(pattern.pattern, pattern.flags)
    return list(dict.fromkeys(_repeats(tree, "")))


def _repeats(tree: Any, before: str) -> Iterator[tuple[str, str]]:
    for operation, argument in tree:
        for inner in _inside(operation, argument):
            if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT) and argument[1] > 20:
                for body in dict.fromkeys((_example(inner), *_signs(inner)[:4])):
                    if body:
                        yield before, body
            yield from _repeats(inner, before)
        before += _example([(operation, argument)])


def _inside(operation: Any, argument: Any) -> list[Any]:
    if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        return [argument[2]]
    if operation is sre.SUBPATTERN:
        return [argument[3]]
    if operation is sre.BRANCH:
        return list(argument[1])
    if operation in (sre.ASSERT, sre.ASSERT_NOT):
        return [argument[1]]
    if operation is sre.ATOMIC_GROUP:
        return [argument]
    return []


def _example(tree: Any) -> str:
    """A short text that the pattern matches, approximately."""
    made = ""
    for operation, argument in tree:
        if operation in (sre.LITERAL, sre.NOT_LITERAL, sre.IN, sre.ANY):
            made += (_sample(operation, argument) or [""])[0]
        elif operation in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            made += _example(argument[2]) * max(1, min(argument[0], 12))
        elif operation is sre.BRANCH:
            made += _example(argument[1][0])
        elif operation in (sre.SUBPATTERN, sre.ATOMIC_GROUP):
            made += _example(_inside(operation, argument)[0])
    return made


def _signs(tree: Any) -> list[str]:
    """Characters that the pattern names."""
    found: list[str] = []
    for operation, argument in tree:
        found += _sample(operation, argument)
        for inner in _inside(operation, argument):
            found += _signs(inner)
    return list(dict.fromkeys(found))


_OF_CATEGORY = {
    sre.CATEGORY_DIGIT: "7", sre.CATEGORY_SPACE: " ", sre.CATEGORY_WORD: "a",
    sre.CATEGORY_NOT_DIGIT: "x", sre.CATEGORY_NOT_SPACE: "x", sre.CATEGORY_NOT_WORD: "-",
}  # fmt: skip


def _sample(operation: Any, argument: Any) -> list[str]:
    if operation is sre.LITERAL:
        return [chr(argument)]
    if operation is sre.NOT_LITERAL:
        return [next(sign for sign in "x-" if ord(sign) != argument)]
    if operation is sre.ANY:
        return ["x"]
    if operation is sre.CATEGORY:
        return [_OF_CATEGORY[argument]]
    if operation is not sre.IN:
        return []
    if argument[0][0] is sre.NEGATE:
        known = {chr(value) for kind, value in argument if kind is sre.LITERAL}
        return [sign for sign in ("x", "-", "7") if sign not in known][:2]
    found = []
    for kind, value in argument:
        found += [chr(value[0]), chr(value[1])] if kind is sre.RANGE else _sample(kind, value)
    return [sign for sign in found if not 0xD800 <= ord(sign) <= 0xDFFF]


def slowest(used: Used) -> tuple[float, str, Any]:
    """Cost per byte as a multiple of a plain pattern's, method and short text, for the slowest text."""
    plain = _plain_cost()
    nanoseconds, method, text = max(_short_runs(used), key=lambda run: run[0])
    for size in LONGER:
        if nanoseconds <= RATIO_MAX * plain:
            nanoseconds = max(nanoseconds, cost(used.pattern, method, stretched(text, size)))
    return nanoseconds / plain, method, text


def _plain_cost() -> float:
    """Nanoseconds per byte of a plain linear pattern on this machine, now."""
    pattern = re.compile(r"(?:[a-c]|d)*e")
    return min(cost(pattern, "fullmatch", "ad" * (1 << 14)) for _ in range(5))


def _short_runs(used: Used) -> Iterator[tuple[float, str, Any]]:
    made = [(text * (SHORT // len(text) + 1))[:SHORT] for text in texts_for(used.pattern)]
    for before, body in pumped(used.pattern):
        made += [
            before + body * (SHORT // len(body)) + "\0",
            (before + body * 40) * (SHORT // (len(before + body * 40)) + 1),
        ]
    for text in made:
        given = text.encode("utf-8", "replace") if isinstance(used.pattern.pattern, bytes) else text
        for method in sorted(used.methods):
            yield cost(used.pattern, method, given), method, given


def cost(pattern: re.Pattern[Any], method: str, text: Any) -> float:
    """Nanoseconds per byte, in time of this thread; the least of three runs where the first is slow.

    A virtual machine that stands still for some milliseconds counts as time of the thread.
    """
    first = _one_run(pattern, method, text)
    if first <= SLOW_NANOSECONDS:
        return first
    return min(first, _one_run(pattern, method, text), _one_run(pattern, method, text))


def _one_run(pattern: re.Pattern[Any], method: str, text: Any) -> float:
    began = time.thread_time_ns()
    match method:
        case "sub" | "subn":
            getattr(pattern, method)(text[:0], text)
        case "finditer":
            for _ in pattern.finditer(text):
                pass
        case _:
            getattr(pattern, method)(text)
    return (time.thread_time_ns() - began) / max(len(text), 1)


def stretched(text: Any, size: int) -> Any:
    """The text with its middle repeated up to about `size` characters."""
    third = len(text) // 3
    return text[:third] + text[third : 2 * third] * (size // max(third, 1)) + text[2 * third :]


def main() -> None:
    for used in every():
        ratio, method, text = slowest(used)
        print(f"{ratio:.0f}\t{method}\t{used.place}\t{used.pattern.pattern!r:.80}\t{text[:40]!r}", flush=True)


if __name__ == "__main__":
    main()
