"""What fits on the machines of the adapters, and what is promised there."""
