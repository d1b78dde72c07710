"""Text from outside is bounded and cannot move a cursor, turn its direction or start a line of its own."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.values.text import LINE_MAX, one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain words", "plain words"),
        ("two\nlines\r\nand\ta tab", "two lines and a tab"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\x1b]0;title\x07rest", "]0;titlerest"),
        ("\x9b31mC1", "31mC1"),
        ("abc\u202edcba", "abcdcba"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("a\u2028b\u2029c", "a b c"),
        ("  spaces   fold  ", "spaces fold"),
        ("Größe \U0001f600 日本", "Größe \U0001f600 日本"),
    ],
)
def test_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


def test_long_text_is_cut() -> None:
    assert one_line("x" * 2**20) == "x" * (LINE_MAX - 3) + "..."
    assert one_line("abcdef", 5) == "ab..."
    assert one_line("\x00" * 2**20 + "x") == "..."


@given(st.text(max_size=80), st.integers(3, 40))
def test_any_line_is_bounded_and_printable(text: str, characters_max: int) -> None:
    line = one_line(text, characters_max)
    assert len(line) <= characters_max
    assert not [sign for sign in line if unicodedata.category(sign) in ("Cc", "Cs") or sign in "\u2028\u2029"]
    assert one_line(line, characters_max) == line
