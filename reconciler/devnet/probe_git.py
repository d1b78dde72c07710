"""How the story looks at the state repository, and how its operator changes it: plain git."""

from __future__ import annotations

from pathlib import Path

from reconciler.devnet.faults import DevnetError
from reconciler.devnet.plain_git import git

DESIRED = "main"
STATUS = "status/provider"


class GitProbe:
    """Looks into the bare repository."""

    def __init__(self, repository: Path) -> None:
        self._repository = repository

    def head(self, branch: str) -> str:
        """The branch's newest commit, "" where there is no such branch."""
        found = git(self._repository, "for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")
        return found.strip()

    def told(self, branch: str = STATUS) -> str:
        """All commit messages of a branch, newest first."""
        return git(self._repository, "log", "--format=%B", branch) if self.head(branch) else ""

    def log(self, branch: str) -> list[str]:
        """One line a commit, oldest first."""
        lines = git(self._repository, "log", "--reverse", "--format=%h %an: %s", branch)
        return lines.splitlines()


class Operator:
    """Has a clone, edits files in it, commits and pushes."""

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
        """Replace a text in a file, commit and push; DevnetError where the text is not there."""
        old, new = change
        content = (self._clone / path).read_text(encoding="utf-8")
        if old not in content:
            raise DevnetError(f"{path} does not say `{old}`; the story cannot change it")
        return self.write(message, {path: content.replace(old, new, 1)})
