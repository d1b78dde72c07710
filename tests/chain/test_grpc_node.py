"""The gRPC client on a server of the test's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import pytest

from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.node_errors import NodeError, NodeRefusedError
from reconciler.chain.proto.cosmos_paging_pb2 import PageRequest, PageResponse
from reconciler.chain.proto.escrow_v1_pb2 import QueryPaymentsRequest, QueryPaymentsResponse
from reconciler.chain.proto.market_v1beta5_pb2 import QueryOrdersRequest, QueryOrdersResponse
from reconciler.chain.queries import ORDERS, PAYMENTS, Queries
from reconciler.chain.stubs import SERVED, methods_of, unary

Answer = Callable[[bytes, grpc.ServicerContext], bytes]


@contextmanager
def serving(path: str, answer: Answer) -> Iterator[str]:
    class Handler(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in its stubs alone
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
            if details.method != path:
                return None
            return grpc.unary_unary_rpc_method_handler(answer)

    server = grpc.server(ThreadPoolExecutor(2), options=[("grpc.max_send_message_length", -1)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.add_generic_rpc_handlers((Handler(),))
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None)


def test_a_response_above_the_grpc_default_limit_is_accepted() -> None:
    whole = QueryPaymentsResponse(payments=[{"id": {"xid": "x" * 1000}}] * 6000).SerializeToString()
    assert len(whole) > 4 << 20
    with serving(PAYMENTS.path, lambda _, __: whole) as target:
        answer = GrpcNode(target).call(PAYMENTS, QueryPaymentsRequest())
    assert len(answer.payments) == 6000


def test_the_height_is_sent_as_metadata() -> None:
    heights: list[object] = []

    def answer(_: bytes, call: grpc.ServicerContext) -> bytes:
        heights.append(dict(call.invocation_metadata()).get("x-cosmos-block-height"))
        return b""

    with serving(ORDERS.path, answer) as target:
        node = GrpcNode(target)
        node.call(ORDERS, QueryOrdersRequest(), 7)
        node.call(ORDERS, QueryOrdersRequest())
        node.close()
    assert heights == ["7", None]


def test_a_refusal_carries_the_node_s_text() -> None:
    def answer(_: bytes, call: grpc.ServicerContext) -> bytes:
        call.abort(grpc.StatusCode.INVALID_ARGUMENT, "invalid state value")

    with serving(ORDERS.path, answer) as target, pytest.raises(NodeRefusedError) as caught:
        GrpcNode(target).call(ORDERS, QueryOrdersRequest())
    assert (caught.value.status, caught.value.text) == ("INVALID_ARGUMENT", "invalid state value")


def test_a_timeout_is_not_a_refusal() -> None:
    def answer(_: bytes, __: grpc.ServicerContext) -> bytes:
        time.sleep(0.5)
        return b""

    with serving(ORDERS.path, answer) as target, pytest.raises(NodeError, match="does not answer") as caught:
        GrpcNode(target, timeout_seconds=0.2).call(ORDERS, QueryOrdersRequest())
    assert not isinstance(caught.value, NodeRefusedError)
    with pytest.raises(NodeError, match=r"127\.0\.0\.1:1 does not answer"):
        GrpcNode("127.0.0.1:1", timeout_seconds=1).call(ORDERS, QueryOrdersRequest())


@pytest.mark.parametrize("keys", [[b"a", b"b", b"a"], [b"a", b"a"]])
def test_a_list_that_repeats_a_page_key_is_an_error(keys: list[bytes]) -> None:
    def answer(raw: bytes, _: grpc.ServicerContext) -> bytes:
        asked = QueryOrdersRequest.FromString(raw)
        assert asked.filters.state == "open"
        place = 0 if not asked.pagination.key else keys.index(asked.pagination.key) + 1
        return QueryOrdersResponse(pagination=PageResponse(next_key=keys[place])).SerializeToString()

    with serving(ORDERS.path, answer) as target, pytest.raises(NodeError, match="does not end"):
        list(Queries(GrpcNode(target)).open_orders())


def test_every_served_method_has_its_path_and_classes() -> None:
    methods = [method for service in SERVED.values() for method in methods_of(service)]
    assert len({method.path for method in methods}) == len(methods) > 50
    assert not any("/virtengine.market.v1beta5.Msg/" in method.path for method in methods)
    with pytest.raises(KeyError, match="no method from PageRequest"):
        unary("virtengine.market.v1beta5.Query", PageRequest, PageResponse)


def test_an_unresponsive_channel_is_replaced(caplog: pytest.LogCaptureFixture) -> None:
    with serving(ORDERS.path, lambda _, __: b"") as target:
        node = GrpcNode(target, redial_seconds=0.05)
        node.call(ORDERS, QueryOrdersRequest())
        first = node._channel
    for _ in range(2):
        with pytest.raises(NodeError, match="does not answer"):
            node.call(ORDERS, QueryOrdersRequest())
        time.sleep(0.06)
    assert node._channel is not first
    assert "reconnecting" in caplog.text
    with pytest.raises(NodeError, match="does not answer"):
        node.call(ORDERS, QueryOrdersRequest())
    node.close()


def test_a_refusal_keeps_the_channel() -> None:
    def refuse(_: bytes, call: grpc.ServicerContext) -> bytes:
        call.abort(grpc.StatusCode.NOT_FOUND, "no")
        return b""

    with serving(ORDERS.path, refuse) as target:
        node = GrpcNode(target, redial_seconds=0)
        first = node._channel
        with pytest.raises(NodeRefusedError):
            node.call(ORDERS, QueryOrdersRequest())
        assert node._channel is first
        node.close()


def test_a_channel_replaced_by_another_thread_is_a_node_error() -> None:
    node = GrpcNode("127.0.0.1:1")
    node.close()
    with pytest.raises(NodeError, match="reconnecting"):
        node.call(ORDERS, QueryOrdersRequest())
