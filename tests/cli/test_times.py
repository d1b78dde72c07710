"""Times as they are printed and asked for."""

from __future__ import annotations

import time

import click
import pytest

from reconciler.cli.times import lasting, moment, since, span


def test_spans_have_two_units() -> None:
    spans = {0: "0s", 59: "59s", 61: "1m 1s", 3_600: "1h", 90_061: "1d 1h"}
    assert {seconds: span(seconds) for seconds in spans} == spans


def test_funds_last_or_have_ended() -> None:
    words = {None: "", 61: ", they last 1m 1s", -5: ", they ended 5s ago"}
    assert {seconds: lasting(seconds) for seconds in words} == words


def test_since_takes_a_time_or_how_long_ago() -> None:
    assert since("2026-11-24T10:00:00Z") == since("2026-11-24T11:00:00+01:00") == 1_795_514_400
    assert moment(1_795_514_400) == "2026-11-24T10:00:00Z"
    assert time.time() - since("2h") == pytest.approx(7_200, abs=2)


@pytest.mark.parametrize("text", ["", "soon", "2 weeks", "-3h", "99-99"])
def test_anything_else_is_wrong_usage(text: str) -> None:
    with pytest.raises(click.UsageError, match="is no time; write 15m"):
        since(text)
