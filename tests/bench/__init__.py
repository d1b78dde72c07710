"""Benchmarks, as ratios of one run; no test that can fail for being slow."""
