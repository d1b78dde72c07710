"""One cycle as the API shows it: what is unseen now stays as it was last seen, with its age."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from reconciler.cycle.object_views import object_views
from reconciler.cycle.planned_cycle import PlannedCycle
from reconciler.cycle.snapshot import snapshot_of
from reconciler.planning.planner import plan
from reconciler.values.lifecycle import Phase
from reconciler.values.limits import Limits
from reconciler.values.memory import WalletLedger, WorkloadMemory
from reconciler.values.observed import AdapterView, Market, State
from reconciler.values.readings import Unseen
from reconciler.values.snapshot import Snapshot
from reconciler.values.times import Timestamp
from reconciler.values.views import MoneyView, ReadingView, WalletView
from tests import makers
from tests.cycle.worlds import intent

RUNS = makers.workload()
BUSY = makers.market(
    orders=[makers.order(5)],
    bids=[makers.bid(2), makers.bid(1, state=State.ACTIVE)],
    leases=[makers.lease()],
)


def _shown(
    market: Market | None = None, before: Snapshot | None = None, at: int = 50, **changes: Any
) -> Snapshot:
    seen = market if market is not None else Unseen("the node is down")
    given = {"adapters": makers.adapter(makers.running(RUNS))} | changes
    inputs = makers.planning_input(seen, makers.desired(RUNS), **given)
    planned = PlannedCycle(inputs, plan(inputs))
    return snapshot_of(planned, object_views(planned), before or Snapshot(), cycle_began_at=at)


def test_the_market_is_shown() -> None:
    shown = _shown(BUSY)

    assert (shown.address, shown.chain_id) == (makers.US, "test-1")
    assert (shown.height, shown.chain_time) == (makers.HEIGHT, makers.NOW)
    assert shown.orders_open == 1
    assert [each.id for each in shown.leases] == [str(makers.lease_id())]
    assert [each.id for each in shown.bids] == [str(makers.lease_id(2))]
    assert shown.leases[0].funding.accrued_uve == 100 * 2446


def test_earnings_come_from_the_wallet_not_from_requests() -> None:
    memory = makers.remembered(ledger=WalletLedger(started_with=10_900_000, outside=-50_000, fees=3_000))

    money = _shown(BUSY, memory=memory).money

    assert money == MoneyView(
        balance_uve=10_000_000,
        deposits_uve=1_000_000,
        earned_uve=10_000_000 + 1_000_000 - 10_900_000 + 50_000,
        accrued_uve=100 * 2446 * 98 // 100,
        fees_uve=3_000,
        received_uve=150_000 + 3_000,
        is_balance_falling=False,
    )


def test_what_was_received_never_falls() -> None:
    before = Snapshot(wallet=WalletView(received_uve=9_000_000))

    assert _shown(BUSY, before).money.received_uve == 9_000_000


def test_while_the_chain_is_unseen_what_was_seen_stays_with_its_age() -> None:
    before = _shown(BUSY, at=50)

    shown = _shown(None, before, at=60)

    assert (shown.height, shown.leases, shown.money) == (before.height, before.leases, before.money)
    assert shown.readings[0] == ReadingView("chain", Timestamp(50), "the node is down")
    assert shown.readings[1] == ReadingView("repository", Timestamp(60))


def test_a_source_that_was_never_seen_has_no_age() -> None:
    blind = {"kubernetes": AdapterView(Unseen("refused"), Unseen("refused"))}

    shown = _shown(BUSY, adapters=blind)

    assert [age for age in shown.readings if age.source.startswith("kubernetes")] == [
        ReadingView("kubernetes workloads", Timestamp(0), "refused"),
        ReadingView("kubernetes capacity", Timestamp(0), "refused"),
    ]


def test_a_workload_is_shown_with_what_its_adapter_shows() -> None:
    (shown,) = _shown(BUSY).workloads

    assert (shown.id, shown.state, shown.ready) == (RUNS.id, "running", True)
    assert (shown.replicas_ready, shown.replicas) == (1, 1)
    assert (shown.price_uve, shown.file) == (Decimal(2446), f"workloads/{RUNS.id}.yaml")


def test_the_newest_commit_is_shown_beside_the_one_in_force() -> None:
    shown = _shown(BUSY)

    assert (shown.desired, shown.applied) == ("c" * 40, "c" * 40)


def test_transactions_on_their_way_are_shown_in_words() -> None:
    (shown,) = _shown(BUSY, intents=(intent(),)).intents

    assert (shown.hash, shown.fee_uve, shown.timeout_height) == (intent().hash, 3000, makers.HEIGHT + 20)
    assert shown.messages == (f"close our bid on order {makers.order_id()}",)


def test_what_the_owner_switched_off_is_shown() -> None:
    shown = _shown(BUSY, limits=replace(Limits(), observe_only=True, stop_spending=True, draining=True))

    assert (shown.observe_only, shown.spending_stopped, shown.draining) == (True, True, True)
    shown = _shown(BUSY)
    assert (shown.observe_only, shown.spending_stopped, shown.draining) == (False, False, False)


def test_unseen_sources_keep_their_last_values_and_are_named() -> None:
    """Neither a price of 0 nor 0 of 0 replicas is shown for what is only unseen."""
    before = _shown(BUSY)
    hidden = {"kubernetes": AdapterView(Unseen("no answer"), Unseen("no answer"))}
    running = {RUNS.id: WorkloadMemory(RUNS.lease, "kubernetes", Phase.RUNNING)}
    memory = makers.remembered(workloads=running)
    silent = _shown(None, before, adapters=hidden, memory=memory)
    (known,), (now,) = before.workloads, silent.workloads
    assert now == replace(known, holds=now.holds, unseen=("chain", "kubernetes workloads"))
    assert (now.price_uve, now.replicas) == (Decimal(2446), 1)
    (restarted,) = _shown(None, None, adapters=hidden, memory=memory).workloads
    assert not restarted.is_price_known
    assert _shown(BUSY, silent).workloads == before.workloads
