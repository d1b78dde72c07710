"""Prices in another currency: in force at a usable rate, within the bounds of the host file, else held."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.planning.revisions.prices import pricing_in_force
from reconciler.values.approvals import Approval
from reconciler.values.bounds import ROUNDING, unit_prices
from reconciler.values.desired import Desired, Revision, Revisions
from reconciler.values.gpus import GpuModel
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory
from reconciler.values.messages import CreateBid
from reconciler.values.plans import Plan, Reason, SendTransaction
from reconciler.values.rates import ExchangeRate, RateSource
from reconciler.values.readings import Seen, Unseen
from tests.makers import NOW, PRICING, desired, market, order, planning_input, remembered, unit

DAY = 86_400
IN_USD = replace(
    PRICING,
    # names of unit prices are fields of Pricing
    **{name: each / 40 for name, each in unit_prices(PRICING).items() if name != ROUNDING},  # type: ignore[arg-type]
    gpu_models=((GpuModel("nvidia", "a100"), Decimal(100)),),
    currency="usd",
)


def source(uve: str | int, age: int = 0, currency: str = "usd") -> RateSource:
    return RateSource(currency, DAY, Seen(ExchangeRate(Decimal(uve), NOW - age)))


def given_(rate: RateSource | None, memory: Memory | None = None, **limits: object) -> PlanningInput:
    wanted: Desired = desired(pricing=IN_USD, valid_blobs={"pricing.yaml": "b"})
    return planning_input(
        market(orders=[order(1, unit(price=900_000))]),
        Seen(Revisions(Revision(wanted))),
        memory=memory or remembered(),
        limits=Limits(rate=rate, **limits),  # type: ignore[arg-type]  # each case names its fields
    )


def bids(made: Plan) -> list[Decimal]:
    sent = [each for each in made.actions if isinstance(each, SendTransaction)]
    return [m.price for each in sent for m in each.messages if isinstance(m, CreateBid)]


def held(made: Plan) -> list[str]:
    return [h.message for h in made.holds if h.reason in (Reason.RATE_UNUSABLE, Reason.PRICE_JUMP) and h.ours]


def test_prices_are_bid_in_uve_and_the_rate_is_remembered() -> None:
    made = plan(given_(source(40)))
    assert bids(made) == [Decimal(2446)]
    assert made.memory.rates == {"usd": ExchangeRate(Decimal(40), NOW)}
    assert made.memory.pricing is not None
    assert made.memory.pricing.cpu_millicores == 1


@pytest.mark.parametrize(
    ("rate", "why"),
    [
        (None, "the host file names no rate: add rate, or write the prices in uve"),
        (source(40, currency="eur"), "the host file's rate is for eur: change rate.currency, or the prices"),
        (source(40, age=DAY + 1), "older than 1d (rate.max_age): renew its file"),
        (source(40, age=-400), "in the future: correct the clock"),
        (
            RateSource("usd", DAY, Unseen("/etc/usd:1:1: the rate is 0 (write it)")),
            "/etc/usd:1:1: the rate is 0",
        ),
    ],
)
def test_a_rate_that_cannot_be_used_is_a_hold(rate: RateSource | None, why: str) -> None:
    first = plan(given_(source(40))).memory
    made = plan(given_(rate, first))
    assert bids(made) == []
    [message] = held(made)
    assert message.startswith("prices are in usd; ")
    assert why in message
    assert [h.message for h in made.holds if h.reason is Reason.NO_PRICE] == [
        "no rate converts the prices of pricing.yaml to uve now"
    ]
    assert made.memory.pricing == first.pricing, "what runs is billed at the prices that were in force"


@pytest.mark.parametrize("jump", ["400", "4"])
def test_a_tenfold_jump_is_held_until_it_is_approved(jump: str) -> None:
    first = replace(plan(given_(source(40))).memory, sequence=None, last_batch="")
    made = plan(given_(source(jump), first))
    assert bids(made) == []
    [message] = held(made)
    assert message.startswith(
        f"1usd goes from 40uve to {jump}uve at once; nothing is bid on: correct the rate's file"
    )
    assert made.memory.rates == first.rates
    [breach] = made.memory.approvable.values()
    again = replace(given_(source(jump), made.memory), approvals=(Approval(breach, "olga", NOW),))
    assert plan(again).memory.rates["usd"].uve == Decimal(jump)


def test_a_rate_does_not_evade_the_bound_of_price_changes() -> None:
    """Without a commit, step by step: the window bounds what the rate may do in a day."""
    first = plan(given_(source(40), price_change_percent=50)).memory
    half = plan(given_(source(21), first, price_change_percent=50)).memory
    assert half.rates["usd"].uve == 21
    made = plan(given_(source(15), half, price_change_percent=50))
    assert made.memory.rates == half.rates
    assert any(
        message.startswith(
            "by the rate of usd, cpu_millicores with its margin goes from 0.60375uve to 0.43125uve"
        )
        and "more than the 50 % of the host file within 1d, in which it was 1.15uve" in message
        for message in held(made)
    )


def test_a_rate_does_not_evade_the_bounds_of_prices() -> None:
    floor = {"gpu": Decimal(900)}
    first = plan(given_(source(40), price_min=floor)).memory
    made = plan(given_(source(30), first, price_min=floor))
    [message] = held(made)
    assert "gpu is 750uve; the host file allows no less than 900uve; nothing is bid on" in message
    assert made.revision == first.applied, "the commit stays in force"


def test_a_small_move_changes_nothing() -> None:
    """Or the status would have a commit for every reading."""
    first = plan(given_(source(40))).memory
    made = plan(given_(source("40.39"), first))
    assert made.memory.rates["usd"].uve == 40
    assert plan(given_(source("40.41"), first)).memory.rates["usd"].uve == Decimal("40.41")


@settings(max_examples=30)
@given(st.decimals("0.000000000000000001", 10**12, places=18), st.decimals(0, 10**12, places=18))
def test_a_conversion_is_exact(rate: Decimal, price: Decimal) -> None:
    written = replace(IN_USD, gpu=price, gpu_models=((GpuModel("amd"), price),))
    found = pricing_in_force(written, Limits(), rate)
    assert Fraction(found.gpu) == Fraction(price) * Fraction(rate)
    assert found.gpu_models[0][1] == found.gpu
    assert found.currency == "uve"
