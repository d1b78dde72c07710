"""Broadcast of signed transactions, and queries for their results (semantics 1.2)."""

from __future__ import annotations

from decimal import Decimal

from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.node_errors import NodeError, NodeRefusedError
from reconciler.chain.proto.cosmos_tx_pb2 import (
    BROADCAST_MODE_SYNC,
    BroadcastTxRequest,
    BroadcastTxResponse,
    GetTxRequest,
    GetTxResponse,
    SimulateRequest,
    SimulateResponse,
)
from reconciler.chain.stubs import unary
from reconciler.chain.transactions import decode_tx
from reconciler.values.intents import Intent
from reconciler.values.outcomes import Done, Outcome, Unknown
from reconciler.values.refusals import read_refusal

TX = "cosmos.tx.v1beta1.Service"
BROADCAST = unary(TX, BroadcastTxRequest, BroadcastTxResponse)
SIMULATE = unary(TX, SimulateRequest, SimulateResponse)
GET_TX = unary(TX, GetTxRequest, GetTxResponse)

IN_CACHE = ("sdk", 19)
MEMPOOL_FULL = ("sdk", 20)


def failure_in_block(node: GrpcNode, tx: bytes) -> str:
    """Why the messages of these bytes would fail at the newest block, which costs their fee; "" if they would
    pass, or if that is not known.
    """
    try:
        node.call(SIMULATE, SimulateRequest(tx_bytes=tx))
    except NodeRefusedError as error:
        refusal = read_refusal(error.text)
        return refusal.words if refusal.index >= 0 else ""
    except NodeError:
        return ""
    return ""


def send(node: GrpcNode, intent: Intent, first: bool) -> tuple[Outcome, Decimal | None]:
    """Broadcast; also returns the gas price that the node requires if the fee was too low.

    A refusal proves that the transaction was not executed only on the `first` attempt: later it may be in a
    block or the mempool since an attempt whose answer was lost.
    """
    try:
        answer = node.call(BROADCAST, BroadcastTxRequest(tx_bytes=intent.tx, mode=BROADCAST_MODE_SYNC))
    except NodeRefusedError as error:
        if read_refusal(error.text).in_cache:
            return Done("the node already has it"), None
        return Unknown(str(error)), None
    except NodeError as error:
        return Unknown(str(error)), None
    result = answer.tx_response
    if result.code == 0:
        return Done(), None
    if (result.codespace, result.code) == IN_CACHE:
        return Done("the node already has it"), None
    refusal = read_refusal(result.raw_log)
    price = refusal.gas_price_needed(decode_tx(intent.tx).terms.gas_limit)
    if not first or (result.codespace, result.code) == MEMPOOL_FULL:
        return Unknown(refusal.words), price
    return refusal.outcome, price
