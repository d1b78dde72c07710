"""Wire and values, held to what was recorded."""

from __future__ import annotations

import json
from decimal import Decimal, Inexact
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from reconciler.chain.keys import key_from_words, verify
from reconciler.chain.proto import (
    deployment_v1beta4_pb2,
    escrow_types_v1_pb2,
    market_v1beta5_pb2,
    settlement_v1_pb2,
)
from reconciler.chain.settlement_view import escrow_of, records_of
from reconciler.chain.transactions import decode_tx
from reconciler.chain.wire_market import (
    account_of,
    bid_of,
    lease_id_of,
    lease_of,
    order_of,
    payment_of,
)
from reconciler.chain.wire_messages import REASONS, usage_document, wire_of
from reconciler.chain.wire_values import (
    AMOUNT_MAX,
    decimal_of,
    decimal_text,
    offer_of,
    unit_of,
    uve_in,
    whole_uve,
)
from reconciler.values.desired import CloseReason
from reconciler.values.ids import LeaseId, OrderId
from reconciler.values.messages import CloseBid, CreateBid, RecordUsage, SettleUsage, WithdrawLease
from reconciler.values.observed import State
from tests.chain.recordings import queries, signed
from tests.chain.test_keys import WORDS

KEY = key_from_words(WORDS["provider"])
LEASE = LeaseId(OrderId("ve1avgyh77ycn997ja45q5q8ss8y9mr424ju8e86f", 1001, 1, 1), KEY.address)


def answers(method: str, response: type[Message]) -> list[Any]:
    return [
        json_format.ParseDict(step.line["response"], response())
        for step in queries()
        if step.line["method"].endswith(method) and "response" in step.line
    ]


def messages(kind: type[Message]) -> list[Any]:
    sent = [decode_tx(bytes.fromhex(step.line["tx_hex"])).messages for step in signed()]
    return [message for each in sent for message in each if isinstance(message, kind)]


def test_decimals_are_integers_times_ten_to_the_eighteenth() -> None:
    assert decimal_of("1500000000000000000") == Decimal("1.5")
    assert decimal_of("") == decimal_of("0") == 0
    assert str(decimal_of("2446000000000000000000")) == "2446"
    assert decimal_of("-500000000000000000000000") == -500_000
    assert decimal_text(Decimal("0.1")) == "100000000000000000"
    with pytest.raises(Inexact):
        decimal_text(Decimal("0.1234567890123456789"))


@given(st.integers(min_value=-(10**40), max_value=10**40))
def test_no_digit_is_lost_on_the_wire(number: int) -> None:
    assert decimal_text(decimal_of(str(number))) == str(number)


@pytest.mark.parametrize(
    ("text", "amount"), [("9800uve", 9800), ("5uact,7uve", 7), ("", 0), ("5uact", 0), ("xuve", 0), ("uve", 0)]
)
def test_the_uve_amount_of_an_event(text: str, amount: int) -> None:
    assert uve_in(text) == amount


@pytest.mark.parametrize("text", ["2305843009213693952uve", "2305843009213693951uve,1uve"])
def test_impossible_amounts_are_rejected(text: str) -> None:
    assert uve_in("2305843009213693951uve") == AMOUNT_MAX == 2**61 - 1
    with pytest.raises(ValueError, match="impossible amount"):
        uve_in(text)
    coins = [{"denom": "uve", "amount": part.removesuffix("uve")} for part in text.split(",")]
    with pytest.raises(ValueError, match="impossible amount"):
        whole_uve(settlement_v1_pb2.EscrowAccount(balance=coins).balance)


def test_offers_repeat_recorded_orders_verbatim() -> None:
    groups = [group for each in messages(deployment_v1beta4_pb2.MsgCreateDeployment) for group in each.groups]
    units = [unit for group in groups for unit in group.resources]
    assert len(units) > 50
    for unit in units:
        assert offer_of(unit_of(unit)) == market_v1beta5_pb2.ResourceOffer(
            resources=unit.resource, count=unit.count
        )


@pytest.mark.parametrize("value", [b"-1", b"9223372036854775808", b"9" * 400])
@pytest.mark.parametrize("kind", ["cpu", "memory", "gpu", "storage"])
def test_impossible_quantities_are_rejected(kind: str, value: bytes) -> None:
    unit = deployment_v1beta4_pb2.ResourceUnit()
    one: Any = unit.resource.storage.add() if kind == "storage" else getattr(unit.resource, kind)
    (one.units if kind in ("cpu", "gpu") else one.quantity).val = value
    with pytest.raises(ValueError, match="an impossible quantity"):
        unit_of(unit)


def test_recorded_bids_are_reproduced() -> None:
    made = 0
    for wire in messages(market_v1beta5_pb2.MsgCreateBid):
        if (
            list(wire.deposit.sources) != [1]
            or wire.deposit.amount.denom != "uve"
            or wire.price.denom != "uve"
        ):
            continue
        units = [
            unit_of(deployment_v1beta4_pb2.ResourceUnit(resource=offer.resources, count=offer.count))
            for offer in wire.resources_offer
        ]
        amount = int(wire.deposit.amount.amount)
        bid = CreateBid(lease_id_of(wire.id), decimal_of(wire.price.amount), amount, tuple(units))
        assert wire_of(bid, KEY) == wire
        made += 1
    assert made > 100


def test_recorded_orders_bids_leases_and_payments_are_read() -> None:
    orders = [
        order
        for answer in answers("Query/Orders", market_v1beta5_pb2.QueryOrdersResponse)
        for order in answer.orders
    ]
    prices = {order_of(order, State.ACTIVE, State.OPEN).price for order in orders}
    assert Decimal(100) in prices
    bids = [
        bid_of(bid)
        for answer in answers("Query/Bids", market_v1beta5_pb2.QueryBidsResponse)
        for bid in answer.bids
    ]
    locked = {bid.deposit for bid in bids if bid.state in (State.OPEN, State.ACTIVE)}
    assert locked == {500_000}
    assert {bid.deposit for bid in bids if bid.state in (State.LOST, State.CLOSED)} == {0}
    leases = [lease_of(lease) for lease in answers("Query/Lease", market_v1beta5_pb2.QueryLeaseResponse)]
    assert {lease.state for lease in leases} == {State.ACTIVE, State.CLOSED}
    assert all(lease.payment.lease == lease.id for lease in leases)
    overdrawn = [lease.payment for lease in leases if lease.payment.state is State.OVERDRAWN]
    assert {payment.unsettled for payment in overdrawn} >= {Decimal(500_000)}


def test_accounts_have_their_payments_in_text_order() -> None:
    def payment(number: int, xid: str) -> escrow_types_v1_pb2.Payment:
        wire = escrow_types_v1_pb2.Payment(state=escrow_types_v1_pb2.PaymentState(state="open"))
        wire.id.aid.xid, wire.id.xid = f"{LEASE.order.owner}/{number}", f"{xid}/{KEY.address}"
        return wire

    account = escrow_types_v1_pb2.Account(
        state=escrow_types_v1_pb2.AccountState(
            state="open", settled_at=9, funds=[{"denom": "uve", "amount": "5"}]
        )
    )
    account.id.xid = f"{LEASE.order.owner}/12"
    payments = [payment_of(payment(*each)) for each in [(12, "2/1"), (123, "1/1"), (12, "10/1")]]
    read = account_of(account, payments)
    assert [each.lease.payment_xid.rsplit("/", 1)[0] for each in read.payments] == ["10/1", "2/1"]
    assert read.settled_at == 9


def test_repeated_usage_records_are_deduplicated() -> None:
    listed = answers("UsageRecordsByOrder", settlement_v1_pb2.QueryUsageRecordsByOrderResponse)
    longest = max(listed, key=lambda answer: len(answer.usage_records)).usage_records
    records = records_of(longest)
    assert len(records) < len(longest)
    assert len({record.id for record in records}) == len(records)
    last = {wire.usage_id: wire.settled for wire in longest}
    assert {record.id: record.settled for record in records} == last


def test_recorded_settlement_escrows_are_read() -> None:
    read = [
        escrow_of(each.escrow)
        for each in answers("settlement.v1.Query/Escrow", settlement_v1_pb2.QueryEscrowResponse)
        if each.HasField("escrow")  # the chain answers nothing for one that is not there (semantics 5.4)
    ]
    assert {escrow.state for escrow in read} >= {State.ACTIVE}
    assert all(escrow.expires_at > escrow.activated_at for escrow in read)


def test_messages_name_their_objects() -> None:
    close = wire_of(CloseBid(LEASE, CloseReason.DECOMMISSION), KEY)
    assert isinstance(close, market_v1beta5_pb2.MsgCloseBid)
    assert (lease_id_of(close.id), close.reason) == (LEASE, 10_001)
    withdraw = wire_of(WithdrawLease(LEASE), KEY)
    assert isinstance(withdraw, market_v1beta5_pb2.MsgWithdrawLease)
    assert lease_id_of(withdraw.id) == LEASE
    settle = wire_of(SettleUsage(LEASE.order, ("usage-1-2", "usage-1-1", "usage-1-2"), 5), KEY)
    assert isinstance(settle, settlement_v1_pb2.MsgSettleOrder)
    # the same id twice would be paid twice, and a final settlement pays everything (semantics 5.4, 5.5)
    assert list(settle.usage_record_ids) == ["usage-1-2", "usage-1-1"]
    assert not settle.is_final
    assert settle.sender == KEY.address
    assert set(REASONS) == set(CloseReason)
    assert all(10_000 <= reason < 20_000 for reason in REASONS.values())


def test_the_signature_covers_all_billed_fields() -> None:
    message = RecordUsage(LEASE, 60_000, 100, 160)
    record = wire_of(message, KEY)
    assert isinstance(record, settlement_v1_pb2.MsgRecordUsage)
    assert record == wire_of(message, KEY)
    assert (record.usage_units, decimal_of(record.unit_price.amount)) == (1, Decimal(60_000))
    assert verify(KEY.public, usage_document(record), record.signature)
    for other in (RecordUsage(LEASE, 60_001, 100, 160), RecordUsage(LEASE, 60_000, 101, 160)):
        wire = wire_of(other, KEY)
        assert isinstance(wire, settlement_v1_pb2.MsgRecordUsage)
        assert wire.signature != record.signature
    assert json.loads(usage_document(record))["lease_id"] == str(LEASE)


def test_other_denominations_are_ignored() -> None:
    coins = [{"denom": "uact", "amount": "5"}, {"denom": "uve", "amount": "7"}]
    wire = settlement_v1_pb2.EscrowAccount(balance=coins)
    assert whole_uve(wire.balance) == 7
