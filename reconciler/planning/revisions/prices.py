"""The prices of revisions as they are in force: in uve at the current rate, with the discounts that the host
file allows. Prices whose rate cannot be used are not in force, so nothing is bid on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext
from functools import lru_cache

from reconciler.planning.planning_input import PlanningInput
from reconciler.planning.revisions.approvals import PRICE_CHANGE, HeldBreach, price_jumps
from reconciler.values.approvals import Approval, Breach
from reconciler.values.bounds import PRICES, out_of_bounds
from reconciler.values.desired import Desired, Pricing, Revision, Revisions
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory
from reconciler.values.money import DENOM, plain
from reconciler.values.plans import Hold, Reason
from reconciler.values.pricing import EXACT_PRICE
from reconciler.values.rates import ExchangeRate, RateSource
from reconciler.values.readings import Unseen
from reconciler.values.subjects import Subject
from reconciler.values.times import format_duration, utc_text

RATE_JUMP = "exchange_rate"
RATE_FACTOR_MAX = 10
"""A rate that moves so many times at once is more likely a fault than a market."""

RATE_STEP_PERCENT = 1
"""A rate that moves by less stays as it is, so that prices and status do not change with every reading."""

FUTURE_SECONDS = 300
"""How far ahead of the host's clock a rate may be."""

PRICING = Subject.of_file("pricing.yaml")


@dataclass(frozen=True, slots=True)
class PricesInForce:
    """The revisions with their prices in uve (None: not in force), the holds on their rate, the breaches that
    the owner may approve, and the rates that are in force.
    """

    revisions: Revisions
    holds: tuple[Hold, ...] = ()
    breaches: tuple[Breach, ...] = ()
    rates: Mapping[str, ExchangeRate] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RateDecision:
    """The rate in force, or why there is none."""

    rate: ExchangeRate | None
    held: HeldBreach | None = None
    why: str = ""


def prices_in_force(inputs: PlanningInput, revisions: Revisions, memory: Memory) -> PricesInForce:
    """Convert the prices of both revisions."""
    both = [each for each in (revisions.newest, revisions.applied) if each is not None]
    if all(_is_as_written(each.desired.pricing) for each in both):
        return PricesInForce(revisions, rates=memory.rates)
    rates, holds, breaches = dict(memory.rates), dict[Hold, None](), dict[Breach, None]()
    made: list[Revision] = []
    for each in both:
        desired, found, decision = _convert(each.desired, inputs, memory)
        made.append(replace(each, desired=desired))
        held = [*found, *([decision.held] if decision.held else [])]
        breaches |= dict.fromkeys(each.breach for each in held)
        holds |= dict.fromkeys(hold for each in held for hold in each.holds if not _is_approved(each, memory))
        if decision.why:
            holds[Hold(PRICING, Reason.RATE_UNUSABLE, decision.why, ours=True)] = None
        if decision.rate is not None and desired.pricing is not None and each.desired.pricing is not None:
            rates[each.desired.pricing.currency] = decision.rate
    applied = made[1] if len(made) > 1 else None
    same = rates == memory.rates
    return PricesInForce(
        replace(revisions, newest=made[0], applied=applied),
        tuple(holds),
        tuple(breaches),
        memory.rates if same else rates,
    )


def pricing_in_force(pricing: Pricing, limits: Limits, rate: Decimal = Decimal(1)) -> Pricing:
    """The prices in uve at a rate, with the host file's limit of discounts; equal inputs give one object."""
    return pricing if _is_as_written(pricing) else _converted(pricing, limits.factor_min, rate)


def rate_decision(currency: str, inputs: PlanningInput, memory: Memory, revision: str) -> RateDecision:
    """The rate of a currency, if it can be used."""
    source, last = inputs.limits.rate, memory.rates.get(currency)
    if why := _unusable(source, currency, inputs.now):
        return RateDecision(None, why=f"prices are in {currency}; {why}; nothing is bid on")
    assert source is not None, "a rate is usable"
    assert not isinstance(source.reading, Unseen), "a rate is usable"
    found = source.reading.view
    if last is None:
        return RateDecision(found)
    if abs(found.uve - last.uve) * 100 < last.uve * RATE_STEP_PERCENT:
        return RateDecision(replace(last, at=found.at))
    if last.uve * RATE_FACTOR_MAX > found.uve > last.uve / RATE_FACTOR_MAX:
        return RateDecision(found)
    jump = f"1{currency} goes from {plain(last.uve)}{DENOM} to {plain(found.uve)}{DENOM}"
    breach = Breach(revision, RATE_JUMP, f"{RATE_FACTOR_MAX} times", (jump,))
    remedy = f"correct the rate's file, or approve it: `{breach.command}` on the host"
    why = f"{jump} at once; nothing is bid on: {remedy}"
    hold = Hold(PRICING, Reason.RATE_UNUSABLE, why, ours=True, approval=breach.digest)
    held = HeldBreach(breach, (hold,))
    return RateDecision(found if _is_approved(held, memory) else None, held)


def _unusable(source: RateSource | None, currency: str, now: int) -> str:
    """Why a rate cannot be used: what, where, what to do; "" if it can."""
    if source is None:
        return "the host file names no rate: add rate, or write the prices in uve"
    if source.currency != currency:
        return f"the host file's rate is for {source.currency}: change rate.currency, or the prices"
    if isinstance(source.reading, Unseen):
        return source.reading.why
    at = source.reading.view.at
    if now - at > source.max_age_seconds:
        oldest = format_duration(source.max_age_seconds)
        return f"the rate is of {utc_text(at)}, older than {oldest} (rate.max_age): renew its file"
    if at - now > FUTURE_SECONDS:
        return (
            f"the rate is of {utc_text(at)}, in the future: correct the clock of this host or of its source"
        )
    return ""


def _convert(
    desired: Desired, inputs: PlanningInput, memory: Memory
) -> tuple[Desired, list[HeldBreach], RateDecision]:
    """The revision with prices in uve; without them if the rate, or a bound that it breaks, forbids that.

    The bounds of a revision that comes into force are checked when it is admitted.
    """
    pricing, limits = desired.pricing, inputs.limits
    if _is_as_written(pricing) or pricing is None:
        return desired, [], RateDecision(None)
    if pricing.currency == DENOM:
        return replace(desired, pricing=pricing_in_force(pricing, limits)), [], RateDecision(None)
    decision = rate_decision(pricing.currency, inputs, memory, desired.commit)
    if decision.rate is None:
        return replace(desired, pricing=None), [], decision
    converted = replace(desired, pricing=pricing_in_force(pricing, limits, decision.rate.uve))
    if desired.commit != memory.applied:
        return converted, [], decision
    assert converted.pricing is not None, "it was just converted"
    if outside := [why for _, why in out_of_bounds(converted.pricing, limits)]:
        why = f"at {plain(decision.rate.uve)}uve for 1{pricing.currency}, {outside[0]}; nothing is bid on"
        return replace(desired, pricing=None), [], replace(decision, why=why)
    held = _moved_too_far(converted, pricing.currency, inputs, memory)
    is_held = any(not _is_approved(each, memory) for each in held)
    return replace(converted, pricing=None) if is_held else converted, held, decision


def _moved_too_far(
    converted: Desired, currency: str, inputs: PlanningInput, memory: Memory
) -> list[HeldBreach]:
    """Whether the rate moves a price further than the host file allows within the window."""
    jumps = dict(price_jumps((converted, converted), memory, inputs.limits, inputs.now))
    if not jumps:
        return []
    percent = inputs.limits.price_change_percent
    breach = Breach(converted.commit, PRICE_CHANGE, str(percent), tuple(jumps))
    remedy = f"nothing is bid on until it is back, the window is over, or `{breach.command}` on the host"
    holds = tuple(
        Hold(
            PRICING,
            Reason.PRICE_JUMP,
            f"by the rate of {currency}, {jump}, more than the {percent} % of the host file{since}; {remedy}",
            ours=True,
            approval=breach.digest,
        )
        for jump, since in jumps.items()
    )
    return [HeldBreach(breach, holds)]


def _is_approved(held: HeldBreach, memory: Memory) -> bool:
    approvals: Mapping[str, Approval] = memory.approvals
    return held.breach.digest in approvals


def _is_as_written(pricing: Pricing | None) -> bool:
    return pricing is None or (pricing.currency == DENOM and not pricing.multipliers)


@lru_cache(maxsize=8)
def _converted(pricing: Pricing, factor_min: Decimal, rate: Decimal) -> Pricing:
    if rate == 1:
        return replace(pricing, factor_min=factor_min, currency=DENOM)
    with localcontext(EXACT_PRICE):
        single = {name: getattr(pricing, name) * rate for name in PRICES}
        models = tuple((model, each * rate) for model, each in pricing.gpu_models)
        classes = tuple((name, each * rate) for name, each in pricing.storage_classes)
    return replace(
        pricing,
        **single,
        gpu_models=models,
        storage_classes=classes,
        factor_min=factor_min,
        currency=DENOM,
    )
