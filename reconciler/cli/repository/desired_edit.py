"""A change to one file of the desired branch, committed as the operator, by the operator's own git."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from reconciler.cli.errors import CliError
from reconciler.git.git_process import limited
from reconciler.git.remote import redact_url
from reconciler.settings import RepositorySettings

ATTEMPTS = 4
SECONDS_MAX = 120


@dataclass(frozen=True, slots=True)
class DesiredEdit:
    """What is done to the text of the file at `path`, and why."""

    path: str
    edit: Callable[[str], str]
    message: str


class LostRaceError(Exception):
    """Somebody pushed first."""


def commit_change(repository: RepositorySettings, change: DesiredEdit) -> str:
    """The commit's id, "" where the file said it already; ToldError with git's words where it cannot be.

    Another's push in between is no trouble: it is done again on top of it. In a repository with a working
    tree on that branch it is committed there.
    """
    if repository.is_local and _works_on(repository):
        return _in_place(Path(repository.url), change)
    for _ in range(ATTEMPTS):
        with TemporaryDirectory(prefix="provider-daemon-") as scratch:
            try:
                return _in_clone(repository, Path(scratch) / "clone", change)
            except LostRaceError:
                continue
    raise CliError(f"error: {repository.branch} moved {ATTEMPTS} times meanwhile; try again")


def _works_on(repository: RepositorySettings) -> bool:
    at = Path(repository.url)
    if _git(at, "rev-parse", "--is-bare-repository") == "true":
        return False
    return _git(at, "symbolic-ref", "--short", "HEAD") == repository.branch


def _in_place(at: Path, change: DesiredEdit) -> str:
    if _git(at, "status", "--porcelain", "--", change.path):
        raise CliError(
            f"error: {at / change.path} was edited and not committed; commit it or take it back first"
        )
    return _edited(at, change)


def _in_clone(repository: RepositorySettings, clone: Path, change: DesiredEdit) -> str:
    helper = f"credential.helper=store --file={repository.credentials}"
    options = ["-c", helper] if repository.credentials else []
    options += ["-c", f"http.sslCAInfo={repository.ca_file}"] if repository.ca_file else []
    where = ["--depth", "1", "--single-branch", "--branch", repository.branch]
    url = Path(repository.url).as_uri() if repository.is_local else repository.url
    _git(None, *options, "clone", "--quiet", "--no-tags", *where, "--", url, str(clone))
    commit = _edited(clone, change)
    if commit:
        pushed = _run(clone, *options, "push", "--quiet", "origin", f"HEAD:refs/heads/{repository.branch}")
        if pushed.returncode and ("fetch first" in pushed.stderr or "cannot lock ref" in pushed.stderr):
            raise LostRaceError
        _taken(pushed, repository.branch, change.path)
    return commit


def _taken(pushed: subprocess.CompletedProcess[str], branch: str, path: str) -> None:
    """A protected branch is the usual reason; who is in a hurry needs another way at once."""
    try:
        _checked(pushed, "push")
    except CliError as why:
        raise CliError(
            f"{why}; where {branch} takes changes by pull request alone, change {path} by one "
            "(`provider-daemon stop-spending` stops at once, without git)"
        ) from None


def _edited(at: Path, change: DesiredEdit) -> str:
    path = at / change.path
    if path.is_symlink() or not path.is_file():
        raise CliError(f"error: there is no file {change.path} in the repository")
    before = path.read_bytes()
    after = change.edit(before.decode("utf-8", "replace")).encode()
    if after == before:
        return ""
    path.write_bytes(after)
    made = _run(at, "commit", "--quiet", "--message", change.message, "--", change.path)
    if made.returncode:
        path.write_bytes(before)
    _checked(made, "commit")
    return _git(at, "rev-parse", "HEAD")


def _git(at: Path | None, *arguments: str) -> str:
    return _checked(_run(at, *arguments), next(word for word in arguments[0::2] if word != "-c"))


def _run(at: Path | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            limited(["git", *arguments], SECONDS_MAX),
            cwd=at,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CliError(f"error: git did not end within {SECONDS_MAX} seconds") from None


def _checked(done: subprocess.CompletedProcess[str], what: str) -> str:
    if done.returncode:
        lines = (line.removeprefix("remote:").strip() for line in redact_url(done.stderr).splitlines())
        words = " | ".join(line for line in lines if line not in ("", "error:"))
        raise CliError(f"error: git {what} failed: {words or 'it said nothing'}")
    return done.stdout.strip()
