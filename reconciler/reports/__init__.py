"""Views and texts for people and programs."""
