"""A chain with lost answers, silence, lag or another id; a gate; a foreign transaction with our key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.chain.proto.cosmos_bank_pb2 import MsgSend
from reconciler.chain.proto.cosmos_coin_pb2 import Coin
from reconciler.devnet.accounts import PROVIDER
from reconciler.devnet.chain.gates import WITHDRAWAL
from reconciler.devnet.chain.genesis import Gates
from reconciler.devnet.chain.serving import serve
from reconciler.devnet.trading import OrderRequest
from reconciler.values.ids import LeaseId, workload_id
from reconciler.values.intents import IntentOutcome
from reconciler.values.limits import Limits
from reconciler.values.memory import WalletLedger
from reconciler.values.plans import Reason
from tests.simulation.actors import Actor
from tests.simulation.daemon import Daemon
from tests.simulation.footprint import transactions
from tests.simulation.scenario import ALICE, OURS, USAGE, WEB, lease
from tests.simulation.sim import Simulation, calm, removals

FAIR = OrderRequest(Decimal(4000))
HOLD_BLOCKS = Limits().timeout_blocks
SEQUENCE_MISMATCH = 32


def _order(sim: Simulation) -> None:
    sim.scenario.alice.order(FAIR)
    sim.outside.step()


def _lag(sim: Simulation, on: bool) -> None:
    sim.outside.chain.faults.lag = 20 if on else 0


def _other(sim: Simulation, on: bool) -> None:
    sim.outside.chain.faults.shown_chain_id = "virtengine-other-1" if on else ""


def _catching_up(sim: Simulation, on: bool) -> None:
    sim.outside.chain.faults.catching_up = on


def _stale(sim: Simulation, on: bool) -> None:
    sim.outside.ahead_seconds = 130.0 if on else 0.0


def _down(sim: Simulation, on: bool) -> None:
    served = sim.outside.served
    assert served is not None
    if on:
        served.close()
    else:
        sim.outside.served = serve(sim.outside.chain, served.grpc.port, served.rpc.port)


TROUBLES = {
    "behind": (_lag, "behind height"),
    "of another chain": (_other, "is on chain virtengine-other-1, not virtengine-devnet-1"),
    "catching up": (_catching_up, "is catching up"),
    "without new blocks": (_stale, "has made no block for 130 s"),
    "down": (_down, "127.0.0.1"),
}


@pytest.mark.parametrize(("trouble", "words"), TROUBLES.values(), ids=TROUBLES)
def test_nothing_is_sent_or_removed_while_the_chain_is_unseen(
    trouble: Callable[[Simulation, bool], None], words: str, sim: Simulation
) -> None:
    sim.blocks(1)
    sim.scenario.alice.close(WEB)
    sim.scenario.alice.order(FAIR)
    sim.outside.step()
    before = len(sim.sent())
    trouble(sim, True)

    done = sim.blocks(5)

    assert done == []
    assert len(sim.sent()) == before
    assert [hold for hold in sim.holds(Reason.CHAIN_UNSEEN) if words in hold.message]
    assert len(sim.outside.cluster.objects("deployments")) == 2

    trouble(sim, False)
    done = sim.blocks(6)
    assert [each.describe() for each in removals(done)]
    assert len(sim.sent()) > before


def test_a_lease_closed_at_one_height_only_removes_no_workload(sim: Simulation) -> None:
    """Also over many cycles and several daemons."""
    sim.blocks(1)
    sim.scenario.alice.close(WEB)
    sim.outside.step()

    for _ in range(3):
        sim.cycles.append(sim.daemon.cycle())
        assert not removals(list(sim.last.planned.plan.actions))
        sim.daemon.drop()
        sim.daemon = Daemon(sim.outside)

    sim.outside.step()
    assert len(removals(sim.blocks(1))) == 1


def test_workloads_are_repaired_while_the_chain_is_unseen(sim: Simulation) -> None:
    """Only the leases seen last justify repairs."""
    sim.blocks(1)
    _other(sim, True)
    sim.blocks(1)
    subject = workload_id(lease(WEB))
    name = next(
        each["metadata"]["name"]
        for each in sim.outside.cluster.objects("deployments")
        if subject in each["metadata"]["name"]
    )
    deployment = sim.outside.cluster.get("deployments", "provider-workloads", name)
    assert deployment is not None
    sim.outside.cluster.store.put(deployment | {"spec": deployment["spec"] | {"replicas": 0}})

    done = sim.blocks(1)

    assert [each.describe() for each in done] == [
        f"apply workload {subject} on kubernetes: changed by someone else"
    ]


def test_a_withdrawal_refused_by_a_gate_is_held_alone(sim: Simulation) -> None:
    """Also where everything is due in the same block."""
    sim.blocks(1)
    ante = sim.outside.chain.executor.ante
    open_gates = ante.genesis
    ante.genesis = replace(open_gates, gates=Gates(identity=False, second_factor=frozenset({WITHDRAWAL})))
    for _ in range(6):
        sim.outside.step()
    since = sim.outside.height

    sim.blocks(5)

    assert {each.kind for each in sim.sent() if each.height > since} == {
        "MsgRecordUsage",
        "MsgSettleOrder",
        "MsgCloseBid",
    }
    (held,) = [hold for hold in sim.holds(Reason.TRY_LATER) if hold.subject.name == workload_id(lease(WEB))]
    assert "MFA required for medium_withdrawal" in held.message
    assert "verification by the account owner" in held.message

    ante.genesis = open_gates
    sim.blocks(16)
    assert [each for each in sim.sent() if each.kind == "MsgWithdrawLease"]


def test_an_exhausted_lease_ends_although_every_withdrawal_is_refused(sim: Simulation) -> None:
    """With the default gates no withdrawal ever passes; closing the bid does, and pays what is left."""
    sim.blocks(1)
    ante = sim.outside.chain.executor.ante
    ante.genesis = replace(ante.genesis, gates=Gates(identity=False, second_factor=frozenset({WITHDRAWAL})))
    (order,) = sim.scenario.alice.order(replace(FAIR, deposit=500_000))
    won = LeaseId(order, OURS)
    sim.blocks(4)
    sim.scenario.alice.accept(won)
    for _ in range(500_000 // 2446 - 1):
        sim.outside.step()

    sim.blocks(3)

    assert won not in sim.last.planned.plan.funding
    trade = sim.scenario.trade(order.dseq)
    assert (trade.lease_state, trade.state) == ("closed", "closed")
    ended = [each for each in sim.sent() if each.kind == "MsgCloseBid"]
    assert any(str(order.dseq) in str(each) for each in ended)
    assert not [each for each in sim.sent() if each.kind == "MsgWithdrawLease"]


def test_a_chain_that_needs_more_gas_than_it_simulates_costs_few_refusals(fresh: Simulation) -> None:
    fresh.outside.chain.faults.simulated_gas_percent = 40
    for _ in range(4):
        _order(fresh)
    fresh.blocks(60)
    codes = [tx.outcome.code for tx in transactions(fresh.outside)]
    assert codes.count(0) >= 1
    assert codes[-1] == 0
    assert len(codes) - codes.count(0) <= 3


def test_a_gas_price_of_three_times_the_minimum_is_paid(fresh: Simulation) -> None:
    fresh.blocks(1)
    _order(fresh)
    fresh.outside.chain.faults.price_factor = 3
    fresh.blocks(4)
    assert [each.kind for each in fresh.sent()] == ["MsgCreateBid"]
    (tx,) = transactions(fresh.outside)
    assert tx.outcome.code == 0


def test_foreign_transactions_with_our_key_are_named_and_stop_nothing(sim: Simulation) -> None:
    """One every 20 blocks stopped all spending for ever."""
    sim.blocks(1)
    calm(sim)
    sim.blocks(4)
    stranger = Actor(sim.outside.chain, PROVIDER)
    coins = [Coin(denom="uve", amount="5000")]
    since = sim.outside.height
    for _ in range(3):
        stranger.execute(MsgSend(from_address=OURS, to_address=ALICE, amount=coins))
        sim.scenario.alice.order(FAIR)
        sim.blocks(5)
    bids = [each for each in sim.sent() if each.kind == "MsgCreateBid" and each.height > since]
    assert len(bids) == 3
    assert _ledger(sim).outside == -15_000
    assert not sim.holds(Reason.JOURNAL_NEW)
    (named,) = sim.holds(Reason.FOREIGN_TRANSACTION)
    memory = sim.last.planned.plan.memory
    assert memory.foreign_total == 3
    assert memory.foreign[-1].hash in named.message
    assert f"block {memory.foreign[-1].height}" in named.message
    assert sim.last.snapshot.money.foreign_transactions == 3


def test_a_sequence_that_moved_unseen_holds_spending(sim: Simulation) -> None:
    """A restored journal does not know what it signed since: nothing is spent until all of that has ended."""
    sim.blocks(1)
    calm(sim)
    sim.blocks(4)
    sim.daemon.drop()
    coins = [Coin(denom="uve", amount="5000")]
    Actor(sim.outside.chain, PROVIDER).execute(MsgSend(from_address=OURS, to_address=ALICE, amount=coins))
    sim.outside.step()
    sim.daemon = Daemon(sim.outside)
    sim.scenario.alice.order(FAIR)
    since = sim.outside.height

    sim.blocks(HOLD_BLOCKS)

    assert not [each for each in sim.sent() if each.height > since]
    assert sim.holds(Reason.JOURNAL_NEW)
    sim.blocks(3)
    assert "MsgCreateBid" in {each.kind for each in sim.sent() if each.height > since}


def test_a_transaction_with_a_used_sequence_expires_and_is_replaced(fresh: Simulation) -> None:
    """Its sequence is used, so it can never be executed, which is known only once it has expired."""
    _order(fresh)
    fresh.blocks(3)
    _order(fresh)
    fresh.outside.chain.faults.racing.append(OURS)

    fresh.blocks(2 * HOLD_BLOCKS + 4)

    assert [tx.outcome.code for tx in transactions(fresh.outside)] == [0, SEQUENCE_MISMATCH, 0]
    assert [each.kind for each in fresh.sent()] == ["MsgCreateBid", "MsgCreateBid"]
    assert not fresh.daemon.journal.intents.open_intents()


def test_a_transaction_whose_sequence_another_one_used_is_replaced_at_once(fresh: Simulation) -> None:
    fresh.blocks(2)
    _order(fresh)
    fresh.outside.chain.faults.lost_requests = 1
    fresh.cycles.append(fresh.daemon.cycle())
    (lost,) = fresh.daemon.journal.intents.open_intents()
    coins = [Coin(denom="uve", amount="5000")]
    Actor(fresh.outside.chain, PROVIDER).execute(MsgSend(from_address=OURS, to_address=ALICE, amount=coins))

    fresh.blocks(3)

    assert "MsgCreateBid" in [each.kind for each in fresh.sent()]
    ended = fresh.daemon.journal.records.confirmation(lost.hash)
    assert ended is not None
    assert ended.outcome is IntentOutcome.EXPIRED
    assert "used its sequence" in ended.log
    assert sum(amount for _, amount in _ledger(fresh).spent) < 510_000


def test_after_a_restart_the_node_reports_a_used_sequence(fresh: Simulation) -> None:
    _order(fresh)
    fresh.blocks(3)
    _order(fresh)
    fresh.outside.chain.faults.racing.append(OURS)
    fresh.blocks(1)
    fees = _ledger(fresh).fees
    fresh.daemon.drop()
    fresh.daemon = Daemon(fresh.outside)

    fresh.blocks(1)

    assert not fresh.daemon.journal.intents.open_intents()
    assert _ledger(fresh).fees == fees


def _ledger(sim: Simulation) -> WalletLedger:
    ledger = sim.last.planned.plan.memory.ledger
    assert ledger is not None
    return ledger


def test_clock_skew_holds_spending_only(sim: Simulation) -> None:
    sim.outside.ahead_seconds = 90.0
    sim.scenario.alice.close(USAGE)
    sim.outside.step()
    before = len(sim.sent())

    done = sim.blocks(5)

    assert len(sim.sent()) == before
    assert [hold for hold in sim.holds(Reason.CLOCK_SKEW) if "differ by 90 seconds" in hold.message]
    assert len(removals(done)) == 1
