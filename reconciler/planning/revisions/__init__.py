"""Which revision is in force, and what a change would do."""
