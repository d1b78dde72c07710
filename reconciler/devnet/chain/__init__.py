"""A SIMULATED chain, compared with recordings of a real node."""
