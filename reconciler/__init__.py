"""A provider's whole operation on VirtEngine, reconciled from a git repository."""
