"""Bounds on time and memory for each byte of external text, and hostile texts."""

from __future__ import annotations

import time
import tracemalloc
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import settings
from hypothesis import strategies as st

SECONDS, MICROSECONDS_A_BYTE = 1.0, 10.0
MIB_MAX, BYTES_A_BYTE = 48, 400
"""Far above the usual cost, and far below that of a super-linear pattern or an extra copy."""

QUICK = settings(max_examples=60, deadline=None, database=None)

FRAGMENTS = (
    *("a", "a-", "abc ", "\0", "\x1b[2J", "\x1b]0;t\x07", "\x9b31m", "\r\n<0>", "\u202e", "\u200b", "\u2028"),
    *("password", 'token="', "token='", "secret: ", "api-key=", "://", "://a:b", "@", "eyJ", "eyJ.", "ghp_"),
    *("-----BEGIN ", "-----BEGIN A PRIVATE KEY-----", "bearer ", "abandon ", '"', "\\", "[", "(", "{", "${"),
    *(
        "message index: 1",
        "1",
        "1.",
        "%s",
        "%n",
        "\U000e0041",
        "\ufeff",
        "ü",
        "🦀",
        "\n",
        "\t",
        " ",
        "<",
        "&#",
    ),
)


def texts(*, surrogates: bool = True) -> st.SearchStrategy[str]:
    """Texts of up to 1 MiB: pieces of patterns, repeated, and any characters between them."""
    signs = st.characters() if surrogates else st.characters(codec="utf-8")
    piece = st.one_of(st.sampled_from(FRAGMENTS), st.text(signs, max_size=12))
    run = st.builds(lambda text, times: text * times, piece, st.sampled_from((1, 1, 1, 3, 40, 5_000, 90_000)))
    return st.lists(run, max_size=8).map(lambda runs: "".join(runs)[: 1 << 20])


_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_safe(line: str) -> bool:
    """Whether it is one line without control or direction characters."""
    categories = {unicodedata.category(sign) for sign in set(line)}
    return not categories & {"Cc", "Cs", "Zl", "Zp"} and not _DIRECTION & set(line)


@contextmanager
def bounded(size: int) -> Iterator[None]:
    """Fail where work on so many bytes takes too much time or memory."""
    tracemalloc.start()
    began = time.thread_time()
    try:
        yield
        seconds = time.thread_time() - began
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seconds < SECONDS + size * MICROSECONDS_A_BYTE / 1e6, f"{seconds:.1f} s for {size} bytes"
    assert peak < (MIB_MAX << 20) + size * BYTES_A_BYTE, f"{peak >> 20} MiB for {size} bytes"
