"""What goes wrong on a devnet, told in a sentence."""

from __future__ import annotations


class DevnetError(OSError):
    """The message says what failed, and what to do instead."""
