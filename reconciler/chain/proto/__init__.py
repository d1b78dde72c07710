"""The chain's messages, written from its published facts, and the code generated from them."""
