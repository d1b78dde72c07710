"""Text without what opens something: passwords in addresses, tokens, keys, the words of a mnemonic."""

from __future__ import annotations

import re
from functools import cache

from mnemonic import Mnemonic

HIDDEN = "***"
WORDS_LEAST = 12
"""A mnemonic has 12 words at least; so many of its list in a row are no sentence."""

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<=://)[^/@\s]+@"), f"{HIDDEN}@"),
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL),
        HIDDEN,
    ),
    (re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{8,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (
        re.compile(
            r"""(["']?\b[\w-]*(?:password|passphrase|passwd|secret|token|api[_-]?key|mnemonic)["']?\s*[=:]\s*)"""
            r"""(?:"[^"]*"|'[^']*'|[^\s,;&|)}\]/][^\s,;&|)}\]]*)""",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), HIDDEN),
    (re.compile(r"\b(?:gh[opsur]_|github_pat_|glpat-|xox[abprs]-)[\w-]{8,}"), HIDDEN),
)
_WORDS = re.compile(r"[a-z]{3,8}(?:[\s,]+[a-z]{3,8}){11,}", re.IGNORECASE)
_WORD = re.compile(r"[a-z]+", re.IGNORECASE)


def redacted(text: str) -> str:
    """The text with each secret in it replaced by `***`."""
    text = _WORDS.sub(
        lambda found: _without_mnemonic(found[0]), text
    )  # first: another rule could take a part
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def _without_mnemonic(text: str) -> str:
    """Hide each run of words that are all of the list, where it is long enough to be a mnemonic."""
    kept, run = [], list[re.Match[str]]()
    at = 0
    for word in [*_WORD.finditer(text), None]:
        if word is not None and word[0].lower() in _list():
            run.append(word)
            continue
        if len(run) >= WORDS_LEAST:
            kept += [text[at : run[0].start()], HIDDEN]
            at = run[-1].end()
        run = []
    return "".join([*kept, text[at:]])


@cache
def _list() -> frozenset[str]:
    return frozenset(Mnemonic("english").wordlist)
