"""The devnet's own error."""

from __future__ import annotations


class DevnetError(OSError):
    """A sentence: what failed, and what to do."""
