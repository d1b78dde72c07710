"""SIMULATORS of a market for demos and tests; the daemon never imports them."""
