from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.values.money import (
    accrued,
    after_take,
    ceil_uve,
    fee_of,
    floor_uve,
    group_amounts,
    grouped,
    parse_rate,
    plain,
    show_rate,
    take_fee,
)

amounts = st.decimals(0, 10**12, places=18, allow_nan=False, allow_infinity=False)


@given(amounts)
def test_what_is_shown_reads_as_the_same(amount: Decimal) -> None:
    assert parse_rate(show_rate(amount)) == amount
    assert "E" not in show_rate(amount)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1", "'1' has no denomination; write 1uve"),
        ("5uakt", "'5uakt' is in uakt; only uve is accepted, convert to uve"),
        ("1e3uve", "'1e3uve' is in e3uve; only uve is accepted, convert to uve"),
        ("-1uve", "'-1uve' is not an amount; write a decimal number and uve, such as 0.5uve"),
        ("\u0661uve", "'\u0661uve' is not an amount; write a decimal number and uve, such as 0.5uve"),
        ("", "'' is not an amount; write a decimal number and uve, such as 0.5uve"),
    ],
)
def test_an_invalid_amount_has_advice(text: str, told: str) -> None:
    with pytest.raises(ValueError, match="uve") as caught:
        parse_rate(text)
    assert str(caught.value) == told


def test_plain_digits() -> None:
    assert [plain(Decimal(text)) for text in ("1E+3", "0.50", "100", "1E-7")] == [
        "1000",
        "0.5",
        "100",
        "0.0000001",
    ]


def test_rounding_follows_its_direction() -> None:
    assert [ceil_uve(Decimal(text)) for text in ("2445.01", "2445", "0")] == [2446, 2445, 0]
    assert [floor_uve(Decimal(text)) for text in ("2445.99", "2445", "0")] == [2445, 2445, 0]


@given(amounts, st.integers(0, 10**9))
def test_what_accrues_is_truncated_and_never_more(rate: Decimal, blocks: int) -> None:
    """As the chain reckons (semantics 4.2)."""
    parts, whole = rate.as_integer_ratio()
    assert accrued(rate, blocks) * whole <= parts * blocks < (accrued(rate, blocks) + 1) * whole


def test_the_take_fee_is_truncated() -> None:
    """2 % of 149 are 2.98 (semantics 4.3)."""
    assert (take_fee(149, 2), after_take(149, 2)) == (2, 147)
    assert after_take(49, 2) == 49


def test_a_fee_is_rounded_up_so_that_the_node_takes_it() -> None:
    assert fee_of(100_001, Decimal("0.025")) == 2501


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at most 12699uve in fees", "at most 12,699uve in fees"),
        ("from 1234567.0005uve to 999uve", "from 1,234,567.0005uve to 999uve"),
        ("block 12345, web-12345uve and 1,234uve", "block 12345, web-12,345uve and 1,234uve"),
        ("x12345uve 1.23456uve 12345uvex", "x12345uve 1.23456uve 12345uvex"),
        ("9" * 100_000 + "uve", "9" * 100_000 + "uve"),
    ],
)
def test_amounts_in_a_sentence_are_grouped(text: str, shown: str) -> None:
    assert group_amounts(text) == shown


@pytest.mark.parametrize(
    ("number", "shown"), [("1234567.50", "1,234,567.5"), ("-1234", "-1,234"), ("-0.5", "-0.5"), ("7", "7")]
)
def test_a_grouped_number(number: str, shown: str) -> None:
    assert grouped(Decimal(number)) == shown
