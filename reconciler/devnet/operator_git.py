"""The operator's git on a devnet: the plain command, as used in a terminal."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from reconciler.devnet.errors import DevnetError

DESIRED = "main"
STATUS = "status/provider"
TENANTS = "tenants/provider"
SECONDS_MAX = 30
_IDENTITY = {
    "GIT_AUTHOR_NAME": "operator",
    "GIT_AUTHOR_EMAIL": "operator@localhost",
    "GIT_COMMITTER_NAME": "operator",
    "GIT_COMMITTER_EMAIL": "operator@localhost",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
}


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder; its output, or a DevnetError with its error."""
    settings = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | _IDENTITY
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=settings,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
    except FileNotFoundError:
        raise DevnetError("there is no git command; install git") from None
    except subprocess.TimeoutExpired:
        raise DevnetError(f"git {arguments[0]} in {folder} took longer than {SECONDS_MAX} s") from None
    if done.returncode:
        raise DevnetError(f"git {arguments[0]} in {folder} failed: {done.stderr.strip()}")
    return done.stdout


class Operator:
    """An operator who edits files in a clone, commits and pushes."""

    def __init__(self, repository: Path, clone: Path) -> None:
        self._clone = clone
        if not clone.exists():
            git(repository.parent, "clone", "--quiet", "--branch", DESIRED, str(repository), str(clone))

    def write(self, message: str, files: dict[str, str]) -> str:
        """Commit these files whole and push; the commit's id."""
        git(self._clone, "pull", "--quiet", "--ff-only")
        for path, content in files.items():
            (self._clone / path).write_text(content, encoding="utf-8")
        git(self._clone, "add", "--", *files)
        git(self._clone, "commit", "--quiet", "--message", message)
        git(self._clone, "push", "--quiet", "origin", DESIRED)
        return git(self._clone, "rev-parse", "HEAD").strip()

    def edit(self, message: str, path: str, change: tuple[str, str]) -> str:
        """Replace a text in a file, commit and push; DevnetError if the file does not contain it."""
        old, new = change
        content = (self._clone / path).read_text(encoding="utf-8")
        if old not in content:
            raise DevnetError(f"{path} does not contain `{old}`")
        return self.write(message, {path: content.replace(old, new, 1)})
