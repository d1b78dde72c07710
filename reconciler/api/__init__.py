"""The HTTP API, the page and the metrics."""
