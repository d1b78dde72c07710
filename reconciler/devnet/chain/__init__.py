"""A SIMULATED chain, held to recordings of a real node."""
