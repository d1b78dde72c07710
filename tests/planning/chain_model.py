"""A world as small as it can be: what a plan's effects would change, and a block and a second later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.escrow import blocks_left
from reconciler.values.ids import DeploymentId, LeaseId
from reconciler.values.intents import Confirmation, Intent, IntentOutcome
from reconciler.values.messages import (
    CloseBid,
    CreateBid,
    Message,
    PayOut,
    RecordUsage,
    SettleUsage,
    WithdrawLease,
)
from reconciler.values.money import accrued
from reconciler.values.observed import AdapterView, Bid, EscrowAccount, Market, State, UsageRecord
from reconciler.values.outcomes import Done
from reconciler.values.plans import (
    Action,
    ApplyWorkload,
    Plan,
    PrepareAdapter,
    Rebroadcast,
    RemoveWorkload,
    SendTransaction,
)
from reconciler.values.readings import Seen
from reconciler.values.records import applied
from tests.makers import running

FEE = 1


@dataclass(frozen=True, slots=True)
class Step:
    """A cycle of the model: what it found and what it planned."""

    inputs: PlanningInput
    plan: Plan


def live(inputs: PlanningInput, cycles: int, *, delay: int) -> list[Step]:
    """Plan and let happen, again and again; a transaction lands `delay` cycles after it was sent."""
    steps: list[Step] = []
    for _ in range(cycles):
        steps.append(Step(inputs, plan(inputs)))
        inputs = happen(steps[-1], delay)
    return steps


def happen(step: Step, delay: int) -> PlanningInput:
    """The next cycle's inputs."""
    before = step.inputs
    assert isinstance(before.market, Seen)
    market = replace(
        before.market.view, height=before.market.view.height + 1, time=before.market.view.time + 1
    )
    sent = [_intent(a, market) for a in step.plan.actions if isinstance(a, SendTransaction)]
    flying = [*before.intents, *sent]
    landing = [i for i in flying if market.height > i.signed_at_height + delay]
    touched: set[DeploymentId] = set()
    for intent in landing:
        for message in intent.messages:
            market = _executed(market, message, touched)
        paid = replace(market.wallet, sequence=intent.sequence + 1, balance=market.wallet.balance - FEE)
        market = replace(market, wallet=paid)
    adapters = before.adapters
    for action in step.plan.actions:
        adapters = {"kubernetes": _acted(adapters["kubernetes"], action)}
    return replace(
        before,
        now=before.now + 1,
        market=Seen(_expired(market)),
        adapters=adapters,
        memory=step.plan.memory,
        intents=tuple(i for i in flying if i not in landing),
        confirmations=tuple(
            Confirmation(i, IntentOutcome.LANDED, market.height, market.time) for i in landing
        ),
        results=tuple(
            record
            for action in step.plan.actions
            if not isinstance(action, SendTransaction | Rebroadcast)
            for record in applied(action, Done(), before.now)
        ),
    )


def _intent(action: SendTransaction, market: Market) -> Intent:
    height = market.height - 1
    return Intent(f"{height:064X}", b"", action.messages, FEE, market.wallet.sequence, height + 20, height)


def _executed(market: Market, message: Message, touched: set[DeploymentId]) -> Market:
    match message:
        case CreateBid(id=bid, deposit=deposit, price=price):
            order = market.orders[bid.order]
            assert bid not in market.bids, f"{bid} is bid twice"
            assert price <= order.price, "the chain refuses a bid over the order's price"
            made = Bid(bid, State.OPEN, price, market.height, deposit, order)
            wallet = replace(market.wallet, balance=market.wallet.balance - deposit)
            return replace(market, bids={**market.bids, bid: made}, wallet=wallet)
        case CloseBid(id=bid, lease=False):
            closed = market.bids[bid]
            rest = {k: b for k, b in market.bids.items() if k != bid}
            wallet = replace(market.wallet, balance=market.wallet.balance + closed.deposit)
            return replace(market, bids=rest, wallet=wallet)
        case CloseBid(id=lease) | WithdrawLease(id=lease):
            return _settled(market, message, lease, touched)
        case RecordUsage():
            return _recorded(market, message)
        case SettleUsage():
            return _paid_out(market, message)
        case PayOut(amount=amount):
            wallet = replace(market.wallet, balance=market.wallet.balance - amount)
            return replace(market, wallet=wallet)


def _settled(market: Market, message: Message, lease: LeaseId, touched: set[DeploymentId]) -> Market:
    account = market.accounts[lease.deployment]
    assert market.leases[lease].state is State.ACTIVE, f"{lease} is not active"
    assert lease.deployment not in touched, "two in one block break its payments (semantics 4.4)"
    assert account.settled_at < market.height, (
        "in the block of another settle the chain panics (semantics 4.4)"
    )
    touched.add(lease.deployment)
    left = blocks_left(account, market.height)
    if left is not None and left < 0:
        return _end(market, replace(account, state=State.OVERDRAWN), set(market.leases))
    passed = market.height - account.settled_at
    due = {p.lease: accrued(p.rate, passed) for p in account.payments if p.state is State.OPEN}
    payments = tuple(
        replace(p, balance=Decimal(0) if p.lease == lease else p.balance + due[p.lease])
        if p.lease in due
        else p
        for p in account.payments
    )
    account = replace(
        account, settled_at=market.height, funds=account.funds - sum(due.values()), payments=payments
    )
    market = replace(market, accounts={**market.accounts, account.deployment: account})
    return _end(market, account, {lease}) if isinstance(message, CloseBid) else market


def _end(market: Market, account: EscrowAccount, ended: set[LeaseId]) -> Market:
    """These leases of the account are closed, and their payments with them."""
    gone = {x for x in ended if x.deployment == account.deployment}
    payments = tuple(replace(p, state=State.CLOSED) if p.lease in gone else p for p in account.payments)
    leases = {
        k: replace(x, state=State.CLOSED, payment=replace(x.payment, state=State.CLOSED)) if k in gone else x
        for k, x in market.leases.items()
    }
    account = replace(account, payments=payments)
    return replace(market, leases=leases, accounts={**market.accounts, account.deployment: account})


def _recorded(market: Market, message: RecordUsage) -> Market:
    order = message.lease.order
    side = market.settlements[order]
    assert side.escrow is not None
    assert side.escrow.state is State.ACTIVE, "recorded on an escrow that is not active"
    mine = [r for r in side.records if r.lease == str(message.lease)]
    assert all(r.period_end <= message.period_start for r in mine), "a period is billed twice"
    record = UsageRecord(
        f"usage-{market.height}",
        str(message.lease),
        "fixed",
        message.period_start,
        message.period_end,
        message.amount,
        b"s",
        settled=False,
        acknowledged=False,
    )
    grown = replace(side, records=(*side.records, record))
    return replace(market, settlements={**market.settlements, order: grown})


def _paid_out(market: Market, message: SettleUsage) -> Market:
    side = market.settlements[message.order]
    assert side.escrow is not None
    wanted = [r for r in side.records if r.id in message.records]
    assert not any(r.settled for r in wanted), "already settled"
    escrow = replace(side.escrow, balance=max(side.escrow.balance - sum(r.cost for r in wanted), 0))
    records = tuple(replace(r, settled=True) if r in wanted else r for r in side.records)
    return replace(
        market,
        settlements={**market.settlements, message.order: replace(side, escrow=escrow, records=records)},
    )


def _expired(market: Market) -> Market:
    """Settlement escrows past their time are refunded (semantics 5.5)."""
    settlements = {
        order: replace(side, escrow=replace(side.escrow, state=State.EXPIRED))
        if side.escrow is not None and side.escrow.expires_at <= market.time
        else side
        for order, side in market.settlements.items()
    }
    return replace(market, settlements=settlements)


def _acted(view: AdapterView, action: Action) -> AdapterView:
    assert isinstance(view.workloads, Seen)
    there = view.workloads.view
    match action:
        case ApplyWorkload(workload=workload):
            up = not workload.paused
            shown = running(workload, ready=up, replicas_ready=int(up))
            return replace(view, workloads=Seen({**there, workload.id: shown}))
        case RemoveWorkload(id=gone):
            return replace(view, workloads=Seen({k: v for k, v in there.items() if k != gone}))
        case PrepareAdapter(quota=quota):
            assert isinstance(view.capacity, Seen)
            return replace(view, capacity=Seen(replace(view.capacity.view, quota=quota)))
        case _:
            return view
