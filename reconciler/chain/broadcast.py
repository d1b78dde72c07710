"""Handing signed bytes to a node, and asking what became of them (semantics 1.2)."""

from __future__ import annotations

from decimal import Decimal

from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.node_errors import NodeError, NodeRefusedError, first_line, read_refusal
from reconciler.chain.proto.cosmos_tx_pb2 import (
    BROADCAST_MODE_SYNC,
    BroadcastTxRequest,
    BroadcastTxResponse,
    GetTxRequest,
    GetTxResponse,
)
from reconciler.chain.stubs import unary
from reconciler.chain.transactions import decoded
from reconciler.chain.wire_values import text_of
from reconciler.values.intents import Intent
from reconciler.values.observed import TxResult
from reconciler.values.outcomes import Done, Outcome, Refused, Unknown

TX = "cosmos.tx.v1beta1.Service"
BROADCAST = unary(TX, BroadcastTxRequest, BroadcastTxResponse)
GET_TX = unary(TX, GetTxRequest, GetTxResponse)

IN_CACHE = ("sdk", 19)
MEMPOOL_FULL = ("sdk", 20)


def send(node: GrpcNode, intent: Intent, first: bool) -> tuple[Outcome, Decimal | None]:
    """Broadcast, and the gas price that the node would take where the fee was too low.

    Only on the `first` try does a refusal say that the bytes were never executed: later, they may be in a
    block, or waiting, since a try whose answer was lost.
    """
    try:
        answer = node.ask(BROADCAST, BroadcastTxRequest(tx_bytes=intent.tx, mode=BROADCAST_MODE_SYNC))
    except NodeRefusedError as error:
        if read_refusal(error.text).in_cache:
            return Done("the node has it already"), None
        return Unknown(str(error)), None
    except NodeError as error:
        return Unknown(str(error)), None
    result = answer.tx_response
    if result.code == 0:
        return Done(), None
    if (result.codespace, result.code) == IN_CACHE:
        return Done("the node has it already"), None
    refusal = read_refusal(result.raw_log)
    price = refusal.gas_price_needed(decoded(intent.tx).terms.gas_limit)
    if not first or (result.codespace, result.code) == MEMPOOL_FULL:
        return Unknown(refusal.words), price
    return Refused("ChainRefused", refusal.words), price


def find(node: GrpcNode, hash_text: str) -> TxResult | None:
    """What the node's index says of a transaction, None where it has none; NodeError where it cannot tell."""
    try:
        found = node.ask(GET_TX, GetTxRequest(hash=hash_text)).tx_response
    except NodeRefusedError as error:
        if error.status == "NOT_FOUND":
            return None
        raise
    return TxResult(hash_text, found.height, found.code, text_of(found.codespace), first_line(found.raw_log))
