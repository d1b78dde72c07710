"""Largest integers of a fixed size."""

from __future__ import annotations

UINT32_MAX = (1 << 32) - 1
UINT64_MAX = (1 << 64) - 1
