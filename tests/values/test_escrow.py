from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from reconciler.values.escrow import blocks_left, due_gross
from reconciler.values.ids import LeaseId, OrderId
from reconciler.values.money import accrued
from reconciler.values.observed import EscrowAccount, Payment, State
from tests.makers import ALICE, US, account, lease


def payments(*rates: str) -> EscrowAccount:
    made = [
        Payment(LeaseId(OrderId(ALICE, 1, n, 1), US), State.OPEN, Decimal(rate), Decimal(0), Decimal(0), 0)
        for n, rate in enumerate(rates, 1)
    ]
    one = account(lease())
    return replace(one, settled_at=100, payments=tuple(made))


def test_funds_that_pay_exactly_are_not_exhausted() -> None:
    """Five blocks of 100000 on 500000 leave nothing and are not overdrawn (semantics 4.2)."""
    five = replace(payments("100000"), funds=Decimal(500_000))
    assert blocks_left(five, 105) == 0
    assert blocks_left(five, 106) == -1
    assert due_gross(five, five.payments[0].lease, 105) == 500_000


def test_earlier_payments_eat_the_later_ones_money() -> None:
    """6 blocks of 60000 and 90000 on 440000: 360000 and 80000; 260000 if drawn after three (semantics 4.2,
    4.6).
    """
    two = replace(payments("60000", "90000"), funds=Decimal(440_000))
    first, second = (p.lease for p in two.payments)
    assert (due_gross(two, first, 106), due_gross(two, second, 106)) == (360_000, 80_000)
    assert due_gross(two, second, 103) == 260_000
    assert due_gross(two, second, 108) == 0


def test_fractions_are_truncated_at_each_settle() -> None:
    assert [accrued(Decimal("0.4"), n) for n in (1, 2, 3, 4)] == [0, 0, 1, 1]
    assert [accrued(Decimal("1.3"), n) for n in (5, 1)] == [6, 1]


def test_nothing_drains_an_account_without_open_payments() -> None:
    one = payments("5")
    ended = replace(one, payments=(replace(one.payments[0], state=State.CLOSED),))
    assert blocks_left(ended, 200) is None


rates = st.lists(
    st.decimals("0.000001", "5", places=6, allow_nan=False, allow_infinity=False), min_size=1, max_size=4
)


@given(rates, st.integers(0, 60), st.integers(0, 20))
def test_blocks_left_is_the_largest_number_that_the_funds_pay(
    drawn: list[Decimal], funds: int, passed: int
) -> None:
    several = replace(payments(*map(str, drawn)), funds=Decimal(funds))
    left = blocks_left(several, 100 + passed)
    assert left is not None
    n = left + passed
    assert sum(accrued(r, n) for r in drawn) <= funds
    assert sum(accrued(r, n + 1) for r in drawn) > funds


def test_the_smallest_rate_on_large_funds_has_an_end() -> None:
    assert blocks_left(replace(payments("1e-18"), funds=Decimal(10**12)), 100) == 10**30 + 10**18 - 1
