"""Replays recordings of a real node against the simulated chain."""
