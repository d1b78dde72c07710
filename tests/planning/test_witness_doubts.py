"""Funds that one node alone shows as ended: nothing is stopped, closed, billed short or paid out for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from reconciler.planning.leases import FUNDS_RAN_OUT, OUTPRICED, USAGE_UNPAID
from reconciler.planning.planner import plan
from reconciler.planning.witness_doubts import DISAGREES
from reconciler.values.desired import Config, Escrow, OnCritical
from reconciler.values.limits import Limits, PayoutRules
from reconciler.values.memory import Memory, MeteredService, PriceSpan, Retry, UsageMemory
from reconciler.values.messages import CloseBid, PayOut, RecordUsage, WithdrawLease
from reconciler.values.observed import Market, OrderSettlement, SettlementEscrow, State, Wallet, WitnessView
from reconciler.values.plans import ApplyWorkload, Plan, Reason, SendTransaction
from reconciler.values.subjects import PROVIDER, EffectKey, Subject
from tests import makers
from tests.makers import HEIGHT, NOW

LEASE = makers.lease(rate=1, usage_billed=True)
FILE = makers.workload()
ORDER, DEPLOYMENT = Subject.of_order(LEASE.id.order), Subject.of_deployment(LEASE.id.deployment)
ESCROW = SettlementEscrow(
    "escrow-1",
    str(LEASE.id.order),
    str(LEASE.id),
    makers.ALICE,
    makers.US,
    State.ACTIVE,
    10**9,
    NOW + 400_000,
    NOW - 90_900,
)
PAYS = OrderSettlement(ESCROW)
REFUNDED = OrderSettlement(replace(ESCROW, state=State.REFUNDED))
EMPTY = OrderSettlement(replace(ESCROW, balance=0))
ABSENT = OrderSettlement(None)
USED = UsageMemory(NOW - 90_000, Decimal(5_000_000), 600, HEIGHT - 1, NOW - 1, unfunded_since=NOW - 5_000)


def planned(market: Market, memory: Memory, config: Config | None = None, **limits: Any) -> Plan:
    desired = makers.desired(FILE, config=config or Config())
    running = makers.adapter(makers.running(FILE))
    given = makers.planning_input(market, desired, adapters=running, memory=memory, limits=Limits(**limits))
    return plan(given)


def ended(made: Plan) -> set[str]:
    """What is stopped and closed, with the reasons of the closings."""
    stopped = {"stopped" for a in made.actions if isinstance(a, ApplyWorkload) and a.workload.paused}
    sent = [m for a in made.actions if isinstance(a, SendTransaction) for m in a.messages]
    return stopped | {m.why for m in sent if isinstance(m, CloseBid) and m.lease}


def unconfirmed(made: Plan) -> list[str]:
    return [h.message for h in made.holds if h.reason is Reason.UNCONFIRMED_BY_WITNESS]


@pytest.mark.parametrize("shown", [ABSENT, REFUNDED, EMPTY], ids=["absent", "refunded", "used up"])
@pytest.mark.parametrize(
    ("witness", "doubt"),
    [
        (None, None),
        (WitnessView(why="the witness does not answer"), "the witness does not answer"),
        (WitnessView(), "the witness is queried for it in the next cycle"),
        (WitnessView({ORDER: PAYS}), DISAGREES),
        (WitnessView({ORDER: REFUNDED}), None),
        (WitnessView({ORDER: EMPTY}), None),
    ],
    ids=["no witness", "silent", "not queried", "disagrees", "agrees", "agrees in other words"],
)
def test_an_unpaid_lease_ends_only_if_the_witness_shows_it_as_unpaid(
    shown: OrderSettlement, witness: WitnessView | None, doubt: str | None
) -> None:
    market = makers.market(leases=[LEASE], settlements={LEASE.id.order: shown}, witness=witness)
    made = planned(market, makers.remembered(usage={LEASE.id: USED}))

    assert made.memory.to_confirm == (frozenset({ORDER}) if witness else frozenset())
    if doubt is None:
        assert ended(made) == {"stopped", USAGE_UNPAID}
        assert not unconfirmed(made)
    else:
        assert ended(made) == set()
        [why] = unconfirmed(made)
        assert why.endswith(
            f"on one node only: {doubt}; it is served, and its lease kept, until both show it"
        )


@pytest.mark.parametrize("hides", [ABSENT, REFUNDED, EMPTY], ids=["absent", "refunded", "used up"])
def test_what_was_metered_is_billed_once_the_escrow_is_shown_again(hides: OrderSettlement) -> None:
    """Also without a witness: one false answer must not lose the bill of a day."""
    services = tuple(MeteredService(s.name, s.resources, s.count) for s in FILE.services)
    used = replace(USED, unfunded_since=0, services=services)
    memory = makers.remembered(usage={LEASE.id: used}, pricing=makers.PRICING)
    lying = makers.market(leases=[LEASE], settlements={LEASE.id.order: hides}, witness=WitnessView())
    kept = planned(lying, memory)
    assert not any(isinstance(a, SendTransaction) for a in kept.actions), "no bill of a part"
    assert kept.memory.usage[LEASE.id].metered >= USED.metered
    true = makers.market(leases=[LEASE], settlements={LEASE.id.order: PAYS}, height=HEIGHT + 1, time=NOW + 30)
    [sent] = [a for a in planned(true, kept.memory).actions if isinstance(a, SendTransaction)]
    [bill] = [m for m in sent.messages if isinstance(m, RecordUsage)]
    assert bill.amount >= USED.metered


PLAIN = makers.lease()
OVERDRAWN = makers.account(PLAIN, funds=2_446 * 50)
GATED = {
    EffectKey(WithdrawLease.__name__, Subject.of_lease(PLAIN.id)): Retry(
        3, NOW + 60, "ChainRefused", "MFA required for medium_withdrawal"
    )
}


@pytest.mark.parametrize(
    ("on_critical", "ends"),
    [(OnCritical.NOTHING, {FUNDS_RAN_OUT}), (OnCritical.PAUSE, {FUNDS_RAN_OUT, "stopped"})],
)
@pytest.mark.parametrize(
    ("witness", "is_confirmed"),
    [
        (None, True),
        (WitnessView(), False),
        (WitnessView({DEPLOYMENT: makers.account(PLAIN)}), False),
        (WitnessView({DEPLOYMENT: OVERDRAWN}), True),
    ],
    ids=["no witness", "not queried", "disagrees", "agrees"],
)
def test_an_account_that_ran_out_ends_something_only_if_the_witness_shows_it(
    on_critical: OnCritical, ends: set[str], witness: WitnessView | None, is_confirmed: bool
) -> None:
    market = makers.market(leases=[PLAIN], accounts=[OVERDRAWN], witness=witness)
    config = Config(escrow=Escrow(on_critical=on_critical))
    made = planned(market, makers.remembered(retries=GATED), config)

    assert ended(made) == (ends if is_confirmed else set())
    assert len(unconfirmed(made)) == (not is_confirmed)
    assert made.memory.to_confirm == (frozenset({DEPLOYMENT}) if witness else frozenset())


def test_a_lease_of_an_outpriced_bid_is_closed_only_if_the_witness_shows_its_price() -> None:
    cheap = makers.lease(created_at=HEIGHT - 50)
    double = replace(makers.PRICING, profit_margin=Decimal(9))
    prices = {
        "cpu_millicores": (
            PriceSpan(NOW - 60, Decimal(1), Decimal(1)),
            PriceSpan(0, Decimal(10), Decimal(10)),
        )
    }
    subject = Subject.of_lease(cheap.id)
    for witness, is_confirmed in (
        (None, True),
        (WitnessView(), False),
        (WitnessView({subject: replace(cheap, price=Decimal(90_000))}), False),
        (WitnessView({subject: None}), False),
        (WitnessView({subject: cheap}), True),
    ):
        market = makers.market(
            leases=[cheap], accounts=[makers.account(cheap, settled_at=HEIGHT - 20)], witness=witness
        )
        memory = makers.remembered(prices=prices)
        made = plan(makers.planning_input(market, makers.desired(pricing=double), memory=memory))
        assert ended(made) == ({OUTPRICED} if is_confirmed else set()), witness
        assert made.memory.to_confirm == (frozenset({subject}) if witness else frozenset())


@pytest.mark.parametrize(
    ("shown", "is_paid"), [({}, False), ({PROVIDER: 10_000_000}, True), ({PROVIDER: 6_000_000}, False)]
)
def test_a_balance_that_one_node_shows_is_not_paid_out(shown: Mapping[Subject, int], is_paid: bool) -> None:
    witness = WitnessView({subject: Wallet(makers.US, 4, 7, balance) for subject, balance in shown.items()})
    rules = PayoutRules("ve1owner", 5_000_000)
    made = planned(makers.market(witness=witness), makers.remembered(), payout=rules)

    sent = [m for a in made.actions if isinstance(a, SendTransaction) for m in a.messages]
    assert [type(m) for m in sent] == ([PayOut] if is_paid else [])
    assert len(unconfirmed(made)) == (not is_paid)
    assert made.memory.to_confirm == frozenset({PROVIDER})
