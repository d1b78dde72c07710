"""The decisions: from what is desired, observed and remembered to a plan; pure."""
