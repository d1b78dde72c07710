from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.planning.money.fees import Fees
from reconciler.values.desired import Pricing, Rounding
from reconciler.values.pricing import group_price
from tests.makers import PRICING, unit

SHEET = Pricing(
    Decimal("0.000001"), Decimal("0.0000001"), Decimal("0.00000001"), Decimal("0.001"), Decimal("0.15")
)
FEES = Fees(Decimal("0.025"))


@pytest.mark.parametrize(
    ("cpu_price", "count", "expected"),
    [("1", 1, 2446), ("1.25", 1, 2733), ("1", 2, 4891)],
)
def test_one_rounding_up_and_last(cpu_price: str, count: int, expected: int) -> None:
    pricing = replace(PRICING, cpu_millicores=Decimal(cpu_price))
    assert group_price((unit(count=count),), pricing) == expected


def test_the_sheets_own_prices_make_everything_cost_one_uve() -> None:
    assert group_price((unit(),), SHEET) == 1


def test_rounding_none_keeps_the_fraction() -> None:
    exact = replace(PRICING, rounding=Rounding.NONE)
    assert group_price((unit(),), exact) == Decimal("2445.36")


def test_fees_before_a_lease_earns_and_the_time_to_earn_them_back() -> None:
    assert FEES.lease_costs == 8_642
    hours = FEES.break_even_blocks(Decimal(1), 2) * 5 / 3600
    assert round(hours, 1) == 12.2
