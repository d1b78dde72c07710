"""Settling the usage of an order, by a message or automatically (semantics 5.5)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from reconciler.chain.proto import settlement_v1_pb2 as v1
from reconciler.chain.proto.cosmos_coin_pb2 import Coin
from reconciler.devnet.chain import bank, settlement_gas, settlement_usage
from reconciler.devnet.chain import settlement_funds as funds
from reconciler.devnet.chain import settlement_records as records
from reconciler.devnet.chain.addresses import GOVERNANCE, SETTLEMENT
from reconciler.devnet.chain.amounts import ONE, coins_text
from reconciler.devnet.chain.call import NANOSECONDS, MessageCall
from reconciler.devnet.chain.errors import TxRefusedError
from reconciler.devnet.chain.settlement_records import refused
from reconciler.devnet.chain.tables import PARAMS, PAYOUTS, PAYOUTS_OF, SETTLEMENT_ACTIVE, USAGE_OF


def settle_order(call: MessageCall, msg: v1.MsgSettleOrder) -> v1.MsgSettleOrderResponse:
    """Execute a MsgSettleOrder."""
    escrow = records.find_by_order(call, msg.order_id)
    if msg.sender not in (escrow.depositor, escrow.recipient, GOVERNANCE):
        raise refused(1505, "not authorized to settle order")
    escrow = records.find_by_order(call, msg.order_id)
    if escrow.state != records.ACTIVE:
        raise refused(1519, f"escrow for order {msg.order_id} is not active")
    records.require_unexpired(call, escrow, f"escrow for order {msg.order_id}")
    usages = _usages(call, escrow, msg.usage_record_ids)
    amount = _amount(escrow, usages, whole_balance=msg.is_final)
    settlement = _settlement(call, escrow, usages, amount)
    if msg.is_final:
        settlement.settlement_type, settlement.is_final = "final", True
    _carry_out(call, escrow, usages, settlement)
    return v1.MsgSettleOrderResponse(
        settlement_id=settlement.settlement_id,
        total_amount=coins_text(settlement.total_amount),
        provider_share=coins_text(settlement.provider_share),
        platform_fee=coins_text(settlement.platform_fee),
        settled_at=call.time,
    )


def settle_due(call: MessageCall) -> None:
    """Settle every active escrow with unsettled usage whose period is over; ignore errors."""
    period_ns = v1.Params.FromString(call.state.peek(PARAMS, b"settlement") or b"").settlement_period
    period_ns *= NANOSECONDS
    rows = list(call.state.scan(SETTLEMENT_ACTIVE))
    for name in [key.decode() for key, since_ns in rows if call.time_ns - since_ns >= period_ns]:
        escrow = records.find(call, name)
        ids = [usage.usage_id for usage in _unsettled(call, escrow.order_id)]
        if not ids:
            continue
        msg = v1.MsgSettleOrder(sender=escrow.recipient, order_id=escrow.order_id, usage_record_ids=ids)
        try:
            settle_order(call, msg)
        except TxRefusedError:
            continue


def _unsettled(call: MessageCall, order_id: str) -> list[v1.UsageRecord]:
    """An order's unsettled records; an acknowledged one is listed twice."""
    names = call.state.get(USAGE_OF, order_id.encode()) or ()
    found = [settlement_usage.find(call, name) for name in names]
    return [usage for usage in found if not usage.settled]


def _usages(call: MessageCall, escrow: v1.EscrowAccount, ids: Sequence[str]) -> list[v1.UsageRecord]:
    if not ids:
        return _unsettled(call, escrow.order_id)
    found: list[v1.UsageRecord] = []
    for name in ids:
        usage = settlement_usage.find(call, name)
        if usage.settled:
            raise refused(1515, f"usage record {name} already settled")
        if usage.order_id != escrow.order_id:
            raise refused(1512, f"usage record {name} belongs to different order")
        found.append(usage)
    return found


def _amount(escrow: v1.EscrowAccount, usages: Sequence[v1.UsageRecord], *, whole_balance: bool) -> list[Coin]:
    cost: list[Coin] = []
    for usage in usages:
        cost = records.added(cost, usage.total_cost)
    if not cost and not whole_balance:
        raise refused(1506, "no usage to settle")
    balance = records.amounts(escrow.balance)
    amount = list(escrow.balance) if whole_balance else cost
    if not whole_balance:
        for coin in cost:
            held = balance.get(coin.denom, 0)
            if int(coin.amount) > held:
                amount = records.coins({coin.denom: held})
    if not amount:
        raise refused(1506, "no funds available for settlement")
    return amount


def _settlement(
    call: MessageCall, escrow: v1.EscrowAccount, usages: Sequence[v1.UsageRecord], amount: Sequence[Coin]
) -> v1.SettlementRecord:
    params = records.params(call)
    platform = _share(amount, params.platform_fee_rate)
    validators = _share(amount, params.validator_fee_rate)
    return v1.SettlementRecord(
        escrow_id=escrow.escrow_id,
        order_id=escrow.order_id,
        lease_id=escrow.lease_id,
        provider=escrow.recipient,
        customer=escrow.depositor,
        total_amount=amount,
        provider_share=records.subtracted(records.subtracted(amount, platform), validators),
        platform_fee=platform,
        validator_fee=validators,
        settled_at=call.time,
        usage_record_ids=[usage.usage_id for usage in usages],
        total_usage_units=sum(usage.usage_units for usage in usages) % 2**64,
        period_start=min((u.period_start for u in usages), default=escrow.activated_at),
        period_end=max((u.period_end for u in usages), default=call.time),
        block_height=call.height,
        settlement_type="usage_based" if usages else "periodic",
    )


def _share(amount: Sequence[Coin], rate: str) -> list[Coin]:
    """A rate of each coin, truncated."""
    whole, _, places = rate.partition(".")
    units = int(whole or 0) * ONE + int(places.ljust(18, "0") or 0)
    return records.coins({coin.denom: int(coin.amount) * units // ONE for coin in amount})


def _carry_out(
    call: MessageCall,
    escrow: v1.EscrowAccount,
    usages: Sequence[v1.UsageRecord],
    settlement: v1.SettlementRecord,
) -> None:
    """Move the coins, mark the records, pay the provider, and emit events."""
    funds.pay(call, escrow, SETTLEMENT, settlement.total_amount)
    settlement.settlement_id = f"settle-{call.time}-{records.number(call, 'settlement')}"
    records.deduct(escrow, settlement.total_amount)
    records.keep(call, escrow)
    records.store_settlement(call, settlement)
    for usage in usages:
        usage.settled, usage.settlement_id = True, settlement.settlement_id
        records.store_usage(call, usage)
    if settlement.is_final and not escrow.balance:
        escrow.state, escrow.closed_at = records.RELEASED, call.time
        escrow.closure_reason = "final settlement"
        records.keep(call, escrow)
        funds.pay_rest(call, escrow, escrow.recipient, [])
    _pay_out(call, settlement)
    lines = settlement_gas.LINE * (len(usages) - 1)
    settlement_gas.charge(call.state.meter, settlement_gas.INVOICE + max(lines, 0))
    rewarded = _earns_reward(usages, records.params(call))
    if rewarded:
        settlement_gas.charge(call.state.meter, settlement_gas.REWARD)
    records.emit_unregistered(call, 3 if rewarded else 2)


def _pay_out(call: MessageCall, settlement: v1.SettlementRecord) -> None:
    """Pay out a settlement; a failure does not roll back the settlement."""
    payout = _payout(call, settlement)
    try:
        bank.send(call, SETTLEMENT, settlement.provider, settlement.provider_share)
        payout.state, payout.completed_at = "completed", call.time
        payout.tx_hash = f"payout-{payout.payout_id}-{call.height}"
    except TxRefusedError as refusal:
        payout.state, payout.last_error = "failed", refusal.text
    call.state.put(PAYOUTS, payout.payout_id.encode(), payout)
    of = settlement.provider.encode()
    call.state.put(PAYOUTS_OF, of, (*(call.state.get(PAYOUTS_OF, of) or ()), payout.payout_id))


def _payout(call: MessageCall, settlement: v1.SettlementRecord) -> v1.PayoutRecord:
    """The payout of a settlement; the invoice that it names is not stored."""
    invoice = hashlib.sha256(f"invoice {settlement.settlement_id}".encode()).hexdigest()[:32]
    return v1.PayoutRecord(
        payout_id=f"payout-{call.time}-{records.number(call, 'payout')}",
        invoice_id=invoice,
        settlement_id=settlement.settlement_id,
        escrow_id=settlement.escrow_id,
        order_id=settlement.order_id,
        lease_id=settlement.lease_id,
        provider=settlement.provider,
        customer=settlement.customer,
        gross_amount=settlement.total_amount,
        platform_fee=settlement.platform_fee,
        validator_fee=settlement.validator_fee,
        net_amount=settlement.provider_share,
        idempotency_key=f"payout-{invoice}-{settlement.settlement_id}",
        execution_attempts=1,
        last_attempt_at=call.time,
        created_at=call.time,
        processed_at=call.time,
        block_height=call.height,
    )


_PARTS = 10_000
_MEMORY = frozenset({"memory", "ram", "mem", "memory_gb_hours", "gb-hour", "gb_hours"})
_STORAGE = frozenset({"storage", "disk", "storage_gb_hours"})
_GPU = frozenset({"gpu", "gpu_hours", "gpu-hour"})
_NETWORK = frozenset({"network", "bandwidth", "network_gb"})


def _earns_reward(usages: Iterable[v1.UsageRecord], params: v1.Params) -> bool:
    """Whether any record earns a reward of at least one coin, which emits an event (semantics 5.5)."""
    return any(_reward(int(coin.amount), usage, params) for usage in usages for coin in usage.total_cost)


def _reward(cost: int, usage: v1.UsageRecord, params: v1.Params) -> int:
    late = usage.submitted_at > usage.period_end + params.usage_grace_period
    shares = (
        params.usage_reward_rate_bps,
        _of_type(usage.usage_type.strip().lower(), params),
        params.usage_reward_sla_late_multiplier_bps
        if late
        else params.usage_reward_sla_ontime_multiplier_bps,
        params.usage_reward_ack_multiplier_bps
        if usage.customer_acknowledged
        else params.usage_reward_unack_multiplier_bps,
    )
    for share in shares:
        cost = cost * share // _PARTS
    return cost


def _of_type(name: str, params: v1.Params) -> int:
    if name in _MEMORY:
        return params.usage_reward_memory_multiplier_bps
    if name in _STORAGE:
        return params.usage_reward_storage_multiplier_bps
    if name in _GPU:
        return params.usage_reward_gpu_multiplier_bps
    if name in _NETWORK:
        return params.usage_reward_network_multiplier_bps
    return params.usage_reward_cpu_multiplier_bps
