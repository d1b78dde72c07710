"""Times from outside, bounded when read; formatting never fails."""

from __future__ import annotations

from datetime import UTC, datetime

UNIX_SECONDS_MAX = 253_402_300_799
"""The last second of the year 9999, the end of Python's calendar."""

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
