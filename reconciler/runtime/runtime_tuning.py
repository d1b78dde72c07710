"""Interpreter settings that keep the servers responsive while a cycle computes."""

from __future__ import annotations

import gc
import sys

SWITCH_INTERVAL_SECONDS = 0.0005
"""How long a thread keeps the interpreter lock while another waits. The servers' thread needs it often and
briefly; at the default of 5 ms it would wait ten times as long for a computing cycle.
"""

GC_THRESHOLDS = (10_000, 50, 1_000)
"""A full collection stops every thread, for 0.1 s with 10,000 leases; objects of a
control cycle have no reference cycles and are freed without one.
"""


def tune_runtime() -> None:
    """Process-wide; idempotent."""
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    gc.set_threshold(*GC_THRESHOLDS)
