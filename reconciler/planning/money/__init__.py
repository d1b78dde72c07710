"""Escrow, fees, usage and the wallet: what the provider earns and spends."""
