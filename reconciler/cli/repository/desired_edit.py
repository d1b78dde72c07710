"""An edit of the desired branch, committed and pushed as the operator, by the operator's own git."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time

from reconciler.cli.errors import CliError
from reconciler.git.branch_writer import BranchEdit, BranchWriter, FileCommit
from reconciler.git.git_errors import last_line
from reconciler.git.git_process import (
    LOCAL_SECONDS,
    NETWORK_SECONDS,
    NO_VARIABLES,
    TIMED_OUT,
    GitResult,
    with_limits,
)
from reconciler.git.mirror import Mirror, MirrorError
from reconciler.git.remote import Author, BadRemoteError, Remote, check_branch
from reconciler.values.outcomes import Done

BASE = "refs/reconciler/base"
_IDENTITY = re.compile(r"([^<\n]*) <([^>\n]*)> ")


class OperatorGit:
    """Runs git with the operator's configuration: identity, signing key, credential helpers and prompts."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.lock_descriptors: tuple[int, ...] = ()
        self._directory = directory
        self._options = options

    def close(self) -> None:
        """Its commands run in the caller's thread."""

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `git <arguments>` with pipes as input and output."""
        return subprocess.Popen(
            self._command(arguments, LOCAL_SECONDS),
            cwd=self._directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def _command(self, arguments: Sequence[str], seconds: float) -> list[str]:
        return with_limits(["git", *self._options, *arguments], seconds)

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        seconds: float = NETWORK_SECONDS,
        variables: Mapping[str, str] = NO_VARIABLES,
    ) -> GitResult:
        """Run `git <arguments>`; it may prompt on the terminal."""
        try:
            done = subprocess.run(
                self._command(arguments, seconds),
                cwd=self._directory,
                env={**os.environ, **variables},
                input=stdin,
                capture_output=True,
                pass_fds=self.lock_descriptors,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return GitResult(TIMED_OUT, b"", f"fatal: git did not finish within {seconds:.0f} seconds")
        return GitResult(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))


def commit_edit(repository: Remote, edit: BranchEdit) -> str:
    """The id of the commit that edits the desired branch; "" if the file stays the same. CliError on failure.

    A local repository that has the branch checked out is committed to in its working tree.
    """
    if repository.is_local:
        git = OperatorGit(Path(repository.url))
        is_bare = git.run("rev-parse", "--is-bare-repository").text == "true"
        if not is_bare and git.run("symbolic-ref", "--short", "HEAD").text == edit.branch:
            return _commit_in_place(git, Path(repository.url), edit)
    with TemporaryDirectory(prefix="provider-daemon-") as scratch:
        return _commit_and_push(repository, Path(scratch), edit)


def commit_new_branch(repository: Remote, branch: str, files: Mapping[str, bytes], message: str) -> str:
    """The id of a commit that adds files to the desired branch, on a new branch, in the operator's name.
    CliError if the branch exists, or if that fails.
    """
    folder = f"{repository.path}/" if repository.path else ""
    with TemporaryDirectory(prefix="provider-daemon-") as scratch:
        try:
            mirror = _operator_mirror(repository, Path(scratch), check_branch(branch))
            with mirror.locked():
                if mirror.remote_tips(f"refs/heads/{branch}"):
                    raise MirrorError(f"{branch} exists; name a new branch")
                mirror.fetch(f"refs/heads/{repository.branch}", BASE)
                base = mirror.tip(BASE) or ""
                named = {folder + path: text for path, text in files.items()}
                commit = FileCommit(named, message, mirror.remote.author, int(time()))
                (made,) = BranchWriter(mirror).commit_each([commit], base)
                ran = mirror.contact("push", "--porcelain", mirror.url, f"{made}:refs/heads/{branch}")
        except (MirrorError, BadRemoteError) as error:
            raise CliError(f"error: {error}") from None
    if ran.code != 0:
        raise CliError(f"error: {branch} was not pushed: {last_line(ran)}")
    return made


def _operator_mirror(repository: Remote, scratch: Path, branch: str) -> Mirror:
    options = [f"--git-dir={scratch / 'mirror.git'}"]
    if repository.credentials:
        options += ["-c", f"credential.helper=store --file={repository.credentials}"]
    if repository.ca_file:
        options += ["-c", f"http.sslCAInfo={repository.ca_file}"]
    found = _IDENTITY.match(OperatorGit(scratch).run("var", "GIT_AUTHOR_IDENT").text)
    author = Author(found[1], found[2]) if found else Author()
    remote = Remote(repository.url, branch, credentials=repository.credentials, author=author)
    return Mirror(remote, scratch, runner=OperatorGit(scratch, *options))


def _commit_and_push(repository: Remote, scratch: Path, edit: BranchEdit) -> str:
    try:
        mirror = _operator_mirror(repository, scratch, edit.branch)
        with mirror.locked():
            outcome = BranchWriter(mirror).edit(edit)
    except (MirrorError, BadRemoteError) as error:
        raise CliError(f"error: {error}") from None
    if isinstance(outcome, Done):
        return outcome.detail
    raise CliError(
        f"error: {outcome.why}; where {edit.branch} takes changes by pull request alone, change {edit.path} "
        "by one (`provider-daemon stop-spending` stops at once, without git)"
    )


def _commit_in_place(git: OperatorGit, tree: Path, edit: BranchEdit) -> str:
    """A commit of the one file by `git commit`, with the hooks of the operator's working tree."""
    path = tree / edit.path
    if git.run("status", "--porcelain", "--", edit.path).text:
        raise CliError(f"error: {path} has uncommitted changes; commit or revert them first")
    before = path.read_bytes() if path.is_file() and not path.is_symlink() else None
    after = edit.change(before)
    if after == before:
        return ""
    path.write_bytes(after)
    ran = git.run("commit", "--quiet", "--message", edit.message, "--", edit.path)
    if ran.code != 0:
        if before is not None:
            path.write_bytes(before)
        raise CliError(f"error: git commit in {tree} failed: {last_line(ran)}")
    return git.run("rev-parse", "HEAD").text
