"""`virtengine`: the chain, read only."""
