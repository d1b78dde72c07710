"""The snapshot in the schemas of the API."""
