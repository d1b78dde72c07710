"""Text to values and back: strict YAML, models, schemas, desired, status; no disk, no git."""
