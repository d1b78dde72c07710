"""The settlement queries: a missing object is an empty answer; no paging (semantics 5.4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from google.protobuf.message import Message

from reconciler.chain.proto import settlement_v1_pb2 as v1
from reconciler.devnet.chain import settlement_records as records
from reconciler.devnet.chain.addresses import AddressError, raw
from reconciler.devnet.chain.call import NANOSECONDS
from reconciler.devnet.chain.errors import invalid_argument
from reconciler.devnet.chain.store import StateTable, View
from reconciler.devnet.chain.tables import (
    BLOCK_TIMES,
    PARAMS,
    PAYOUTS,
    PAYOUTS_OF,
    SETTLEMENT_ESCROW_OF,
    SETTLEMENT_ESCROWS,
    SETTLEMENTS,
    SETTLEMENTS_OF,
    USAGE,
    USAGE_OF,
)

M = TypeVar("M", bound=Message)


def escrow(view: View, request: v1.QueryEscrowRequest) -> v1.QueryEscrowResponse:
    """One escrow."""
    found = view.get(SETTLEMENT_ESCROWS, _given(request.escrow_id, "escrow_id"))
    return v1.QueryEscrowResponse(escrow=found)


def escrows_by_order(view: View, request: v1.QueryEscrowsByOrderRequest) -> v1.QueryEscrowsByOrderResponse:
    """An order's only escrow, as a list."""
    names = view.get(SETTLEMENT_ESCROW_OF, _given(request.order_id, "order_id"))
    return v1.QueryEscrowsByOrderResponse(escrows=_rows(view, SETTLEMENT_ESCROWS, names))


def escrows_by_state(view: View, request: v1.QueryEscrowsByStateRequest) -> v1.QueryEscrowsByStateResponse:
    """The escrows in a state, by the text of their ids."""
    _given(request.state, "state")
    if request.state not in records.STATES:
        raise invalid_argument("invalid escrow state")
    found = [row for _, row in view.scan(SETTLEMENT_ESCROWS) if row.state == request.state]
    return v1.QueryEscrowsByStateResponse(escrows=found)


def settlement(view: View, request: v1.QuerySettlementRequest) -> v1.QuerySettlementResponse:
    """One settlement."""
    found = view.get(SETTLEMENTS, _given(request.settlement_id, "settlement_id"))
    return v1.QuerySettlementResponse(settlement=found)


def settlements_by_order(
    view: View, request: v1.QuerySettlementsByOrderRequest
) -> v1.QuerySettlementsByOrderResponse:
    """An order's settlements, the oldest first."""
    names = view.get(SETTLEMENTS_OF, _given(request.order_id, "order_id"))
    return v1.QuerySettlementsByOrderResponse(settlements=_rows(view, SETTLEMENTS, names))


def usage(view: View, request: v1.QueryUsageRecordRequest) -> v1.QueryUsageRecordResponse:
    """One usage record."""
    found = view.get(USAGE, _given(request.usage_id, "usage_id"))
    return v1.QueryUsageRecordResponse(usage_record=found)


def usage_by_order(
    view: View, request: v1.QueryUsageRecordsByOrderRequest
) -> v1.QueryUsageRecordsByOrderResponse:
    """An order's usage records; one that was stored several times is repeated."""
    names = view.get(USAGE_OF, _given(request.order_id, "order_id"))
    return v1.QueryUsageRecordsByOrderResponse(usage_records=_rows(view, USAGE, names))


def usage_summary(view: View, request: v1.QueryUsageSummaryRequest) -> v1.QueryUsageSummaryResponse:
    """The sum of usage; each record counts once, and a missing order or provider matches all."""
    if request.provider:
        _check_address(request.provider)
    found = [row for _, row in view.scan(USAGE) if _within(row, request)]
    summary = v1.UsageSummary(
        provider=request.provider,
        order_id=request.order_id,
        period_start=request.period_start or min((row.period_start for row in found), default=0),
        period_end=request.period_end or max((row.period_end for row in found), default=0),
        total_usage_units=sum(row.usage_units for row in found) % 2**64,
        by_usage_type=_types(found),
        generated_at=(view.get(BLOCK_TIMES, b"") or 0) // NANOSECONDS,
        block_height=view.height,
        usage_record_ids=[row.usage_id for row in found],
    )
    for row in found:
        records.set_coins(summary.total_cost, records.added(summary.total_cost, row.total_cost))
    return v1.QueryUsageSummaryResponse(summary=summary)


def payout(view: View, request: v1.QueryPayoutRequest) -> v1.QueryPayoutResponse:
    """One payout."""
    return v1.QueryPayoutResponse(payout=view.get(PAYOUTS, _given(request.payout_id, "payout_id")))


def payouts_by_provider(
    view: View, request: v1.QueryPayoutsByProviderRequest
) -> v1.QueryPayoutsByProviderResponse:
    """A provider's payouts, by the text of their ids."""
    _given(request.provider, "provider")
    _check_address(request.provider)
    names = view.get(PAYOUTS_OF, request.provider.encode())
    return v1.QueryPayoutsByProviderResponse(payouts=_rows(view, PAYOUTS, sorted(names or ())))


def params(view: View, _: v1.QueryParamsRequest) -> v1.QueryParamsResponse:
    """The module's parameters."""
    return v1.QueryParamsResponse(params=v1.Params.FromString(view.get(PARAMS, b"settlement") or b""))


def _given(value: str, name: str) -> bytes:
    if not value:
        raise invalid_argument(f"{name} cannot be empty")
    return value.encode()


def _check_address(value: str) -> None:
    try:
        raw(value)
    except AddressError as error:
        raise invalid_argument("invalid provider address: invalid address") from error


def _rows(view: View, table: StateTable[M], names: Iterable[str] | None) -> list[M]:
    rows = (view.get(table, name.encode()) for name in names or ())
    return [row for row in rows if row is not None]


def _within(row: v1.UsageRecord, request: v1.QueryUsageSummaryRequest) -> bool:
    return (
        request.order_id in ("", row.order_id)
        and request.provider in ("", row.provider)
        and not (request.period_start and row.period_end < request.period_start)
        and not (request.period_end and row.period_start > request.period_end)
    )


def _types(found: Iterable[v1.UsageRecord]) -> list[v1.UsageTypeSummary]:
    types: dict[str, v1.UsageTypeSummary] = {}
    for row in found:
        total = types.setdefault(row.usage_type, v1.UsageTypeSummary(usage_type=row.usage_type))
        total.usage_units = (total.usage_units + row.usage_units) % 2**64
        records.set_coins(total.total_cost, records.added(total.total_cost, row.total_cost))
    return [types[name] for name in sorted(types)]
