"""Times and durations as the commands print them, and as they are asked for."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import click

_SPAN = re.compile(r"(\d{1,9})\s*([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def moment(seconds: int) -> str:
    """Unix seconds as `2026-01-31T08:00:00Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(seconds: int) -> str:
    """A duration of at least 0 in its two largest units: `3d 4h`, `12s`."""
    parts: list[str] = []
    for unit, size in reversed(_UNITS.items()):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def lasting(seconds: int | None) -> str:
    """How long funds last, after a comma; "" where nothing drains them."""
    if seconds is None:
        return ""
    return f", they last {span(seconds)}" if seconds >= 0 else f", they ended {span(-seconds)} ago"


def since(text: str) -> int:
    """Unix seconds of `--since`: a time (RFC 3339), or how long ago (`90s`, `15m`, `2h`, `7d`)."""
    if match := _SPAN.fullmatch(text.strip()):
        return int(time.time()) - int(match[1]) * _UNITS[match[2]]
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise click.UsageError(
            f"--since {text!r} is no time; write 15m, 2h, 7d or 2026-01-31T08:00:00Z"
        ) from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
