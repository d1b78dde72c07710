"""The snapshot out: HTTP API and metrics."""
