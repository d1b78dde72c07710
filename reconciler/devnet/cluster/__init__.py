"""A SIMULATED Kubernetes API."""
