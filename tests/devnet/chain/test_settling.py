"""Settlement behaviour that the recordings do not cover."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from google.protobuf.message import Message

from reconciler.chain.proto import settlement_v1_pb2 as v1
from reconciler.chain.proto.cosmos_coin_pb2 import Coin, DecCoin
from reconciler.devnet.chain.addresses import ESCROW, SETTLEMENT
from reconciler.devnet.chain.bank import balance
from reconciler.devnet.chain.genesis import settlement_params
from reconciler.devnet.chain.tables import BALANCES
from tests.devnet.chain.players import RICH_UVE, World, address, genesis

ORDER, LEASE = "an/order", "a/lease"
HOUR_NS = 3600 * 10**9
ESCROWED = 100_000


def create(expires_in: int = 7200, order: str = ORDER) -> v1.MsgCreateEscrow:
    amount = [Coin(denom="uve", amount=str(ESCROWED))]
    return v1.MsgCreateEscrow(sender=address("alice"), order_id=order, amount=amount, expires_in=expires_in)


def activate(escrow: str = "escrow-1") -> v1.MsgActivateEscrow:
    return v1.MsgActivateEscrow(
        sender=address("alice"), escrow_id=escrow, lease_id=LEASE, recipient=address("one")
    )


def usage(units: int, price: str = "1", order: str = ORDER) -> v1.MsgRecordUsage:
    return v1.MsgRecordUsage(
        sender=address("one"),
        order_id=order,
        lease_id=LEASE,
        usage_units=units,
        usage_type="cpu",
        period_start=1,
        period_end=2,
        unit_price=DecCoin(denom="uve", amount=str(int(float(price) * 10**18))),
        signature=b"s",
    )


def settle(*ids: str, final: bool = False) -> v1.MsgSettleOrder:
    return v1.MsgSettleOrder(sender=address("one"), order_id=ORDER, usage_record_ids=ids, is_final=final)


def active_world() -> World:
    world = World()
    succeed(world, "alice", create())
    succeed(world, "alice", activate())
    return world


def succeed(world: World, name: str, message: Message) -> None:
    outcome = world.do(name, message).outcome
    assert outcome.code == 0, outcome.log


def refused(world: World, name: str, message: Message) -> tuple[str, int]:
    outcome = world.do(name, message).outcome
    return outcome.codespace, outcome.code


def escrow(world: World) -> v1.EscrowAccount:
    asked = v1.QueryEscrowRequest(escrow_id="escrow-1").SerializeToString()
    told = world.chain.query("/virtengine.settlement.v1.Query/Escrow", asked)
    return v1.QueryEscrowResponse.FromString(told).escrow


def settlements(world: World) -> list[v1.SettlementRecord]:
    asked = v1.QuerySettlementsByOrderRequest(order_id=ORDER).SerializeToString()
    told = world.chain.query("/virtengine.settlement.v1.Query/SettlementsByOrder", asked)
    return list(v1.QuerySettlementsByOrderResponse.FromString(told).settlements)


def test_a_release_pays_the_provider_everything_without_fees() -> None:
    world = active_world()
    before = world.balance("one")
    release = v1.MsgReleaseEscrow(sender=address("one"), escrow_id="escrow-1", reason="done")
    assert refused(world, "one", release) == ("settlement", 1505)
    release.sender = address("alice")
    succeed(world, "alice", release)

    assert world.balance("one") == before + ESCROWED - 25_000
    assert escrow(world).state == "released"
    assert [(one.settlement_type, one.is_final) for one in settlements(world)] == [("final", True)]
    assert refused(world, "alice", release) == ("settlement", 1519)


@pytest.mark.parametrize("name", ["alice", "one"])
def test_a_dispute_freezes_and_a_refund_ends_it(name: str) -> None:
    world = active_world()
    succeed(world, name, v1.MsgDisputeEscrow(sender=address(name), escrow_id="escrow-1", reason="why"))
    succeed(world, name, v1.MsgRefundEscrow(sender=address(name), escrow_id="escrow-1", reason="over"))

    assert (escrow(world).state, escrow(world).closure_reason) == ("refunded", "over")
    assert balance(world.chain.view(), ESCROW, "uve") == 0


@pytest.mark.parametrize(
    ("sender", "message", "code"),
    [
        ("bob", lambda: v1.MsgRefundEscrow(escrow_id="escrow-1", reason="r"), 1505),
        ("bob", lambda: v1.MsgDisputeEscrow(escrow_id="escrow-1", reason="r"), 1505),
        ("bob", lambda: v1.MsgSettleOrder(order_id=ORDER), 1505),
        ("alice", lambda: v1.MsgRefundEscrow(escrow_id="escrow-9", reason="r"), 1501),
        ("alice", lambda: v1.MsgSettleOrder(order_id=ORDER), 1506),
        ("bob", lambda: v1.MsgAcknowledgeUsage(usage_id="usage-1-1", signature=b"s"), 1513),
    ],
)
def test_a_forbidden_request_is_refused(sender: str, message: Callable[[], Message], code: int) -> None:
    world = active_world()
    asked = message()
    asked.sender = address(sender)  # type: ignore[attr-defined]  # every message of the module has one

    assert refused(world, sender, asked) == ("settlement", code)


def test_an_id_of_another_order_is_refused() -> None:
    world = active_world()
    succeed(world, "alice", create(order="other"))
    succeed(world, "alice", activate("escrow-2"))
    done = world.do("one", usage(5, order="other"))
    assert done.outcome.code == 0
    name = v1.MsgRecordUsageResponse.FromString(done.outcome.answers[0].value).usage_id

    assert refused(world, "one", settle(name)) == ("settlement", 1512)


def test_the_fees_stay_in_the_module_and_coins_are_kept() -> None:
    world = active_world()
    succeed(world, "one", usage(2001))
    succeed(world, "one", settle())

    assert balance(world.chain.view(), SETTLEMENT, "uve") == 120
    assert sum(amount for _, amount in world.chain.view().scan(BALANCES)) == 4 * RICH_UVE
    assert [(c.amount) for c in escrow(world).balance] == [str(ESCROWED - 2001)]


def test_an_expired_escrow_is_refunded_by_the_block() -> None:
    world = World()
    before = world.balance("alice")
    succeed(world, "alice", create(expires_in=3600))
    block = world.chain.step(world.chain.time_ns + HOUR_NS)
    assert escrow(world).state == "pending"
    block = world.chain.step(world.chain.time_ns + 1)

    assert escrow(world).state == "expired"
    assert world.balance("alice") == before - 25_000
    assert block.events[-1].kind == ""
    assert block.events[-1].attributes == (("mode", "BeginBlock"),)
    assert refused(world, "alice", activate()) == ("settlement", 1503)


def test_unsettled_usage_is_settled_by_a_block_after_its_period() -> None:
    params = settlement_params()
    params.settlement_period = 60
    world = World(replace(genesis(), settlement=params))
    succeed(world, "alice", create())
    succeed(world, "alice", activate())
    activated = world.chain.time_ns
    succeed(world, "one", usage(1000))
    world.chain.step(activated + 60 * 10**9 - 1)
    assert settlements(world) == []
    block = world.chain.step(activated + 60 * 10**9)

    assert [one.total_usage_units for one in settlements(world)] == [1000]
    assert block.events[-1].attributes == (("mode", "EndBlock"),)
    world.chain.step(activated + 200 * 10**9)
    assert len(settlements(world)) == 1


def test_an_escrow_with_the_number_of_a_deployment_is_refused() -> None:
    world = active_world()
    outcome = world.do("alice", create(order="second")).outcome

    assert outcome.code == 0
    assert escrow(world).escrow_id == "escrow-1"
