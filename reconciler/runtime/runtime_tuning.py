"""A process whose servers answer soon while its cycle computes: short turns, and few whole collections."""

from __future__ import annotations

import gc
import sys

TURN_SECONDS = 0.0005
"""How long a thread computes while another wants to. The servers' thread has many short turns; at the usual
5 ms would wait ten times as long for each beside a cycle that computes.
"""

COLLECTED_AFTER = (10_000, 50, 1_000)
"""After how many new objects and smaller collections garbage is looked for. A whole collection stops
every thread, with 10,000 leases for a tenth of a second; what a cycle leaves behind holds no circles and goes
without one.
"""


def be_prompt() -> None:
    """Of the whole process; again is the same."""
    sys.setswitchinterval(TURN_SECONDS)
    gc.set_threshold(*COLLECTED_AFTER)
