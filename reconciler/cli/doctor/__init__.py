"""`provider-daemon doctor`."""
