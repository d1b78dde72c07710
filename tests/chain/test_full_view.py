"""Parameters of the chain that decide about money: read as they are, refused where no chain has them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from reconciler.chain.full_view import MARKET_PARAMS, SETTLEMENT_PARAMS, TAKE_PARAMS, gas_price_in, read_rules
from reconciler.chain.node_errors import NodeError
from reconciler.chain.queries import Queries
from tests.contracts.chain_backends import ChainWorld


def take(percent: int) -> Callable[[Any], None]:
    def change(params: Any) -> None:
        del params.denom_take_rates[:]
        params.default_take_rate = percent

    return change


def fee(rate: str) -> Callable[[Any], None]:
    return lambda params: setattr(params, "platform_fee_rate", rate)


def deposit(amount: str) -> Callable[[Any], None]:
    return lambda params: setattr(params.bid_min_deposit, "amount", amount)


class Lying(Queries):
    """A node that answers as it is, but for one method's parameters."""

    def __init__(self, world: ChainWorld, path: str, change: Callable[[Any], None]) -> None:
        super().__init__(world.node)
        self._path, self._change = path, change

    def call(self, method: Any, request: Any) -> Any:
        answer = super().call(method, request)
        if method.path == self._path:
            self._change(answer.params)
        return answer


def test_the_simulated_chain_has_its_rules(world: ChainWorld) -> None:
    rules = read_rules(Queries(world.node))
    assert (rules.bid_deposit, rules.take_percent, rules.settlement_fee_percent) == (500_000, 2, Decimal(6))
    assert read_rules(Lying(world, TAKE_PARAMS.path, take(99))).take_percent == 99


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (TAKE_PARAMS.path, take(100)),
        (TAKE_PARAMS.path, take(2**32 - 1)),
        (SETTLEMENT_PARAMS.path, fee("1.5")),
        (SETTLEMENT_PARAMS.path, fee("-0.5")),
        (SETTLEMENT_PARAMS.path, fee("Infinity")),
        (MARKET_PARAMS.path, deposit("-1")),
    ],
)
def test_invalid_parameters_are_an_error(world: ChainWorld, path: str, change: Callable[[Any], None]) -> None:
    with pytest.raises(NodeError, match="impossible parameters"):
        read_rules(Lying(world, path, change))


def test_a_gas_price_in_another_denomination_is_ignored() -> None:
    assert gas_price_in("0.1uact,0.025uve") == gas_price_in("0.025uve")
    with pytest.raises(NodeError, match="not in uve"):
        gas_price_in("1uact")
