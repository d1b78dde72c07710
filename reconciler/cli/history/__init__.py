"""Commands that show the past: `log`, `history`, `events`."""
