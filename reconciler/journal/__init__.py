"""What must survive: intents, memory, decisions, inbox, outbox; SQLite."""
