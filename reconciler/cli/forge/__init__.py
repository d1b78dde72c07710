"""`provider-daemon forge`."""
