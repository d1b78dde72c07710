"""A forge (GitHub, Gitea, Forgejo): comments on pull requests, states of commits, over their common API."""
