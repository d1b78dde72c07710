"""Generated examples are the same in every run; `EXAMPLES=5000` looks further, elsewhere each time."""

from __future__ import annotations

import os

from hypothesis import settings

EXAMPLES = int(os.environ.get("EXAMPLES", "0"))

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("elsewhere", max_examples=EXAMPLES or 100, deadline=None)
settings.load_profile("elsewhere" if EXAMPLES else "same")
