"""Interpreter settings that keep the servers responsive while a cycle computes."""

from __future__ import annotations

import gc
import sys

SWITCH_INTERVAL_SECONDS = 0.0005
"""How long a thread computes while another waits. The servers' thread has many short turns; at the default of
5 ms each would wait ten times as long beside a computing cycle.
"""

GC_THRESHOLDS = (10_000, 50, 1_000)
"""A full collection stops every thread, for 0.1 s with 10,000 leases; what a cycle leaves behind has no
reference cycles and is freed without one.
"""


def tune_runtime() -> None:
    """Process-wide; idempotent."""
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    gc.set_threshold(*GC_THRESHOLDS)
