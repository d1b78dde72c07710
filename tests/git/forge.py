"""A small repository of somebody else's, worked on by a git that sees nothing of this machine's settings."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "Olga Operator",
    "GIT_AUTHOR_EMAIL": "olga@example.com",
    "GIT_COMMITTER_NAME": "Olga Operator",
    "GIT_COMMITTER_EMAIL": "olga@example.com",
    "GIT_AUTHOR_DATE": "1800000000 +0000",
    "GIT_COMMITTER_DATE": "1800000000 +0000",
}


@dataclass(frozen=True)
class Forge:
    """A repository with a working tree at `path`, on branch main."""

    path: Path

    @classmethod
    def make(cls, path: Path, object_format: str = "sha1") -> Forge:
        path.mkdir(parents=True)
        forge = cls(path)
        forge.git("init", "--quiet", "--initial-branch=main", f"--object-format={object_format}")
        return forge

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        ran = subprocess.run(
            ["git", *arguments], cwd=self.path, env=ENVIRONMENT, input=stdin, capture_output=True, check=True
        )
        return ran.stdout.decode().strip()

    def write(self, **files: str | bytes) -> None:
        """Files by name, __ for /, and _yaml for the ending."""
        for name, content in files.items():
            path = self.path / name.replace("__", "/").replace("_yaml", ".yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, subject: str = "a change", *options: str, **files: str | bytes) -> str:
        self.write(**files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", subject, *options)
        return self.git("rev-parse", "HEAD")

    def log(self, branch: str) -> list[str]:
        return self.git("log", "--format=%s", branch).splitlines()
