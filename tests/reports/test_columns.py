"""Tables, whole and as wide as a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.reports.columns import CELL_MIN, GAP, shortened, table

NAMES = ("ID", "STATE", "LEASE")
ROW = ("1000001-1-1-abcdefghij", "running", "ve1" + "a" * 38 + "/1000001/1/1/ve1" + "b" * 38)


def test_a_pipe_gets_whole_values() -> None:
    assert [*table(NAMES, [ROW])][1] == GAP.join(ROW)


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_a_terminal_gets_lines_that_fit(width: int) -> None:
    names, row = table(NAMES, [ROW], width)
    assert max(len(names), len(row)) <= width
    assert row.startswith("1000")
    assert row.endswith("bbbb")
    assert "running" in row


@given(st.lists(st.integers(0, 60), min_size=1, max_size=6), st.integers(1, 200))
def test_columns_are_shortened_only_as_far_as_needed(lengths: list[int], width: int) -> None:
    names = ["N"] * len(lengths)
    lines = [*table(names, [["x" * length for length in lengths]], width)]
    needed = sum(lengths) + len(GAP) * (len(lengths) - 1)
    least = sum(min(max(length, 1), CELL_MIN) for length in lengths) + len(GAP) * (len(lengths) - 1)
    assert len(lines[1]) <= max(width, least)
    if needed <= width:
        assert lines[1] == GAP.join("x" * length if length else " " for length in lengths).rstrip()


def test_the_middle_is_left_out() -> None:
    assert shortened("abcdefgh", 5) == "ab\N{HORIZONTAL ELLIPSIS}gh"
    assert shortened("abcde", 5) == "abcde"
