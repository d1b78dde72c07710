"""Prices within, at and beyond what the host file allows."""

from __future__ import annotations

from decimal import Decimal

from reconciler.values.bounds import PRICES, out_of_bounds
from reconciler.values.desired import Pricing
from reconciler.values.limits import Limits


def pricing(gpu: str) -> Pricing:
    one = Decimal(1)
    return Pricing(one, one, one, Decimal(gpu), Decimal(0))


LIMITS = Limits(price_min={"gpu": Decimal(5)}, price_max={"gpu": Decimal(9), "memory_mb": Decimal(1)})


def test_at_a_bound_is_within_it() -> None:
    for gpu in ("5", "7", "9"):
        assert [*out_of_bounds(pricing(gpu), LIMITS)] == []
    assert [*out_of_bounds(pricing("0"), Limits())] == []


def test_truncation_is_reported() -> None:
    assert [*out_of_bounds(pricing("4.9"), LIMITS)] == [
        ("gpu", "gpu is 4.9uve; the host file allows no less than 5uve")
    ]
    assert [*out_of_bounds(pricing("9.1"), LIMITS)] == [
        ("gpu", "gpu is 9.1uve; the host file allows no more than 9uve")
    ]


def test_every_price_can_have_a_bound() -> None:
    free = Limits(price_min={name: Decimal(100) for name in PRICES})
    assert [name for name, _ in out_of_bounds(pricing("1"), free)] == [*PRICES]
    assert set(PRICES) < set(Pricing.__slots__)
