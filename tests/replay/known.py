"""The differences that stay, each with its reason, by file and step."""

from __future__ import annotations

KNOWN: dict[tuple[str, int], str] = {}
