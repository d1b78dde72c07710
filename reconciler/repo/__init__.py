"""The state repository: mirror, status branch, signatures."""
