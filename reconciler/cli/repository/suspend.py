"""`provider-daemon suspend` and `resume`: commits to the desired branch, with author and reason."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.errors import CliError
from reconciler.cli.options import host_option, settings_of
from reconciler.cli.repository.desired_edit import commit_edit
from reconciler.cli.repository.suspended_line import NotPlainError, with_suspended
from reconciler.documents.config_model import SUSPENDED_MAX
from reconciler.git.branch_writer import BranchEdit

CONFIG = "config.yaml"


@click.command()
@click.argument("reason")
@host_option
def suspend(reason: str, host: Path | None) -> None:
    """Stop bids, withdrawals, usage records and closings, by a commit with REASON; workloads continue.

    It is committed in your name and pushed; it applies from the cycle that reads it. Without git:
    `provider-daemon stop-spending`.
    """
    reason = reason.strip()
    if not reason or len(reason) > SUSPENDED_MAX or not reason.isprintable():
        raise CliError(f"error: write the reason in one line of at most {SUSPENDED_MAX} characters")
    commit = _commit(host, reason, f"Suspend: {reason}")
    if commit:
        click.echo(f"suspended by commit {commit[:12]}; `provider-daemon resume` ends it")
    else:
        click.echo("already suspended for this reason")


@click.command()
@host_option
def resume(host: Path | None) -> None:
    """End a suspension, by a commit."""
    commit = _commit(host, "", "Resume")
    if commit:
        click.echo(f"resumed by commit {commit[:12]}")
    else:
        click.echo("not suspended")


def _commit(host: Path | None, reason: str, message: str) -> str:
    repository = settings_of(host).repository
    path = f"{repository.path}/{CONFIG}" if repository.path else CONFIG

    def change(content: bytes | None) -> bytes:
        if content is None:
            raise CliError(f"error: {repository.branch} has no file {path}")
        try:
            return with_suspended(content.decode("utf-8", "replace"), reason).encode()
        except NotPlainError as error:
            raise CliError(f"error: {path}: {error}; edit it by hand, commit and push") from None

    return commit_edit(repository, BranchEdit(repository.branch, path, change, message))
