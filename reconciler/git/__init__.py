"""The state repository: a private mirror, and the branches that we write."""
