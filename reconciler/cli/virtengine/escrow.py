"""`virtengine query escrow`: accounts and payments, by state and id as in the chain's own client, or by
provider. The chain has no list by provider: it is derived from the provider's bids and leases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import click
from google.protobuf.message import Message

from reconciler.chain import queries as methods
from reconciler.chain.client_json import to_client_json
from reconciler.chain.node_errors import NodeError
from reconciler.chain.proto import (
    deployment_v1beta4_pb2,
    escrow_v1_pb2,
    market_v1beta5_pb2,
    settlement_v1_pb2,
)
from reconciler.chain.proto.escrow_id_v1_pb2 import Scope
from reconciler.chain.proto.escrow_types_v1_pb2 import Account, Payment, State
from reconciler.chain.stubs import Unary, unary
from reconciler.chain.wire_market import bid_id_to, deployment_id_to
from reconciler.cli.options import options
from reconciler.cli.virtengine.handover import HandoverGroup
from reconciler.cli.virtengine.node import NodeConnection, QueryTarget, target_options
from reconciler.cli.virtengine.output import output_option, print_answer
from reconciler.cli.virtengine.paging import PAGE_ROWS, list_rows, paging_options, print_list
from reconciler.cli.virtengine.queries import market_rows
from reconciler.values.ids import DeploymentId, LeaseId

ACCOUNTS = unary(methods.ESCROW, escrow_v1_pb2.QueryAccountsRequest, escrow_v1_pb2.QueryAccountsResponse)

STATES = ("open", "closed", "overdrawn")
"""In the order in which the chain lists them."""

SCOPES = ("bid", "deployment")
SETTLEMENT = "escrow-"
"""Prefix of the ids of the settlement module's own escrows (semantics 2.1)."""

FORMS = (
    "deployment/OWNER/DSEQ, bid/OWNER/DSEQ/GSEQ/OSEQ/PROVIDER, a lease's OWNER/DSEQ/GSEQ/OSEQ/PROVIDER, or "
    "the settlement module's escrow-N"
)

Row = TypeVar("Row", Account, Payment)


@dataclass(frozen=True, slots=True)
class EscrowFilter:
    """Which accounts or payments; empty: any. `xid` is a prefix of `<scope>/<id>`."""

    state: str = ""
    xid: str = ""
    provider: str = ""

    @property
    def states(self) -> tuple[str, ...]:
        """The states to request, each by itself (semantics 2.2 C)."""
        return (self.state,) if self.state else STATES

    @classmethod
    def from_arguments(cls, state: str, xid: str, provider: str) -> EscrowFilter:
        """The arguments; the state may be left out before an id. UsageError if they are neither."""
        if state.partition("/")[0] in SCOPES and not xid:
            state, xid = "", state
        if state and state not in STATES:
            raise click.UsageError(f"{state!r} is not a state; write {', '.join(STATES)}")
        if xid and xid.partition("/")[0] not in SCOPES:
            raise click.UsageError(f"{xid!r} begins with no scope; write bid or deployment, then /OWNER etc.")
        return cls(state, xid, provider)


@click.group(cls=HandoverGroup)
def escrow() -> None:
    """Escrow accounts, and the payments out of them."""


list_options = options(
    click.argument("state", default=""),
    click.argument("xid", default=""),
    click.option("--provider", default="", help="Only those of the provider's bids and leases."),
    output_option,
    paging_options,
    target_options,
)


@escrow.command()
@list_options
def accounts(**flags: Any) -> None:
    """List accounts of a STATE (open, closed, overdrawn; left out: any) whose id begins with XID (such as
    `bid` or `deployment/OWNER`).
    """
    _list("accounts", _accounts, flags)


@escrow.command()
@list_options
def payments(**flags: Any) -> None:
    """List payments of a STATE out of accounts whose id begins with XID, as in `accounts`."""
    _list("payments", _payments, flags)


@escrow.command(help=f"Show an account: {FORMS}.")
@click.option("--account-id", required=True, help="Its id; a lease's id names the account that pays it.")
@output_option
@target_options
def account(account_id: str, output: str, **flags: Any) -> None:
    """Show an account."""
    try:
        with QueryTarget.from_flags(flags).connect(f"account {account_id}") as node:
            answer = to_client_json(_account(node, account_id))
    except ValueError:
        raise click.UsageError(f"--account-id {account_id} names no account; write {FORMS}") from None
    print_answer(answer, output)


def _list(
    name: str, find: Callable[[NodeConnection, EscrowFilter], Iterable[Message]], flags: dict[str, Any]
) -> None:
    print_list(
        f"escrow {name}", flags, lambda node, words, _: find(node, EscrowFilter.from_arguments(**words))
    )


def _account(node: NodeConnection, name: str) -> Message:
    """An account; ValueError if the text names none.

    A lease's id, `owner/dseq/gseq/oseq/provider`, names the account of its deployment, which pays it.
    """
    if name.startswith(SETTLEMENT):
        return _settlement_escrow(node, name)
    scope, _, xid = name.partition("/")
    if scope == "bid":
        bid = market_v1beta5_pb2.QueryBidRequest(id=bid_id_to(LeaseId.parse(xid)))
        return node.query(methods.BID, bid).escrow_account
    deployment = deployment_v1beta4_pb2.QueryDeploymentRequest(
        id=deployment_id_to(_deployment_id(xid if scope == "deployment" else name))
    )
    return node.query(methods.DEPLOYMENT_BY_ID, deployment).escrow_account


def _settlement_escrow(node: NodeConnection, name: str) -> settlement_v1_pb2.EscrowAccount:
    """The settlement module answers with an empty escrow if there is none."""
    found = node.query(methods.ESCROW_BY_ID, settlement_v1_pb2.QueryEscrowRequest(escrow_id=name)).escrow
    if not found.escrow_id:
        raise NodeError("the chain has no settlement escrow of this id")
    return found


def _deployment_id(text: str) -> DeploymentId:
    owner, _, number = text.partition("/")
    if not (owner and number.isascii() and number.isdigit()):
        return LeaseId.parse(text).deployment
    return DeploymentId(owner, int(number))


def _accounts(node: NodeConnection, wanted: EscrowFilter) -> Iterable[Account]:
    """Accounts by state, then by id; of a provider: its bids' and those that pay its leases."""
    if not wanted.provider:
        return _rows(node, ACCOUNTS, wanted)
    by_provider = {"provider": wanted.provider}
    found = [row.escrow_account for row in market_rows(node, methods.BIDS, by_provider)]
    leases = [row.lease.id for row in market_rows(node, methods.LEASES, by_provider)]
    paying = {f"{lease.owner}/{lease.dseq}" for lease in leases}
    for owner in sorted({lease.owner for lease in leases}):  # one request for all leases of an owner
        rows = _rows(node, ACCOUNTS, replace(wanted, xid=f"deployment/{owner}/"))
        found += [row for row in rows if row.id.xid in paying]
    return _matching(found, wanted)


def _payments(node: NodeConnection, wanted: EscrowFilter) -> Iterable[Payment]:
    """Payments by state, then by id; of a provider: those of its leases."""
    if not wanted.provider:
        return _rows(node, methods.PAYMENTS, wanted)
    leases = market_rows(node, methods.LEASES, {"provider": wanted.provider})
    return _matching([row.escrow_payment for row in leases], wanted)


def _rows(node: NodeConnection, method: Unary[Any, Any], wanted: EscrowFilter) -> Iterator[Any]:
    for state in wanted.states:
        yield from list_rows(node, method, {"state": state, "xid": wanted.xid}, PAGE_ROWS)


def _matching(found: list[Row], wanted: EscrowFilter) -> list[Row]:
    """The rows that match, in the chain's order."""
    states = [State.Value(state) for state in wanted.states]
    rows = [row for row in found if row.state.state in states and _store_key(row).startswith(wanted.xid)]
    return sorted(rows, key=lambda row: (states.index(row.state.state), _store_key(row)))


def _store_key(row: Account | Payment) -> str:
    """The chain's store key: `<scope>/<xid>`, of a payment followed by its own xid (semantics 2.1)."""
    if isinstance(row, Account):
        return f"{Scope.Name(row.id.scope)}/{row.id.xid}"
    return f"{Scope.Name(row.id.aid.scope)}/{row.id.aid.xid}/{row.id.xid}"
