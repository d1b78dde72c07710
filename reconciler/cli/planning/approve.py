"""`provider-daemon approve`: the host owner's approval of effects that a limit withholds."""

from __future__ import annotations

import os
import pwd
import re
import time
from pathlib import Path

import click

from reconciler.cli.api_client import request_cycle
from reconciler.cli.errors import CliError
from reconciler.cli.options import host_option, settings_of
from reconciler.journal.database import NAME
from reconciler.journal.inbox import SqliteInbox
from reconciler.journal.opening import open_records
from reconciler.values.approvals import Approval, Breach
from reconciler.values.memory import Memory
from reconciler.values.text import printable

_DIGEST = re.compile(r"[0-9a-f]{8,64}")


@click.command()
@click.argument("digest")
@host_option
def approve(digest: str, host: Path | None) -> None:
    """Approve what is held under DIGEST; its first 8 digits are enough.

    A hold shows its digest, which covers the limit and the effects on each object, not the commit: if one of
    them changes, the approval lapses. The journal and the status branch record who approved it and when.
    """
    settings = settings_of(host)
    records = open_records(settings.state)
    try:
        breach = breach_of(records.memory(), digest.lower())
    finally:
        records.close()
    approval = Approval(breach, _account(), int(time.time()))
    inbox = SqliteInbox(settings.state / NAME)
    try:
        inbox.approve(approval)
    finally:
        inbox.close()
    click.echo(printable(approval.describe()))
    try:
        request_cycle(settings.listen)
    except CliError:
        click.echo("no daemon answers; its next cycle applies the approval")


def breach_of(memory: Memory, digest: str) -> Breach:
    """The breach whose digest starts with these digits; CliError if there is none or several."""
    if not _DIGEST.fullmatch(digest):
        raise CliError(
            f"error: {printable(digest)} is not a digest; write 8 to 64 hex digits of a hold's digest"
        )
    found = [breach for key, breach in memory.approvable.items() if key.startswith(digest)]
    if len(found) == 1:
        return found[0]
    if found:
        keys = ", ".join(sorted(breach.digest for breach in found))
        raise CliError(f"error: {digest} matches {keys}; write more digits")
    if given := [each for key, each in memory.approvals.items() if key.startswith(digest)]:
        raise CliError(f"error: {given[0].by} approved it already, and the approval is in force")
    raise CliError(
        f"error: nothing is held under {digest}: it has changed or is done; "
        "`provider-daemon get holds -o wide` lists the digests"
    )


def _account() -> str:
    """The account on this host; under sudo the invoking one."""
    name = os.environ.get("SUDO_USER", "") if os.geteuid() == 0 else ""
    try:
        return name or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"
