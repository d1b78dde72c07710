"""The escrow queries: by a text prefix, with unreliable paging (semantics 4.5, TRAP C)."""

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


def accounts(view: View, request: v1.QueryAccountsRequest) -> v1.QueryAccountsResponse:
    """Escrow accounts by a prefix of their text."""
    found, page = _rows(view, ESCROW_ACCOUNTS, lambda s: records.account_key(s, request.xid), request)
    rows = [Account(id=records.account_id(key), state=view.get(ESCROW_ACCOUNTS, key)) for key in found]
    return v1.QueryAccountsResponse(accounts=rows, pagination=page)


def payments(view: View, request: v1.QueryPaymentsRequest) -> v1.QueryPaymentsResponse:
    """Escrow payments by a prefix of their text."""
    found, page = _rows(view, ESCROW_PAYMENTS, lambda s: records.payment_key(s, request.xid), request)
    rows = [Payment(id=records.payment_id(key), state=view.get(ESCROW_PAYMENTS, key)) for key in found]
    return v1.QueryPaymentsResponse(payments=rows, pagination=page)


def _rows(
    view: View, table: StateTable[M], prefix: Callable[[int], bytes], request: Asked
) -> tuple[list[bytes], PageResponse]:
    """The rows of the requested states; a state with exactly `limit` rows ends the list."""
    states = _asked_states(request.state, request.pagination)
    left, found = request.pagination.limit or DEFAULT_LIMIT, list[bytes]()
    for state in states:
        rows = [key for key, _ in view.scan(table, prefix(state))]
        found.extend(reversed(rows) if request.pagination.reverse else rows)
        left -= len(rows)
        if not left:
            break
    return found, PageResponse(total=len(found))


def _asked_states(name: str, request: PageRequest) -> tuple[int, ...]:
    if request.key:
        return tuple(Cursor.decode(request.key).states)
    if not name:
        return _STATES
    value = dict(State.items()).get(name, 0)
    if not value:
        raise invalid_argument("invalid state value")
    return (value,)
