"""Escrow accounts and payments: by text as the chain lists them, by provider from what is its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from google.protobuf.message import Message

from reconciler.chain import queries
from reconciler.chain.node_errors import NodeError
from reconciler.chain.proto import (
    deployment_v1beta4_pb2,
    escrow_v1_pb2,
    market_v1beta5_pb2,
    settlement_v1_pb2,
)
from reconciler.chain.proto.cosmos_paging_pb2 import PageRequest
from reconciler.chain.proto.escrow_id_v1_pb2 import Scope
from reconciler.chain.proto.escrow_types_v1_pb2 import Account, Payment, State
from reconciler.chain.stubs import unary
from reconciler.chain.wire_market import bid_id_to, deployment_id_to
from reconciler.cli.virtengine.lists import EVERYTHING, PAGE_ROWS, Page, pages
from reconciler.cli.virtengine.node import NodeConnection
from reconciler.cli.virtengine.rows import BIDS, LEASES, Filters, rows
from reconciler.values.ids import DeploymentId, LeaseId

ACCOUNTS = unary(queries.ESCROW, escrow_v1_pb2.QueryAccountsRequest, escrow_v1_pb2.QueryAccountsResponse)

STATES = ("open", "closed", "overdrawn")
"""In the order in which the chain lists them."""

SCOPES = ("bid", "deployment")
SETTLEMENT = "escrow-"
"""How the ids of the settlement module's own escrows begin (semantics 2.1)."""

Row = TypeVar("Row", Account, Payment)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which accounts or payments; empty: any. `xid` is how `<scope>/<id>` begins."""

    state: str = ""
    xid: str = ""
    provider: str = ""

    @property
    def states(self) -> tuple[str, ...]:
        """The states to ask for, each by itself (semantics 2.2 C)."""
        return (self.state,) if self.state else STATES


def account_of(node: NodeConnection, name: str) -> Message:
    """One account; ValueError where the text names none.

    A lease's id, `owner/dseq/gseq/oseq/provider`, stands for its deployment's account, which pays it.
    """
    if name.startswith(SETTLEMENT):
        return _settlement(node, name)
    scope, _, xid = name.partition("/")
    if scope == "bid":
        bid = market_v1beta5_pb2.QueryBidRequest(id=bid_id_to(LeaseId.parse(xid)))
        return node.ask(queries.BID, bid).escrow_account
    asked = deployment_v1beta4_pb2.QueryDeploymentRequest(
        id=deployment_id_to(_deployment(xid if scope == "deployment" else name))
    )
    return node.ask(queries.DEPLOYMENT_BY_ID, asked).escrow_account


def accounts_of(node: NodeConnection, wanted: Wanted) -> Iterable[Account]:
    """Accounts by state, then by text; of a provider: its bids' and those that pay its leases."""
    if wanted.provider:
        return _fitting([*_bid_accounts(node, wanted), *_lease_accounts(node, wanted)], wanted)
    return _listed(wanted, lambda state, at: _account_page(node, state, wanted.xid, at))


def payments_of(node: NodeConnection, wanted: Wanted) -> Iterable[Payment]:
    """Payments by state, then by text; of a provider: those of its leases."""
    if wanted.provider:
        leases = rows(LEASES, node, Filters(provider=wanted.provider), EVERYTHING)
        return _fitting([row.escrow_payment for row in leases], wanted)
    return _listed(wanted, lambda state, at: _payment_page(node, state, wanted.xid, at))


def _settlement(node: NodeConnection, name: str) -> settlement_v1_pb2.EscrowAccount:
    """The settlement module answers with an empty escrow where there is none."""
    request = settlement_v1_pb2.QueryEscrowRequest(escrow_id=name)
    found = node.ask(queries.ESCROW_BY_ID, request).escrow
    if not found.escrow_id:
        raise NodeError("the chain has no settlement escrow of this id")
    return found


def _bid_accounts(node: NodeConnection, wanted: Wanted) -> Iterator[Account]:
    for row in rows(BIDS, node, Filters(provider=wanted.provider), EVERYTHING):
        yield row.escrow_account


def _lease_accounts(node: NodeConnection, wanted: Wanted) -> Iterator[Account]:
    """An owner's accounts come in one answer, so that many leases need few requests."""
    leases = rows(LEASES, node, Filters(provider=wanted.provider), EVERYTHING)
    ours = {f"{row.lease.id.owner}/{row.lease.id.dseq}" for row in leases}
    for owner in sorted({xid.partition("/")[0] for xid in ours}):
        for found in accounts_of(node, Wanted(wanted.state, f"deployment/{owner}/")):
            if found.id.xid in ours:
                yield found


def _listed(wanted: Wanted, page: Callable[[str, PageRequest], Page[Row]]) -> Iterator[Row]:
    for state in wanted.states:
        yield from pages(partial(page, state), PAGE_ROWS)


def _account_page(node: NodeConnection, state: str, xid: str, at: PageRequest) -> Page[Account]:
    answer = node.ask(ACCOUNTS, escrow_v1_pb2.QueryAccountsRequest(state=state, xid=xid, pagination=at))
    return answer.accounts, answer.pagination.next_key


def _payment_page(node: NodeConnection, state: str, xid: str, at: PageRequest) -> Page[Payment]:
    request = escrow_v1_pb2.QueryPaymentsRequest(state=state, xid=xid, pagination=at)
    answer = node.ask(queries.PAYMENTS, request)
    return answer.payments, answer.pagination.next_key


def _fitting(found: list[Row], wanted: Wanted) -> list[Row]:
    """Those that fit, in the chain's order."""
    states = [State.Value(state) for state in wanted.states]
    fit = [row for row in found if row.state.state in states and _text(row).startswith(wanted.xid)]
    return sorted(fit, key=lambda row: (states.index(row.state.state), _text(row)))


def _text(row: Account | Payment) -> str:
    """What the chain stores it by: `<scope>/<xid>`, of a payment with its own xid behind (semantics 2.1)."""
    if isinstance(row, Account):
        return f"{Scope.Name(row.id.scope)}/{row.id.xid}"
    return f"{Scope.Name(row.id.aid.scope)}/{row.id.aid.xid}/{row.id.xid}"


def _deployment(text: str) -> DeploymentId:
    owner, _, rest = text.partition("/")
    if not (owner and rest.isascii() and rest.isdigit()):
        return LeaseId.parse(text).deployment
    return DeploymentId(owner, int(rest))
