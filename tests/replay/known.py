"""The accepted differences by file and step, each with its reason."""

from __future__ import annotations

KNOWN: dict[tuple[str, int], str] = {}
