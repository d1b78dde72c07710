"""How long a forge asks to be left alone."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from reconciler.values.retry_after import WAIT_MAX_SECONDS, requested_wait_seconds

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"retry-after": "7"}, 7),
        (503, {"retry-after": " 30 "}, 30),
        (403, {"retry-after": "60"}, 60),
        (429, {"retry-after": formatdate(NOW + 90, usegmt=True)}, 90),
        (429, {"retry-after": formatdate(NOW - 90, usegmt=True)}, 0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 5)}, 5),
        (403, {"x-ratelimit-remaining": "12", "x-ratelimit-reset": str(int(NOW) + 5)}, 0),
        (403, {"x-ratelimit-remaining": "0"}, 0),
        (429, {"retry-after": "9" * 400}, 0),
        (429, {"retry-after": "99999999"}, WAIT_MAX_SECONDS),
        (429, {"retry-after": "soon"}, 0),
        (429, {}, 0),
        (403, {}, 0),
        (500, {"retry-after": "7"}, 0),
    ],
)
def test_seconds(status: int, headers: dict[str, str], seconds: float) -> None:
    assert requested_wait_seconds(status, headers, NOW) == seconds
