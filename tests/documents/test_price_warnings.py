"""Prices that are valid and most likely not meant."""

from decimal import Decimal

from reconciler.documents.price_warnings import price_warnings
from reconciler.documents.strict import read_yaml
from reconciler.values.desired import Pricing, Rounding

DOCUMENT = read_yaml("pricing.yaml", b"\npricing: {}\n")


def warned(price: str, rounding: Rounding = Rounding.UP) -> list[str]:
    every = Decimal(price)
    pricing = Pricing(every, every, every, every, Decimal("0.15"), rounding)
    return [fault.show() for fault in price_warnings(DOCUMENT, pricing)]


def test_prices_that_tell_workloads_apart_are_fine() -> None:
    assert warned("0.1") == []


def test_prices_that_round_to_one_are_told() -> None:
    (message,) = warned("0.0000001")
    assert message == (
        "pricing.yaml:2:1: warning: pricing: at these prices everything costs 1uve a block, up to 64 cores "
        "with 256 GiB (a bid is rounded up to whole uve; raise the prices)"
    )
    assert warned("0.0000001", Rounding.NONE) == []


def test_prices_of_nothing_are_told() -> None:
    (message,) = warned("0")
    assert "everything is free; the chain takes no bid of 0uve" in message
