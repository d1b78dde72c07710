"""The nouns: frozen values and their arithmetic; no I/O."""
