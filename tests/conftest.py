"""Generated examples are the same in every run; `EXAMPLES=5000` looks further, elsewhere each time."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("EXAMPLES", "0"))

SLOW = [HealthCheck.too_slow]  # a busy machine is no fault of a test
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=SLOW)
settings.register_profile(
    "elsewhere", max_examples=EXAMPLES or 100, deadline=None, suppress_health_check=SLOW
)
settings.load_profile("elsewhere" if EXAMPLES else "same")
