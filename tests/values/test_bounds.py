"""Prices within, at and beyond what the host file allows."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from reconciler.values.bounds import PRICES, out_of_bounds
from reconciler.values.desired import Multiplier, Pricing
from reconciler.values.gpus import GpuModel
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


def told(changed: Pricing, limits: Limits = LIMITS) -> list[str]:
    return [why for _, why in out_of_bounds(changed, limits)]


def test_tables_and_multipliers_stay_within_the_bounds() -> None:
    """Otherwise an entry of a table, or a discount, would sell what the host file protects."""
    good = pricing("7")
    dear = replace(good, gpu_models=((GpuModel("nvidia", "a100"), Decimal(10)),))
    assert told(dear) == ["gpu_models.nvidia/a100 is 10uve; the host file allows no more than 9uve"]
    cheap = replace(good, storage_classes=(("ram", Decimal(1)),))
    stored = Limits(price_min={"storage_mb": Decimal(1)})
    assert told(cheap, stored) == []
    assert told(replace(cheap, storage_classes=(("ram", Decimal("0.5")),)), stored) == [
        "storage_classes.ram is 0.5uve; the host file allows no less than 1uve"
    ]
    discounted = replace(
        good, multipliers=(Multiplier(Decimal("0.8"), "ve1a"), Multiplier(Decimal("0.8"), "ve1a"))
    )
    assert told(discounted) == []
    assert told(replace(discounted, gpu=Decimal(6))) == [
        "gpu is 6uve, with margin and discounts as little as 4.5uve; the host file allows no less than 5uve"
    ]
    surcharged = replace(good, multipliers=(Multiplier(Decimal(2), attribute=("region", "eu")),))
    assert "gpu is 7uve, with margin and surcharges up to 14uve; the host file allows no more than 9uve" in (
        told(surcharged)
    )
    assert told(
        replace(good, gpu=Decimal("8.6"), profit_margin=Decimal("0.1")), Limits(price_max={"gpu": Decimal(9)})
    ) == ["gpu is 8.6uve, with margin and surcharges up to 9.46uve; the host file allows no more than 9uve"]
    assert told(replace(good, rounding_step=10), Limits(price_max={"minimum": Decimal(9)})) == [
        "rounding is 10uve; the host file allows no more than 9uve"
    ]
    assert told(replace(good, multipliers=(Multiplier(Decimal("0.7"), "ve1a"),))) == [
        "70 percent is too little; the host file allows at least 75 (discount_percent_max)"
    ]
