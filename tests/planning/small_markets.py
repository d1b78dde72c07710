"""Small markets that collide: few owners, few deployments, tiny amounts, every fate of an order.

Amounts are small on purpose: cpu of 1 to 4 finds forgotten bids at once where 1 to 4,000 finds none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from hypothesis import strategies as st

from reconciler.values.ids import DeploymentId, LeaseId, OrderId
from reconciler.values.observed import (
    Bid,
    ChainParams,
    EscrowAccount,
    Lease,
    Market,
    Order,
    OrderSettlement,
    Payment,
    SettlementEscrow,
    State,
    UsageRecord,
    Wallet,
)
from reconciler.values.resources import MB, ResourceUnit
from tests.makers import ALICE, HEIGHT, NOW, US, market

BOB = "ve1bob"
RULES = ChainParams(bid_deposit=5, gas_price=Decimal("0.00001"))
"""A bid costs 2 uve, a withdrawal 2, a record with its settlement 15."""
MOSTLY = st.sampled_from((True,) * 4 + (False,))


class Fate(StrEnum):
    """What an order has come to."""

    OPEN = "open"
    BID = "open, with our bid"
    LOST = "won by a rival, our bid still open"
    ZOMBIE = "open, its deployment closed"
    ZOMBIE_BID = "open, its deployment closed, with our bid"
    LEASED = "our lease"
    CLOSED = "our lease, closed"


WITH_BID = (Fate.BID, Fate.LOST, Fate.ZOMBIE_BID)
WITH_LEASE = (Fate.LEASED, Fate.CLOSED)

Fates = tuple[Fate, ...]
MIXED: Fates = (*[Fate.LEASED] * 3, *[Fate.OPEN] * 4, Fate.BID, *Fate)
TRADING: Fates = (*[Fate.OPEN] * 4, Fate.BID, Fate.LOST)
BOTH: Fates = (Fate.OPEN, Fate.LEASED)
SERVING: Fates = (Fate.LEASED, Fate.LEASED, Fate.CLOSED)


@dataclass(frozen=True, slots=True)
class Slot:
    """One order and its fate."""

    order: Order
    fate: Fate

    @property
    def lease(self) -> LeaseId:
        return LeaseId(self.order.id, US)


@st.composite
def slots(draw: st.DrawFn, fates: Fates) -> list[Slot]:
    """Three or more orders of one or two owners, two deployments each, two groups each."""
    owners = [ALICE] if fates == SERVING else [ALICE, BOB]
    places = st.tuples(st.sampled_from(owners), st.integers(1, 2), st.integers(1, 2))
    found = draw(st.lists(places, unique=True, min_size=3, max_size=3 * len(owners)))
    return [draw(slot(OrderId(*place, 1), fates)) for place in found]


@st.composite
def slot(draw: st.DrawFn, order_id: OrderId, fates: Fates) -> Slot:
    fate = draw(st.sampled_from(fates))
    unit = ResourceUnit(
        id=1,
        count=draw(st.integers(1, 2)),
        cpu_milli=draw(st.integers(1, 4)),
        memory_bytes=draw(st.integers(0, 2)) * MB,
        storage=(),
        gpu=0,
        price=Decimal(draw(st.sampled_from([20, 20, 4]))),
        denom="uve",
    )
    ended = State.CLOSED if fate in (Fate.ZOMBIE, Fate.ZOMBIE_BID) else State.ACTIVE
    open_order = fate not in (Fate.LOST, *WITH_LEASE)
    order = Order(
        order_id,
        State.OPEN if open_order else State.ACTIVE,
        (unit,),
        HEIGHT - draw(st.integers(1, 3)),
        State.OPEN if ended is State.ACTIVE else State.CLOSED,
        ended,
        attributes=(("billing", "usage"),) if draw(st.booleans()) else (),
    )
    return Slot(order, fate)


@st.composite
def markets(draw: st.DrawFn, held: list[Slot]) -> Market:
    """The chain's view of these orders: accounts that are short, settlements at every stage."""
    leases = [draw(lease(s)) for s in held if s.fate in WITH_LEASE]
    deployments = sorted({x.id.deployment for x in leases})
    return market(
        orders=[s.order for s in held if s.order.state is State.OPEN],
        bids=[
            Bid(s.lease, State.OPEN, Decimal(1), HEIGHT - 1, 5, s.order) for s in held if s.fate in WITH_BID
        ],
        leases=leases,
        accounts=[draw(account(d, leases)) for d in deployments],
        settlements={x.id.order: draw(side(x)) for x in leases if x.usage_billed},
        rules=RULES,
        wallet=Wallet(US, 4, 7, draw(st.sampled_from([60, 60, 20]))),
    )


@st.composite
def lease(draw: st.DrawFn, held: Slot) -> Lease:
    active = held.fate is Fate.LEASED
    rate = Decimal(draw(st.sampled_from(["0.4", "1", "3"])))
    balance = Decimal(draw(st.integers(0, 9)))
    payment = Payment(held.lease, State.OPEN if active else State.CLOSED, rate, balance, Decimal(0), 0)
    state = State.ACTIVE if active else State.CLOSED
    billed = bool(held.order.attributes)
    return Lease(
        held.lease, state, rate, HEIGHT - 50, 0 if active else HEIGHT - 1, payment, held.order.units, billed
    )


@st.composite
def account(draw: st.DrawFn, deployment: DeploymentId, leases: list[Lease]) -> EscrowAccount:
    payments = [x.payment for x in leases if x.id.deployment == deployment]
    if draw(st.booleans()):
        rival = LeaseId(OrderId(deployment.owner, deployment.dseq, 3, 1), "ve1rival")
        payments.append(Payment(rival, State.OPEN, Decimal(1), Decimal(0), Decimal(0), 0))
    funds = draw(st.sampled_from([10**6, 10**6, 0, 7, 20]))
    settled_at = HEIGHT - draw(st.sampled_from([0, 1, 3, 20]))
    in_order = tuple(sorted(payments, key=lambda p: p.lease.payment_xid))
    return EscrowAccount(deployment, State.OPEN, settled_at, Decimal(funds), in_order)


def escrow_for(lease_id: LeaseId, balance: int, left: int) -> SettlementEscrow:
    """An active settlement escrow for a lease, with so many seconds left."""
    return SettlementEscrow(
        "escrow-1",
        str(lease_id.order),
        str(lease_id),
        lease_id.order.owner,
        US,
        State.ACTIVE,
        balance,
        NOW + left,
        NOW - 90,
    )


@st.composite
def side(draw: st.DrawFn, of: Lease) -> OrderSettlement:
    if not draw(MOSTLY):
        return OrderSettlement(None)
    state = draw(st.sampled_from([State.ACTIVE, State.ACTIVE, State.PENDING]))
    left = draw(st.sampled_from([200, 25, 12, 90_000]))
    escrow = escrow_for(of.id, draw(st.sampled_from([120, 4_000, 40_000, 20])), left)
    if state is State.PENDING:
        escrow = replace(escrow, state=state, lease="")
    costs = draw(st.lists(st.integers(0, 60), max_size=2))
    records = [
        UsageRecord(
            f"usage-{n}", str(of.id), "fixed", NOW - 80, NOW - 70 + n, cost, b"s", draw(st.booleans()), False
        )
        for n, cost in enumerate(costs)
    ]
    return OrderSettlement(escrow, tuple(records))
