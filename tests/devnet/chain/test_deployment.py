"""The order in which a deployment's groups are listed and closed, which the recordings do not cover."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from reconciler.chain.proto import deployment_v1_pb2 as v1
from reconciler.chain.proto import deployment_v1beta4_pb2 as v1beta4
from reconciler.chain.proto import market_v1beta5_pb2 as markets
from reconciler.devnet.chain.queries_deployment import one_deployment
from tests.devnet.chain.players import World, address, bid, order

DSEQ = 7
OPEN, PAUSED, CLOSED = v1beta4.Group.open, v1beta4.Group.paused, v1beta4.Group.closed


def group(number: int) -> v1.GroupID:
    return v1.GroupID(owner=address("alice"), dseq=DSEQ, gseq=number)


def three_groups() -> World:
    world = World()
    message = order("alice", DSEQ)
    first = message.groups[0]
    del message.groups[:]
    for name in ("a", "b", "c"):
        message.groups.add().CopyFrom(first)
        message.groups[-1].name = name
    do(world, message)
    return world


def do(world: World, message: Message, who: str = "alice") -> list[tuple[str, str]]:
    outcome = world.do(who, message).outcome
    assert not outcome.code, outcome.log
    return [(event.kind.rpartition(".")[2], dict(event.attributes).get("id", "")) for event in outcome.events]


def leased(world: World, number: int) -> markets.MsgCreateBid:
    """Make a lease of a group."""
    offer, taken = bid("alice", "one", DSEQ), markets.MsgCreateLease()
    offer.id.gseq = number
    taken.bid_id.CopyFrom(offer.id)
    do(world, offer, "one")
    do(world, taken)
    return offer


def listed(world: World) -> list[tuple[int, int]]:
    asked = v1beta4.QueryDeploymentRequest(id={"owner": address("alice"), "dseq": DSEQ})
    return [(each.id.gseq, each.state) for each in one_deployment(world.chain.view(), asked).groups]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_paused_group_keeps_its_place(number: int) -> None:
    world = three_groups()
    leased(world, number)
    do(world, v1beta4.MsgPauseGroup(id=group(number)))
    assert listed(world) == [(n, PAUSED if n == number else OPEN) for n in (1, 2, 3)]
    do(world, v1beta4.MsgStartGroup(id=group(number)))
    assert listed(world) == [(1, OPEN), (2, OPEN), (3, OPEN)]
    do(world, v1beta4.MsgPauseGroup(id=group(number)))
    assert listed(world) == [(n, PAUSED if n == number else OPEN) for n in (1, 2, 3)]


def test_a_group_paused_by_its_provider_keeps_its_place() -> None:
    world = three_groups()
    do(world, markets.MsgCloseBid(id=leased(world, 2).id, reason="lease_closed_reason_unstable"), "one")
    assert listed(world) == [(1, OPEN), (2, PAUSED), (3, OPEN)]


def test_a_closed_group_is_listed_last_also_when_it_was_paused() -> None:
    world = three_groups()
    do(world, v1beta4.MsgPauseGroup(id=group(1)))
    do(world, v1beta4.MsgCloseGroup(id=group(1)))
    assert listed(world) == [(2, OPEN), (3, OPEN), (1, CLOSED)]
    do(world, v1beta4.MsgPauseGroup(id=group(2)))
    assert listed(world) == [(2, PAUSED), (3, OPEN), (1, CLOSED)]


def test_a_deployment_closes_its_groups_in_their_order_also_with_one_paused() -> None:
    world = three_groups()
    do(world, v1beta4.MsgPauseGroup(id=group(2)))
    events = do(world, v1beta4.MsgCloseDeployment(id={"owner": address("alice"), "dseq": DSEQ}))
    closed = [text for name, text in events if name == "EventGroupClosed"]
    assert [f'"gseq":{n}' in text for n, text in enumerate(closed, start=1)] == [True] * 3
    assert listed(world) == [(1, CLOSED), (2, CLOSED), (3, CLOSED)]
