"""`provider-daemon forget-height`: for a height that the chain never had, from a false or broken node."""

from __future__ import annotations

import time
from pathlib import Path

import click

from reconciler.cli.api_client import request_cycle
from reconciler.cli.errors import CliError
from reconciler.cli.options import host_option, settings_of
from reconciler.journal.database import NAME
from reconciler.journal.inbox import SqliteInbox
from reconciler.journal.opening import open_records
from reconciler.values.records import Request


@click.command("forget-height")
@host_option
def forget_height(host: Path | None) -> None:
    """Discard the chain height seen so far and accept the node's next one.

    Use it if the daemon rejects a node's height and another node agrees with that node. Only the height is
    discarded.
    """
    settings = settings_of(host)
    records = open_records(settings.state)
    try:
        height = records.memory().height
    finally:
        records.close()
    inbox = SqliteInbox(settings.state / NAME)
    try:
        inbox.enqueue(Request.FORGET_HEIGHT, int(time.time()))
    finally:
        inbox.close()
    click.echo(f"height {height} is discarded; the next cycle accepts the node's height")
    try:
        request_cycle(settings.listen)
    except CliError:
        click.echo("the daemon does not respond; the request waits for its next cycle")
