"""Commands that show what would be done: `plan`, `price`, `approve`."""
