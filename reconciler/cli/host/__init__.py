"""Commands on the host: `run`, `keys`, `backup`, `install-service`."""
