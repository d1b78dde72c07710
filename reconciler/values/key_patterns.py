"""Matches an order's attribute keys as the chain does, like Go's `filepath.Match` (semantics 3.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_RUNE = r"(?:\\.|[^\\\]-])"
_TOKEN = re.compile(
    rf"(?P<star>\*++)|(?P<any>\?)|\[(?P<no>\^?+)(?P<ranges>(?:{_RUNE}(?:-{_RUNE})?+)++)\]"
    r"|\\(?P<escaped>.)|(?P<plain>[^*?\[\\])",
    re.DOTALL,
)
_RANGE = re.compile(rf"({_RUNE})(?:-({_RUNE}))?+", re.DOTALL)


def has_match(wanted: tuple[str, str], have: Iterable[tuple[str, str]]) -> bool:
    """Whether one of `have` matches: the key is a pattern, the value is literal."""
    key, value = wanted
    return any(value == v and matches(key, k) for k, v in have)


def matches(pattern: str, key: str) -> bool:
    """`*` and `?` stop at a slash, `[a-z]` and `[^a-z]` do not; a malformed pattern matches nothing."""
    if not any(sign in pattern for sign in "*?[\\"):
        return pattern == key
    compiled = _compiled(pattern)
    return compiled is not None and compiled.fullmatch(key) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """As in Go, each part after a `*` matches lazily, without backtracking (an atomic group), which bounds
    the time by pattern length times key length; only the last part continues to the end of the key.
    """
    parts = [""]
    at = 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None:
            return None
        at = token.end()
        if token["star"]:
            parts.append("")
        else:
            parts[-1] += _piece(token)
    first, *after = parts
    kept = "".join(f"(?>[^/]*?{part})" for part in after[:-1])
    return re.compile(first + kept + "".join(f"[^/]*?{part}" for part in after[-1:]), re.DOTALL)


def _piece(token: re.Match[str]) -> str:
    """The expression of one character."""
    if token["any"]:
        return "[^/]"
    if token["ranges"] is None:
        return re.escape(token["escaped"] or token["plain"])
    pairs = [(_bare(low), _bare(high or low)) for low, high in _RANGE.findall(token["ranges"])]
    inside = "".join(f"{re.escape(low)}-{re.escape(high)}" for low, high in pairs if low <= high)
    if not inside:
        return "." if token["no"] else "(?!)"
    return f"[{token['no']}{inside}]"


def _bare(rune: str) -> str:
    return rune[-1]
