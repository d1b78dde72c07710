"""The escrow queries: a prefix of text, no paging to rely on (semantics 4.5, TRAP C)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from google.protobuf.message import Message

from reconciler.chain.proto import escrow_v1_pb2 as v1
from reconciler.chain.proto.cosmos_paging_pb2 import PageRequest, PageResponse
from reconciler.chain.proto.escrow_types_v1_pb2 import Account, Payment, State
from reconciler.devnet.chain import escrow_records as records
from reconciler.devnet.chain.errors import invalid_argument
from reconciler.devnet.chain.paging import DEFAULT_LIMIT, Cursor
from reconciler.devnet.chain.store import StateTable, View
from reconciler.devnet.chain.tables import ESCROW_ACCOUNTS, ESCROW_PAYMENTS

M = TypeVar("M", bound=Message)
Asked = v1.QueryAccountsRequest | v1.QueryPaymentsRequest
_STATES = (State.open, State.closed, State.overdrawn)


def accounts(view: View, asked: v1.QueryAccountsRequest) -> v1.QueryAccountsResponse:
    """Escrow accounts whose text begins so."""
    found, page = _rows(view, ESCROW_ACCOUNTS, lambda s: records.account_key(s, asked.xid), asked)
    rows = [Account(id=records.account_id(key), state=view.get(ESCROW_ACCOUNTS, key)) for key in found]
    return v1.QueryAccountsResponse(accounts=rows, pagination=page)


def payments(view: View, asked: v1.QueryPaymentsRequest) -> v1.QueryPaymentsResponse:
    """Escrow payments whose text begins so."""
    found, page = _rows(view, ESCROW_PAYMENTS, lambda s: records.payment_key(s, asked.xid), asked)
    rows = [Payment(id=records.payment_id(key), state=view.get(ESCROW_PAYMENTS, key)) for key in found]
    return v1.QueryPaymentsResponse(payments=rows, pagination=page)


def _rows(
    view: View, table: StateTable[M], prefix: Callable[[int], bytes], asked: Asked
) -> tuple[list[bytes], PageResponse]:
    """Every row of the states asked for; a state that has exactly the limit ends the list."""
    states = _asked_states(asked.state, asked.pagination)
    left, found = asked.pagination.limit or DEFAULT_LIMIT, list[bytes]()
    for state in states:
        rows = [key for key, _ in view.scan(table, prefix(state))]
        found.extend(reversed(rows) if asked.pagination.reverse else rows)
        left -= len(rows)
        if not left:
            break
    return found, PageResponse(total=len(found))


def _asked_states(name: str, asked: PageRequest) -> tuple[int, ...]:
    if asked.key:
        return tuple(Cursor.decode(asked.key).states)
    if not name:
        return _STATES
    value = dict(State.items()).get(name, 0)
    if not value:
        raise invalid_argument("invalid state value")
    return (value,)
