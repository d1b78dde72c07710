"""`provider-daemon approve`: the word of the host's owner on what a bound holds back."""

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
    """Let pass what is held under DIGEST, and nothing else; its first 8 digits are enough.

    A hold says its digest. It covers the limit and what would be done to which objects, not the commit:
    when one of them changes, the approval lapses. It is kept in the journal, with who gave it and when, and
    is published on the status branch.
    """
    settings = settings_of(host)
    records = open_records(settings.state)
    try:
        breach = _waiting(records.memory(), digest.lower())
    finally:
        records.close()
    approval = Approval(breach, _who(), int(time.time()))
    inbox = SqliteInbox(settings.state / NAME)
    try:
        inbox.approve(approval)
    finally:
        inbox.close()
    click.echo(printable(approval.show()))
    try:
        request_cycle(settings.listen)
    except CliError:
        click.echo("no daemon answers; its next cycle will find it")


def _waiting(memory: Memory, digest: str) -> Breach:
    if not _DIGEST.fullmatch(digest):
        raise CliError(
            f"error: {printable(digest)} is no digest; write 8 to 64 of the digits that a hold says"
        )
    found = [breach for key, breach in memory.waiting.items() if key.startswith(digest)]
    if len(found) == 1:
        return found[0]
    if found:
        keys = ", ".join(sorted(breach.digest for breach in found))
        raise CliError(f"error: {digest} may be each of {keys}; write more of it")
    if given := [each for key, each in memory.approvals.items() if key.startswith(digest)]:
        raise CliError(f"error: {given[0].by} has approved it already, and it is in force")
    raise CliError(
        f"error: nothing waits under {digest}: what it was about has changed or is done; "
        "`provider-daemon get holds` shows what waits now"
    )


def _who() -> str:
    """The account on this host; behind sudo the one that asked."""
    name = os.environ.get("SUDO_USER", "") if os.geteuid() == 0 else ""
    try:
        return name or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"
