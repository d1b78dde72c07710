"""The chain's cut of every payout (semantics 4.3)."""

from __future__ import annotations

from reconciler.chain.proto.take_v1_pb2 import Params
from reconciler.devnet.chain.call import MessageCall
from reconciler.devnet.chain.tables import PARAMS


def fee(call: MessageCall, amount: int, denom: str) -> int:
    """What is taken of `amount`, truncated: the denomination's rate or the default one, in percent."""
    params = Params.FromString(call.state.get(PARAMS, b"take") or b"")
    rates = {rate.denom: rate.rate for rate in params.denom_take_rates}
    return amount * rates.get(denom, params.default_take_rate) // 100
