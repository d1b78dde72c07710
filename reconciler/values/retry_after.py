"""The Retry-After of a response. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

WAIT_MAX_SECONDS = 24 * 3600.0
LIMITING = frozenset({403, 429, 503})


def requested_wait_seconds(status: int, headers: Mapping[str, str], now: float) -> float:
    """Seconds from a response's Retry-After (seconds or a date), or from GitHub's x-ratelimit-reset if the
    limit is used up; 0 without either. `now` is in unix seconds; header names are lower case.
    """
    if status not in LIMITING:
        return 0
    if (after := headers.get("retry-after", "").strip()) != "":
        return _bounded(_retry_after(after, now))
    if headers.get("x-ratelimit-remaining", "").strip() == "0":
        return _bounded(_number(headers.get("x-ratelimit-reset", "")) - now)
    return 0


def _retry_after(text: str, now: float) -> float:
    if text.isascii() and text.isdigit():
        return _number(text)
    try:
        return parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):
        return 0


def _number(text: str) -> float:
    text = text.strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 12 else 0


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), WAIT_MAX_SECONDS)
