"""Durations in words."""

from __future__ import annotations

from reconciler.values.durations import format_duration, format_remaining


def test_spans_have_two_units() -> None:
    spans = {0: "0s", 59: "59s", 61: "1m 1s", 3_600: "1h", 90_061: "1d 1h"}
    assert {seconds: format_duration(seconds) for seconds in spans} == spans


def test_funds_last_or_have_ended() -> None:
    words = {None: "", 61: ", they last 1m 1s", -5: ", they ended 5s ago"}
    assert {seconds: format_remaining(seconds) for seconds in words} == words
