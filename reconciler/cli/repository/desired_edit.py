"""An edit of the desired branch, committed and pushed as the operator, by the operator's own git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from reconciler.cli.errors import CliError
from reconciler.git.branch_writer import BranchEdit, BranchWriter
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
from reconciler.git.remote import BadRemoteError, Remote
from reconciler.values.outcomes import Done


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


def _commit_and_push(repository: Remote, scratch: Path, edit: BranchEdit) -> str:
    directory = scratch / "mirror.git"
    options = [f"--git-dir={directory}"]
    if repository.credentials:
        options += ["-c", f"credential.helper=store --file={repository.credentials}"]
    if repository.ca_file:
        options += ["-c", f"http.sslCAInfo={repository.ca_file}"]
    remote = Remote(repository.url, edit.branch, credentials=repository.credentials)
    try:
        mirror = Mirror(remote, scratch, runner=OperatorGit(scratch, *options))
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
