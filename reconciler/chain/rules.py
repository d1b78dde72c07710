"""The chain's parameters that decide about money."""

from __future__ import annotations

import re
from decimal import Decimal

from reconciler.chain.node_errors import NodeError
from reconciler.chain.proto import cosmos_node_pb2, market_v1beta5_pb2, settlement_v1_pb2, take_v1_pb2
from reconciler.chain.queries import MARKET, SETTLEMENT, Queries
from reconciler.chain.stubs import unary
from reconciler.chain.wire_amounts import whole_uve
from reconciler.values.money import DENOM
from reconciler.values.observed import ChainRules

MARKET_PARAMS = unary(MARKET, market_v1beta5_pb2.QueryParamsRequest, market_v1beta5_pb2.QueryParamsResponse)
TAKE_PARAMS = unary(
    "virtengine.take.v1.Query", take_v1_pb2.QueryParamsRequest, take_v1_pb2.QueryParamsResponse
)
SETTLEMENT_PARAMS = unary(
    SETTLEMENT, settlement_v1_pb2.QueryParamsRequest, settlement_v1_pb2.QueryParamsResponse
)
NODE_CONFIG = unary(
    "cosmos.base.node.v1beta1.Service", cosmos_node_pb2.ConfigRequest, cosmos_node_pb2.ConfigResponse
)

_GAS_PRICE = re.compile(r"(\d{1,30}(?:\.\d{1,18})?)" + DENOM)


def read_rules(queries: Queries) -> ChainRules:
    """Four questions; the gas price is the node's own minimum (semantics 1.3)."""
    market = queries.ask(MARKET_PARAMS, market_v1beta5_pb2.QueryParamsRequest()).params
    take = queries.ask(TAKE_PARAMS, take_v1_pb2.QueryParamsRequest()).params
    settlement = queries.ask(SETTLEMENT_PARAMS, settlement_v1_pb2.QueryParamsRequest()).params
    config = queries.ask(NODE_CONFIG, cosmos_node_pb2.ConfigRequest())
    rates = {each.denom: each.rate for each in take.denom_take_rates}
    fees = Decimal(settlement.platform_fee_rate or "0") + Decimal(settlement.validator_fee_rate or "0")
    rules = ChainRules(
        bid_deposit=whole_uve([market.bid_min_deposit]),
        order_max_bids=market.order_max_bids,
        take_percent=rates.get(DENOM, take.default_take_rate),
        gas_price=gas_price_in(config.minimum_gas_price),
        settlement_fee_percent=fees * 100,
        settlement_period_seconds=settlement.settlement_period,
    )
    percents = (Decimal(rules.take_percent), rules.settlement_fee_percent)
    if rules.bid_deposit < 0 or not all(0 <= each < 100 for each in percents):
        raise NodeError(f"the node answers parameters that no chain has: {rules}")
    return rules


def gas_price_in(text: str) -> Decimal:
    """The uve in `0.025000000000000000uve`; a node that asks nothing gives 0."""
    if not text:
        return Decimal(0)
    for part in text.split(","):
        if found := _GAS_PRICE.fullmatch(part.strip()):
            return Decimal(found[1]).normalize()
    raise NodeError(f"the node takes fees in {text} only, not in {DENOM}")
