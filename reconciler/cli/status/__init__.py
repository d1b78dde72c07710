"""Commands that show the running daemon: `status`, `get`, `explain`."""
