"""Authentication, rate limits and TLS."""
