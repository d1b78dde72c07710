"""Times from outside, bounded when read, and durations; formatting never fails."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

UNIX_SECONDS_MAX = 253_402_300_799
"""The last second of the year 9999, the end of Python's calendar."""

HOUR_SECONDS = 3_600
DAY_SECONDS = 86_400
MONTH_SECONDS = 30 * DAY_SECONDS
UNIT_SECONDS: Mapping[str, int] = {"d": DAY_SECONDS, "h": HOUR_SECONDS, "m": 60, "s": 1}
"""The units of durations as people write and read them, the largest first."""

UNKNOWN = "unknown"


class Timestamp(int):
    """Unix seconds, shown to people; 0 is unknown. In JSON an RFC 3339 text, or null."""


NEVER = Timestamp(0)
_DIGITS_MAX = 12


def unix_seconds(written: str | float) -> Timestamp:
    """Whole unix seconds of a number or its digits; 0, which means unknown, for anything outside the years
    1970 to 9999.
    """
    if isinstance(written, str):
        digits = written.strip()
        is_number = digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS_MAX
        written = int(digits) if is_number else 0
    return Timestamp(written) if 0 <= written <= UNIX_SECONDS_MAX else NEVER


def parsed_unix_seconds(text: str) -> Timestamp:
    """Unix seconds of an RFC 3339 text; 0, which means unknown, for any other text or year."""
    try:
        moment = datetime.fromisoformat(text.strip()[:64])
        return unix_seconds((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return NEVER


def utc_text(seconds: float, form: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    """Unix seconds as UTC, in RFC 3339 unless a form is given; `unknown` for 0 and dates outside the
    calendar.
    """
    if not 0 < seconds <= UNIX_SECONDS_MAX:
        return UNKNOWN
    return datetime.fromtimestamp(seconds, UTC).strftime(form)


def is_over(began_at: float, seconds: float, now: float) -> bool:
    """Whether a wait by the host's clock is over; a clock that was set back ends it, instead of prolonging it
    by as much.
    """
    return not began_at <= now < began_at + seconds


def format_duration(seconds: int) -> str:
    """A duration of at least 0 in its two largest units: `3d 4h`, `12s`."""
    parts: list[str] = []
    for unit, size in UNIT_SECONDS.items():
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def format_remaining(seconds: int | None) -> str:
    """How long funds last, after a comma; "" if no payment is open."""
    if seconds is None:
        return ""
    return (
        f", they last {format_duration(seconds)}"
        if seconds >= 0
        else f", they ended {format_duration(-seconds)} ago"
    )
