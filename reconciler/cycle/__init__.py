"""Observe, confirm, plan, apply, publish; depends on ports only, never on their implementations."""
