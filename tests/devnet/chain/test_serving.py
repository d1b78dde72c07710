"""The simulated node on real sockets."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import grpc
import pytest

from reconciler.chain.proto import market_v1beta5_pb2 as markets
from reconciler.chain.proto.cosmos_tx_pb2 import BROADCAST_MODE_SYNC, BroadcastTxRequest, BroadcastTxResponse
from reconciler.devnet.chain.serving import ServedChain, serve
from tests.devnet.chain.players import World, order, pay


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def served(world: World) -> Iterator[ServedChain]:
    node = serve(world.chain)
    yield node
    node.close()


def post(node: ServedChain, method: str, **params: object) -> dict[str, Any]:
    body = json.dumps({"jsonrpc": "2.0", "id": 4, "method": method, "params": params}).encode()
    with urlopen(Request(node.rpc_url, body)) as reply:
        answer: dict[str, Any] = json.load(reply)
    return answer


def get(node: ServedChain, path: str) -> Any:
    with urlopen(f"{node.rpc_url}/{path}") as reply:
        return json.load(reply)


def call(node: ServedChain, path: str, request: bytes = b"", height: int = 0) -> bytes:
    with grpc.insecure_channel(node.grpc_target) as channel:
        asked = channel.unary_unary(path, request_serializer=None, response_deserializer=None)
        metadata = (("x-cosmos-block-height", str(height)),) if height else ()
        answer: bytes = asked(request, metadata=metadata, timeout=5)
        return answer


def test_grpc_answers_at_the_height_in_the_metadata(world: World, served: ServedChain) -> None:
    before = world.chain.height
    world.do("alice", order("alice", 5))
    path = "/virtengine.market.v1beta5.Query/Orders"
    kind = markets.QueryOrdersResponse

    assert len(kind.FromString(call(served, path)).orders) == 1
    assert len(kind.FromString(call(served, path, height=before)).orders) == 0
    with pytest.raises(grpc.RpcError) as caught:
        call(served, path, height=before + 9)
    assert caught.value.code() is grpc.StatusCode.UNKNOWN
    assert "codespace sdk code 26" in str(caught.value.details())


def test_no_message_service_is_served(served: ServedChain) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        call(served, "/virtengine.market.v1beta5.Msg/CreateBid")

    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_transaction_goes_in_over_grpc_and_is_found_over_rpc(world: World, served: ServedChain) -> None:
    data = world.bytes("alice", pay("alice", "bob", 7))
    asked = BroadcastTxRequest(tx_bytes=data, mode=BROADCAST_MODE_SYNC)
    told = call(served, "/cosmos.tx.v1beta1.Service/BroadcastTx", asked.SerializeToString())
    name = BroadcastTxResponse.FromString(told).tx_response.txhash
    absent = post(served, "tx", hash=base64.b64encode(bytes.fromhex(name)).decode())
    world.chain.step()
    found = post(served, "tx", hash=base64.b64encode(bytes.fromhex(name)).decode())

    assert absent["error"]["data"] == f"tx ({name}) not found"
    assert found["id"] == 4
    assert found["result"]["tx_result"]["code"] == 0
    assert get(served, f"tx?hash=0x{name}")["result"]["height"] == str(world.chain.height)


def test_a_hash_in_base64_may_begin_like_a_hexadecimal_one(served: ServedChain) -> None:
    text = "0x" + "A" * 41 + "="
    name = base64.b64decode(text).hex().upper()
    assert post(served, "tx", hash=text)["error"]["data"] == f"tx ({name}) not found"


def test_rpc_answers_lists_addresses_and_nonsense(world: World, served: ServedChain) -> None:
    one = {"jsonrpc": "2.0", "id": 1, "method": "health"}
    with urlopen(Request(served.rpc_url, json.dumps([one, {**one, "id": 2}]).encode())) as reply:
        assert [answer["id"] for answer in json.load(reply)] == [1, 2]
    with urlopen(Request(served.rpc_url, b"{")) as reply:
        assert json.load(reply)["error"]["code"] == -32700
    assert post(served, "no_such_thing")["error"]["code"] == -32601
    assert get(served, "block?height=1")["result"]["block"]["header"]["height"] == "1"
    assert get(served, "status")["result"]["node_info"]["network"] == world.chain.genesis.chain_id


def test_a_lost_reply_breaks_the_connection(world: World, served: ServedChain) -> None:
    data = base64.b64encode(world.bytes("alice", pay("alice", "bob", 7))).decode()
    world.chain.faults.lost_replies = 1
    with pytest.raises((URLError, ConnectionError)):
        post(served, "broadcast_tx_sync", tx=data)
    assert len(world.chain.mempool.waiting) == 1

    world.chain.faults.lost_replies = 1
    other = BroadcastTxRequest(tx_bytes=world.bytes("bob", pay("bob", "alice", 7)), mode=BROADCAST_MODE_SYNC)
    with pytest.raises(grpc.RpcError) as caught:
        call(served, "/cosmos.tx.v1beta1.Service/BroadcastTx", other.SerializeToString())
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert len(world.chain.mempool.waiting) == 2


def test_faults_change_the_reported_status(world: World, served: ServedChain) -> None:
    world.chain.faults.shown_chain_id = "another-1"
    world.chain.faults.catching_up = True
    status = get(served, "status")["result"]

    assert status["node_info"]["network"] == "another-1"
    assert status["sync_info"]["catching_up"] is True
