"""Times and durations as the commands print them, and as they are asked for."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import click

from reconciler.values.times import UNIT_SECONDS

_SPAN = re.compile(r"(\d{1,9})\s*([smhd])")


def since(text: str, option: str = "--since") -> int:
    """Unix seconds of an option: a time (RFC 3339), or how long ago (`90s`, `15m`, `2h`, `7d`)."""
    if match := _SPAN.fullmatch(text.strip()):
        return int(time.time()) - int(match[1]) * UNIT_SECONDS[match[2]]
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise click.UsageError(
            f"{option} {text!r} is no time; write 15m, 2h, 7d or 2026-01-31T08:00:00Z"
        ) from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
