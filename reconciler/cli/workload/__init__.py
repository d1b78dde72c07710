"""Commands on workload files."""
