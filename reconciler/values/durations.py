"""Durations in words. Pure."""

from __future__ import annotations

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def format_duration(seconds: int) -> str:
    """A duration of at least 0 in its two largest units: `3d 4h`, `12s`."""
    parts: list[str] = []
    for unit, size in _UNITS:
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
