"""Observe, confirm, plan, apply, publish; knows ports, never what is behind them."""
