"""Times as they are printed and asked for."""

from __future__ import annotations

import time

import click
import pytest

from reconciler.cli.times import since
from reconciler.values.times import utc_text


def test_since_takes_a_time_or_how_long_ago() -> None:
    assert since("2026-11-24T10:00:00Z") == since("2026-11-24T11:00:00+01:00") == 1_795_514_400
    assert utc_text(1_795_514_400) == "2026-11-24T10:00:00Z"
    assert time.time() - since("2h") == pytest.approx(7_200, abs=2)


@pytest.mark.parametrize("text", ["", "soon", "2 weeks", "-3h", "99-99"])
def test_anything_else_is_wrong_usage(text: str) -> None:
    with pytest.raises(click.UsageError, match="is no time; write 15m"):
        since(text)
