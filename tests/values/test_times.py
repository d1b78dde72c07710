"""Foreign times: bounded when read, shown without failing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.values.times import (
    UNIX_SECONDS_MAX,
    UNKNOWN,
    format_duration,
    format_remaining,
    parsed_unix_seconds,
    unix_seconds,
    utc_text,
)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("1800000000", 1_800_000_000),
        ("999999999999", 0),
        ("-1", 0),
        ("9" * 10_000, 0),
        ("\u0661", 0),
        (1.5, 1),
        (float("nan"), 0),
        (10**30, 0),
    ],
)
def test_numbers(written: str | float, seconds: int) -> None:
    assert unix_seconds(written) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2027-01-15T08:00:00Z", 1_800_000_000),
        ("2027-01-15T08:00:00", 1_800_000_000),
        ("2027-01-15T09:00:00+01:00", 1_800_000_000),
        ("0001-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59-23:59", 0),
        ("99999-01-01T00:00:00Z", 0),
        ("yesterday", 0),
        ("", 0),
    ],
)
def test_texts(text: str, seconds: int) -> None:
    assert parsed_unix_seconds(text) == seconds


@given(st.text() | st.datetimes().map(str))
def test_any_text_is_read(text: str) -> None:
    assert 0 <= parsed_unix_seconds(text) <= UNIX_SECONDS_MAX


@given(st.integers() | st.floats())
def test_any_number_is_shown(seconds: float) -> None:
    assert utc_text(seconds)


def test_the_first_and_the_last() -> None:
    assert utc_text(1) == "1970-01-01T00:00:01Z"
    assert utc_text(UNIX_SECONDS_MAX) == "9999-12-31T23:59:59Z"
    assert utc_text(0) == utc_text(UNIX_SECONDS_MAX + 1) == UNKNOWN


def test_spans_have_two_units() -> None:
    spans = {0: "0s", 59: "59s", 61: "1m 1s", 3_600: "1h", 90_061: "1d 1h"}
    assert {seconds: format_duration(seconds) for seconds in spans} == spans


def test_funds_last_or_have_ended() -> None:
    words = {None: "", 61: ", they last 1m 1s", -5: ", they ended 5s ago"}
    assert {seconds: format_remaining(seconds) for seconds in words} == words
