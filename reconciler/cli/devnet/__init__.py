"""The simulated market: `devnet`, `demo`."""
