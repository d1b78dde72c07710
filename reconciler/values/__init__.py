"""Domain values: frozen dataclasses and their arithmetic; no I/O."""
