"""Figures, as ratios of one run; never a test that can fail for being slow."""
