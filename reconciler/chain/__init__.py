"""The chain client: queries, blocks, transactions, keys."""
