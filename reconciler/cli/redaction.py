"""Hides secrets: passwords in URLs, tokens, keys, mnemonics. Every pattern is linear: none begins with a
prefix of unbounded length, and each scans a part of the text at most once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from mnemonic import Mnemonic

HIDDEN = "***"
WORDS_LEAST = 12
"""The shortest mnemonic; no sentence has as many words of its list in a row."""
_GAP_MAX = 6
"""Characters between two words of a mnemonic: spaces, commas, quotes, a number."""

_Replacement = str | Callable[[re.Match[str]], str]


def _without_web_token(found: re.Match[str]) -> str:
    """A JSON web token begins with `eyJ`, the base64 of `{"`."""
    at = found[1].find("eyJ")
    return found[0] if at < 0 or len(found[1]) - at < 11 else found[1][:at] + HIDDEN


_PATTERNS: tuple[tuple[re.Pattern[str], _Replacement], ...] = (
    (re.compile(r"(?<=://)[^/?#\s]+@"), f"{HIDDEN}@"),
    (
        re.compile(
            r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
        HIDDEN,
    ),
    (re.compile(r"\b(bearer|basic)\s{1,9}[A-Za-z0-9+/=._~-]{8,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (
        re.compile(
            r"""((?:password|passphrase|passwd|secret|token|api[_-]?key|mnemonic)["']?\s{0,9}[=:]\s{0,9})"""
            r"""(?:"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|'[^']*(?:'|\Z)|[^\s,;&|)}\]/][^\s,;&|)}\]]*)""",
            re.IGNORECASE | re.DOTALL,
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?<![\w-])([\w-]{11,})\.[\w-]{8,}\.[\w-]*"), _without_web_token),
    (re.compile(r"\b(?:gh[opsur]_|github_pat_|glpat-|xox[abprs]-)[\w-]{8,}"), HIDDEN),
)
_WORD = re.compile(r"[A-Za-z]+")


def redacted(text: str, *, cut: bool = False) -> str:
    """The text with each secret replaced by `***`.

    If the text was `cut`, its last word and words of a mnemonic at its end are dropped: they may be the
    beginning of a secret, too short to be recognised.
    """
    if cut:
        text = text[: max(text.rfind(" "), 0)]
    text = _without_mnemonic(text, cut=cut)  # first: another rule could replace a part of it
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def _without_mnemonic(text: str, *, cut: bool) -> str:
    """Hide each run of listed words that is long enough for a mnemonic."""
    kept, run = [], list[re.Match[str]]()
    at = 0
    for word in [*_WORD.finditer(text), None]:
        goes_on = word is not None and (not run or word.start() - run[-1].end() <= _GAP_MAX)
        if run and not (goes_on and word is not None and word[0].lower() in _wordlist()):
            if len(run) >= WORDS_LEAST or (cut and word is None):
                kept += [text[at : run[0].start()], HIDDEN]
                at = run[-1].end()
            run = []
        if word is not None and word[0].lower() in _wordlist():
            run.append(word)
    return "".join([*kept, text[at:]])


@cache
def _wordlist() -> frozenset[str]:
    return frozenset(Mnemonic("english").wordlist)
