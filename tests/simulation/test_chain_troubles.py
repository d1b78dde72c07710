"""A chain that loses answers, is silent, behind, or another; a gate, and a stranger who uses our key."""

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
from reconciler.devnet.tenant import OrderRequest
from reconciler.values.ids import workload_id
from reconciler.values.limits import Limits
from reconciler.values.memory import WalletLedger
from reconciler.values.plans import Reason
from tests.simulation.actors import Actor
from tests.simulation.daemon import Daemon
from tests.simulation.footprint import transactions
from tests.simulation.playing import Play, calm, removals
from tests.simulation.script import ALICE, OURS, USAGE, WEB, lease

FAIR = OrderRequest(Decimal(4000))
HOLD_BLOCKS = Limits().timeout_blocks
SEQUENCE_MISMATCH = 32


def _order(play: Play) -> None:
    play.stage.alice.order(FAIR)
    play.outside.step()


def _lag(play: Play, on: bool) -> None:
    play.outside.chain.faults.lag = 20 if on else 0


def _other(play: Play, on: bool) -> None:
    play.outside.chain.faults.shown_chain_id = "virtengine-other-1" if on else ""


def _catching_up(play: Play, on: bool) -> None:
    play.outside.chain.faults.catching_up = on


def _stale(play: Play, on: bool) -> None:
    play.outside.ahead_seconds = 130.0 if on else 0.0


def _down(play: Play, on: bool) -> None:
    served = play.outside.served
    assert served is not None
    if on:
        served.close()
    else:
        play.outside.served = serve(play.outside.chain, served.grpc.port, served.rpc.port)


TROUBLES = {
    "behind": (_lag, "behind height"),
    "of another chain": (_other, "is on chain virtengine-other-1, not virtengine-devnet-1"),
    "catching up": (_catching_up, "is catching up"),
    "without new blocks": (_stale, "has made no block for 130 s"),
    "down": (_down, "127.0.0.1"),
}


@pytest.mark.parametrize(("trouble", "words"), TROUBLES.values(), ids=TROUBLES)
def test_while_the_chain_is_not_seen_nothing_is_sent_or_removed(
    trouble: Callable[[Play, bool], None], words: str, play: Play
) -> None:
    play.blocks(1)
    play.stage.alice.close(WEB)
    play.stage.alice.order(FAIR)
    play.outside.step()
    before = len(play.sent())
    trouble(play, True)

    done = play.blocks(5)

    assert done == []
    assert len(play.sent()) == before
    assert [hold for hold in play.holds(Reason.CHAIN_UNSEEN) if words in hold.message]
    assert len(play.outside.cluster.objects("deployments")) == 2

    trouble(play, False)
    done = play.blocks(6)
    assert [each.show() for each in removals(done)]
    assert len(play.sent()) > before


def test_a_lease_seen_closed_at_one_height_alone_costs_no_workload(play: Play) -> None:
    """However often it is looked at, and by however many daemons one after the other."""
    play.blocks(1)
    play.stage.alice.close(WEB)
    play.outside.step()

    for _ in range(3):
        play.cycles.append(play.daemon.cycle())
        assert not removals(list(play.last.planned.plan.actions))
        play.daemon.drop()
        play.daemon = Daemon(play.outside)

    play.outside.step()
    assert len(removals(play.blocks(1))) == 1


def test_what_runs_is_repaired_while_the_chain_is_not_seen(play: Play) -> None:
    """Leases last seen justify that, and nothing else."""
    play.blocks(1)
    _other(play, True)
    play.blocks(1)
    subject = workload_id(lease(WEB))
    name = next(
        each["metadata"]["name"]
        for each in play.outside.cluster.objects("deployments")
        if subject in each["metadata"]["name"]
    )
    deployment = play.outside.cluster.get("deployments", "provider-workloads", name)
    assert deployment is not None
    play.outside.cluster.store.put(deployment | {"spec": deployment["spec"] | {"replicas": 0}})

    done = play.blocks(1)

    assert [each.show() for each in done] == [f"apply workload {subject} on kubernetes: somebody changed it"]


@pytest.mark.parametrize("fault", ["lost_replies", "lost_requests"])
def test_a_broadcast_without_an_answer_is_not_signed_again(fault: str, fresh: Play) -> None:
    _order(fresh)
    setattr(fresh.outside.chain.faults, fault, 1)

    fresh.blocks(4)

    assert [each.kind for each in fresh.sent()] == ["MsgCreateBid"]
    fresh.blocks(3)
    assert len(fresh.sent()) == 1
    assert not fresh.daemon.journal.intents.open_intents()


def test_a_withdrawal_that_a_gate_refuses_is_held_and_the_rest_goes_on(play: Play) -> None:
    """Also where all of it falls due in the same block."""
    play.blocks(1)
    ante = play.outside.chain.executor.ante
    open_gates = ante.genesis
    ante.genesis = replace(open_gates, gates=Gates(identity=False, second_factor=frozenset({WITHDRAWAL})))
    for _ in range(6):
        play.outside.step()
    since = play.outside.height

    play.blocks(5)

    assert {each.kind for each in play.sent() if each.height > since} == {
        "MsgRecordUsage",
        "MsgSettleOrder",
        "MsgCloseBid",
    }
    (held,) = [hold for hold in play.holds(Reason.TRY_LATER) if hold.subject.name == workload_id(lease(WEB))]
    assert "MFA required for medium_withdrawal" in held.message
    assert "the account's owner must pass it" in held.message

    ante.genesis = open_gates
    play.blocks(16)
    assert [each for each in play.sent() if each.kind == "MsgWithdrawLease"]


def test_a_stranger_with_our_key_holds_spending_for_a_while(play: Play) -> None:
    play.blocks(1)
    calm(play)
    play.blocks(4)
    stranger = Actor(play.outside.chain, PROVIDER)
    coins = [Coin(denom="uve", amount="5000")]
    stranger.node.do(stranger.key, [MsgSend(from_address=OURS, to_address=ALICE, amount=coins)])
    play.stage.alice.order(FAIR)
    play.outside.step()
    since = play.outside.height

    play.blocks(HOLD_BLOCKS)

    assert not [each for each in play.sent() if each.height > since]
    assert [
        hold for hold in play.holds(Reason.JOURNAL_NEW) if f"height {since + HOLD_BLOCKS}" in hold.message
    ]
    assert _ledger(play).outside == -5000

    play.blocks(3)
    assert "MsgCreateBid" in {each.kind for each in play.sent() if each.height > since}


def test_a_transaction_that_a_stranger_outran_is_given_up_and_made_anew(fresh: Play) -> None:
    """Its sequence is spent, so that it can never be executed; that is only known once it has expired."""
    _order(fresh)
    fresh.blocks(3)
    _order(fresh)
    fresh.outside.chain.faults.racing.append(OURS)

    fresh.blocks(2 * HOLD_BLOCKS + 4)

    assert [tx.outcome.code for tx in transactions(fresh.outside)] == [0, SEQUENCE_MISMATCH, 0]
    assert [each.kind for each in fresh.sent()] == ["MsgCreateBid", "MsgCreateBid"]
    assert not fresh.daemon.journal.intents.open_intents()


def test_after_a_restart_the_node_itself_says_that_a_transaction_was_outrun(fresh: Play) -> None:
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


def _ledger(play: Play) -> WalletLedger:
    ledger = play.last.planned.plan.memory.ledger
    assert ledger is not None
    return ledger


def test_a_clock_that_is_off_holds_spending_alone(play: Play) -> None:
    play.outside.ahead_seconds = 90.0
    play.stage.alice.close(USAGE)
    play.outside.step()
    before = len(play.sent())

    done = play.blocks(5)

    assert len(play.sent()) == before
    assert [hold for hold in play.holds(Reason.CLOCK_SKEW) if "differ by 90 seconds" in hold.message]
    assert len(removals(done)) == 1
