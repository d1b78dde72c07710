"""Subscriptions against the recorded ones, and over a real websocket."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.rpc_errors import RpcError
from reconciler.devnet.chain.serving import ServedChain, serve
from reconciler.devnet.chain.subscriptions import Subscriptions
from tests.devnet.chain.players import World, pay
from tests.replay.comparing import differences
from tests.replay.transcript import read

VECTORS = Path(__file__).parents[2] / "vectors"
RECORDED = [json.loads(line) for line in (VECTORS / "websocket.jsonl").read_text().splitlines()]
SENT = [line["sent"] for line in RECORDED if "sent" in line]
RECEIVED = [line["received"] for line in RECORDED if "received" in line]
NEWS = [message for message in RECEIVED if "data" in message.get("result", {})]
SEQUENCE, HEIGHT = 3, 31


def chain_before_the_recording() -> SimulatedChain:
    """The recorded network's accounts, after three transactions of alice."""
    start = read(VECTORS / "auth-and-rpc.jsonl").genesis
    alice = start.accounts[1]
    accounts = tuple(replace(one, sequence=SEQUENCE) if one is alice else one for one in start.accounts)
    chain = SimulatedChain(replace(start, accounts=accounts))
    while chain.height < HEIGHT - 1:
        chain.step(1_795_509_000_000_000_000)
    return chain


def answer(subscriptions: Subscriptions, asked: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"jsonrpc": "2.0", "id": asked["id"]}
    try:
        return told | {"result": subscriptions.call(asked)}
    except RpcError as error:
        return told | {"error": {"code": error.code, "message": error.message, "data": error.data}}


def of_kind(messages: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [m for m in messages if m["result"]["data"]["type"] == f"tendermint/event/{kind}"]


def test_subscribing_is_answered_as_recorded() -> None:
    subscriptions = Subscriptions(chain_before_the_recording())

    assert [answer(subscriptions, asked) for asked in SENT] == [m for m in RECEIVED if m not in NEWS]


def test_the_recorded_transaction_comes_as_it_came() -> None:
    chain = chain_before_the_recording()
    subscriptions = Subscriptions(chain)
    for asked in SENT[:4]:
        answer(subscriptions, asked)
    recorded = of_kind(NEWS, "Tx")
    data = base64.b64decode(recorded[0]["result"]["data"]["value"]["TxResult"]["tx"])
    checked = chain.check_tx(data)
    assert checked.code == 0, checked.log
    chain.step()
    got = [json.loads(text) for text in subscriptions.new_messages()]

    wanted = {message["id"]: message for message in recorded}
    assert {message["id"] for message in of_kind(got, "Tx")} == set(wanted)
    for message in of_kind(got, "Tx"):
        assert list(differences(wanted[message["id"]], message)) == []


def test_a_subscriber_receives_a_header_for_every_block() -> None:
    chain = chain_before_the_recording()
    subscriptions = Subscriptions(chain)
    answer(subscriptions, SENT[0])
    chain.step()
    chain.step()
    got = [json.loads(text) for text in subscriptions.new_messages()]
    recorded = of_kind(NEWS, "NewBlockHeader")

    assert [m["result"]["data"]["value"]["header"]["height"] for m in got] == ["31", "32"]
    unlike = list(differences(recorded[0], got[0]))
    assert [line for line in unlike if ".time" not in line and ".hash" not in line] == []


def test_a_client_has_at_most_five_distinct_subscriptions() -> None:
    subscriptions = Subscriptions(World().chain)
    for number in range(5):
        subscriptions.call({"id": number, "method": "subscribe", "params": {"query": f"tx.height={number}"}})

    with pytest.raises(RpcError, match="max_subscriptions_per_client 5 reached"):
        subscriptions.call({"id": 5, "method": "subscribe", "params": {"query": "tx.height=5"}})
    with pytest.raises(RpcError, match="already subscribed"):
        subscriptions.call({"id": 5, "method": "subscribe", "params": {"query": "tx.height=4"}})
    assert subscriptions.call({"id": 6, "method": "unsubscribe", "params": {"query": "tx.height=4"}}) == {}
    with pytest.raises(RpcError, match="subscription not found"):
        subscriptions.call({"id": 7, "method": "unsubscribe", "params": {"query": "tx.height=4"}})


async def converse(node: ServedChain, world: World) -> tuple[list[dict[str, Any]], bool]:
    """Subscribe, make a block, then drop the socket."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{node.rpc_url}/websocket") as socket:
        for asked in SENT[:2]:
            await socket.send_json(asked)
        told = [await socket.receive_json(timeout=5) for _ in SENT[:2]]
        await socket.send_json({"jsonrpc": "2.0", "id": 8, "method": "health"})
        told.append(await socket.receive_json(timeout=5))
        await socket.ping()
        await asyncio.to_thread(world.do, "alice", pay("alice", "bob", 7))
        told += [await socket.receive_json(timeout=5) for _ in "12"]
        world.chain.faults.dropped_sockets = 1
        await asyncio.to_thread(world.chain.step)
        closed = await socket.receive(timeout=5)
        return told, closed.type in (
            aiohttp.WSMsgType.CLOSED,
            aiohttp.WSMsgType.ERROR,
            aiohttp.WSMsgType.CLOSE,
        )


def test_a_websocket_carries_answers_and_events_until_it_is_dropped() -> None:
    world = World()
    node = serve(world.chain)
    try:
        told, closed = asyncio.run(converse(node, world))
    finally:
        node.close()

    assert [message["id"] for message in told] == [1, 2, 8, 2, 1]
    assert told[3]["result"]["events"]["tx.height"] == [str(world.chain.height - 1)]
    assert closed
