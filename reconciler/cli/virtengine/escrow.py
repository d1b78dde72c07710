"""`virtengine query escrow`: accounts and payments, by the sheet's flags or the real client's arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click
from google.protobuf.message import Message

from reconciler.chain.client_json import printed
from reconciler.cli.virtengine.accounts import (
    SCOPES,
    STATES,
    Wanted,
    account_of,
    accounts_of,
    payments_of,
)
from reconciler.cli.virtengine.handover import Handing
from reconciler.cli.virtengine.lists import Paging, cut, paging_options
from reconciler.cli.virtengine.node import NodeConnection, QueryTarget, output_option, where_options
from reconciler.cli.virtengine.output import say

FORMS = (
    "deployment/OWNER/DSEQ, bid/OWNER/DSEQ/GSEQ/OSEQ/PROVIDER, a lease's OWNER/DSEQ/GSEQ/OSEQ/PROVIDER, or "
    "the settlement module's escrow-N"
)

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group(cls=Handing)
def escrow() -> None:
    """Escrow accounts, and the payments out of them."""


def _list_options(command: Command) -> Command:
    for option in (
        where_options,
        paging_options,
        output_option,
        click.option("--provider", default="", help="Only its own, found by its leases and bids."),
        click.argument("xid", default=""),
        click.argument("state", default=""),
    ):
        command = option(command)
    return command


@escrow.command()
@_list_options
def accounts(**flags: Any) -> None:
    """List accounts, of a STATE (open, closed, overdrawn; left out: any) and with an id that begins with XID
    (as in `bid` or `deployment/OWNER`).
    """
    _list("accounts", accounts_of, flags)


@escrow.command()
@_list_options
def payments(**flags: Any) -> None:
    """List payments, of a STATE and out of accounts whose id begins with XID, as `accounts` has them."""
    _list("payments", payments_of, flags)


@escrow.command(help=f"Show one account: {FORMS}.")
@click.option("--account-id", required=True, help="Its id; a lease's stands for the account that pays it.")
@output_option
@where_options
def account(account_id: str, output: str, **flags: Any) -> None:
    """Show one account."""
    try:
        with QueryTarget.taken(flags).asked(f"account {account_id}") as node:
            answer = printed(account_of(node, account_id))
    except ValueError:
        raise click.UsageError(f"--account-id {account_id} names no account; write {FORMS}") from None
    say(answer, output)


def _list(
    name: str, ask: Callable[[NodeConnection, Wanted], Iterable[Message]], flags: dict[str, Any]
) -> None:
    where, paging, output = QueryTarget.taken(flags), Paging.taken(flags), flags.pop("output")
    wanted = _wanted(**flags)
    with where.asked(f"escrow {name}") as asked:
        node = asked.pinned(paging.height)
        answer = cut(name, ask(node, wanted), paging, node.height)
    say(answer, output)


def _wanted(state: str, xid: str, provider: str) -> Wanted:
    """The arguments, the state left out where the first is an id; a usage error where they are neither."""
    if state.partition("/")[0] in SCOPES and not xid:
        state, xid = "", state
    if state and state not in STATES:
        raise click.UsageError(f"{state!r} is not a state; write {', '.join(STATES)}")
    if xid and xid.partition("/")[0] not in SCOPES:
        raise click.UsageError(
            f"{xid!r} begins with no scope; write bid or deployment, then /OWNER and so on"
        )
    return Wanted(state, xid, provider)
