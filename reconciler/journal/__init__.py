"""Durable state in SQLite: intents, memory, decisions, inbox, outbox."""
