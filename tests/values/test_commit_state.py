"""A description that a forge takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.values.commit_state import DESCRIPTION_CHARACTERS, one_line


@given(st.text(), st.integers(1, 200))
def test_it_is_one_line_that_fits(text: str, characters: int) -> None:
    made = one_line(text, characters)
    assert len(made) <= characters
    assert made.isprintable()
    assert one_line(made, characters) == made


def test_words_stay() -> None:
    assert one_line("held:\n  so\tmuch\x1b[1m") == "held: so much [1m"
    assert one_line("x" * 141) == "x" * (DESCRIPTION_CHARACTERS - 1) + "…"
    assert one_line("x" * 140) == "x" * 140
