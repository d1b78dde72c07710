from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.planning.money.fees import Fees
from reconciler.values.desired import Multiplier, Pricing, Rounding
from reconciler.values.gpus import GpuModel, gpu_of_key
from reconciler.values.observed import Order
from reconciler.values.pricing import ACCEPTED_MODELS, as_ordered, cost_price, items, price
from reconciler.values.resources import (
    MB,
    STORAGE_CLASSES,
    Attribute,
    Endpoint,
    Resources,
    ResourceUnit,
    Volume,
)
from tests.makers import PRICING, order, order_id, unit

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
    assert price(order(1, unit(count=count)).demand, pricing) == expected


def test_the_sheets_own_prices_make_everything_cost_one_uve() -> None:
    assert price(order().demand, SHEET) == 1


def test_rounding_none_keeps_the_fraction() -> None:
    exact = replace(PRICING, rounding=Rounding.NONE)
    assert price(order().demand, exact) == Decimal("2445.36")


def test_fees_before_a_lease_earns_and_the_time_to_earn_them_back() -> None:
    assert FEES.lease_costs == 8_642
    hours = FEES.break_even_blocks(Decimal(1), 2) * 5 / 3600
    assert round(hours, 1) == 12.2


NAMES = st.sampled_from(("", "nvidia", "amd"))
MODELS = st.builds(
    GpuModel,
    NAMES,
    st.sampled_from(("", "a", "b")),
    st.sampled_from(("", "1", "2")),
    st.sampled_from(("", "x")),
)
AMOUNTS = st.decimals(0, 100, places=4).map(abs)
TENANTS = st.sampled_from(("", "ve1a", "ve1b"))
ATTRIBUTES = st.sampled_from((None, ("region", "eu"), ("tier", "spot")))
TABLES = st.builds(
    Pricing,
    *[AMOUNTS] * 4,
    profit_margin=st.decimals(0, 2, places=3).map(abs),
    rounding=st.sampled_from(Rounding),
    rounding_step=st.sampled_from((1, 10)),
    gpu_models=st.dictionaries(MODELS.filter(lambda model: model.named_fields > 0), AMOUNTS, max_size=4).map(
        lambda found: tuple(found.items())
    ),
    storage_classes=st.dictionaries(st.sampled_from(STORAGE_CLASSES), AMOUNTS, max_size=3).map(
        lambda found: tuple(found.items())
    ),
    endpoint=AMOUNTS,
    leased_ip=AMOUNTS,
    minimum=st.sampled_from((Decimal(0), Decimal("55.5"))),
    multipliers=st.lists(
        st.builds(Multiplier, st.integers(1, 300).map(lambda n: Decimal(n) / 100), TENANTS, ATTRIBUTES),
        max_size=4,
    ).map(tuple),
    factor_min=st.sampled_from((Decimal("0.5"), Decimal("0.9"), Decimal(1))),
)
UNITS = st.lists(
    st.builds(
        lambda count, cpu, volumes, gpu, ends: unit(
            count=count, cpu=cpu, storage=volumes, gpu=gpu[0], gpu_attributes=gpu[1], endpoints=ends
        ),
        st.integers(1, 3),
        st.integers(1, 64_000),
        st.lists(
            st.builds(
                lambda size, name: Volume("v", size, (("class", name),) if name else ()),
                st.integers(1, 1 << 40),
                st.sampled_from(("", *STORAGE_CLASSES)),
            ),
            max_size=3,
        ).map(tuple),
        st.one_of(
            st.just((0, ())),
            st.tuples(
                st.integers(1, 4),
                st.lists(MODELS, min_size=1, max_size=2).map(
                    lambda found: tuple((_key(model), "true") for model in found)
                ),
            ),
        ),
        st.lists(st.builds(Endpoint, st.integers(0, 2), st.integers(0, 2)), max_size=4).map(tuple),
    ),
    min_size=1,
    max_size=3,
)


def _key(model: GpuModel) -> str:
    names = zip(("vendor", "model", "ram", "interface"), model.fields, strict=True)
    return "/".join(f"{name}/{value or '*'}" for name, value in names)


def _gpu_fraction(asked: GpuModel, pricing: Pricing) -> Fraction:
    """By enumeration: what a GPU of each property may cost, from the definition of the table."""
    exact = [price for model, price in pricing.gpu_models if model == asked]
    if exact:
        return Fraction(exact[0])
    wider = [(model.named_fields, price) for model, price in pricing.gpu_models if _within(asked, model)]
    base = Fraction(max(wider)[1] if wider else pricing.gpu)
    others = [
        price for model, price in pricing.gpu_models if _may_be(asked, model) and not _within(asked, model)
    ]
    return max([base, *map(Fraction, others)])


def _within(asked: GpuModel, entry: GpuModel) -> bool:
    return all(not e or e == a for a, e in zip(asked.fields, entry.fields, strict=True))


def _may_be(asked: GpuModel, entry: GpuModel) -> bool:
    return all(not e or not a or e == a for a, e in zip(asked.fields, entry.fields, strict=True))


def _by_hand(asked: Order, pricing: Pricing) -> Fraction:
    """The price from the order's own units, in fractions, written without the code under test."""
    classes, total, addresses = dict(pricing.storage_classes), Fraction(0), set()
    for each in asked.units:
        one = each.cpu_milli * Fraction(pricing.cpu_millicores)
        one += Fraction(each.memory_bytes, 2**20) * Fraction(pricing.memory_mb)
        for volume in each.storage:
            rate = classes.get(dict(volume.attributes).get("class", ""), pricing.storage_mb)
            one += Fraction(volume.size_bytes, 2**20) * Fraction(rate)
        models = [gpu_of_key(key) for key, _ in each.gpu_attributes]
        one += each.gpu * max((_gpu_fraction(model, pricing) for model in models), default=Fraction(0))
        total += each.count * one
        total += sum(1 for end in each.endpoints if end.kind < 2) * Fraction(pricing.endpoint)
        addresses |= {end.sequence_number for end in each.endpoints if end.kind == 2}
    total += len(addresses) * Fraction(pricing.leased_ip)
    factor = Fraction(1)
    for each_factor in pricing.multipliers:
        is_theirs = not each_factor.tenant or each_factor.tenant == asked.id.owner
        if is_theirs and (each_factor.attribute is None or each_factor.attribute in asked.attributes):
            factor *= Fraction(each_factor.factor)
    factor = max(factor, Fraction(pricing.factor_min)) if pricing.multipliers else factor
    exact = max(total * (1 + Fraction(pricing.profit_margin)) * factor, Fraction(pricing.minimum))
    step = Fraction(pricing.rounding_step) if pricing.rounding is Rounding.UP else Fraction(1, 10**18)
    return ceil(exact / step) * step


@settings(max_examples=50)
@given(
    UNITS,
    TABLES,
    st.sampled_from(("ve1a", "ve1b", "ve1c")),
    st.lists(ATTRIBUTES.filter(bool), max_size=2, unique=True),
)
def test_a_price_is_exact_and_rounded_once(
    units: list[ResourceUnit], pricing: Pricing, tenant: str, attributes: list[Attribute]
) -> None:
    asked = order(1, *units, id=order_id(1, tenant), attributes=attributes)
    found = price(asked.demand, pricing)

    assert found == _by_hand(asked, pricing)

    undiscounted = price(asked.demand, replace(pricing, multipliers=()))
    step = Fraction(pricing.rounding_step) if pricing.rounding is Rounding.UP else Fraction(1, 10**18)
    least = Fraction(undiscounted) * Fraction(pricing.factor_min)
    assert Fraction(found) + step >= least, "discounts beyond the host's ceiling"
    assert cost_price(asked.demand, pricing) <= found
    lines = sum((Fraction(line.cost) for line in items(asked.demand.resources, pricing)), Fraction(0))
    plain = replace(
        pricing, profit_margin=Decimal(0), multipliers=(), minimum=Decimal(0), rounding=Rounding.NONE
    )
    assert lines <= Fraction(price(asked.demand, plain)) < lines + Fraction(1, 10**18)


A100, H100 = GpuModel("nvidia", "a100"), GpuModel("nvidia", "h100", "80Gi")
GPUS = replace(PRICING, gpu_models=((A100, Decimal(5000)), (H100, Decimal(9000))))


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["vendor/nvidia/model/a100"], 5000),
        (["vendor/nvidia/model/a100/ram/80Gi"], 5000),
        (["vendor/NVIDIA/model/A100"], 5000),
        (["vendor/nvidia/model/t4"], 1000),
        (["vendor/nvidia/model/h100"], 9000),
        (["vendor/nvidia/model/h100/ram/40Gi"], 1000),
        (["vendor/nvidia/model/*"], 9000),
        (["vendor/nvidia/model/a1?0"], 9000),
        (["*/nvidia/*/h100"], 9000),
        (["anything"], 9000),
        (["vendor/nvidia/model/a100", "vendor/nvidia/model/t4"], 5000),
        ([], 9000),
        ([f"vendor/amd/model/m{n}" for n in range(ACCEPTED_MODELS)], 1000),
        ([f"vendor/amd/model/m{n}" for n in range(ACCEPTED_MODELS + 1)], 9000),
    ],
)
def test_an_order_cannot_word_its_gpu_to_pay_less(keys: list[str], expected: int) -> None:
    asked = order(1, unit(gpu=1, gpu_attributes=tuple((key, "true") for key in keys)))
    gpus = [line for line in items(asked.demand.resources, GPUS) if line.name.startswith("gpu")]
    assert [(line.count, line.price) for line in gpus] == [(Decimal(1), Decimal(expected))]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ((("class", "beta3"),), "storage beta3"),
        ((("clas?", "beta3"),), "storage beta3"),
        ((("*", "false"), ("class", "beta3")), "storage beta3"),
        ((("class", "beta1"),), "storage"),
        ((), "storage"),
    ],
)
def test_an_order_cannot_word_its_storage_to_pay_less(
    attributes: tuple[Attribute, ...], expected: str
) -> None:
    pricing = replace(PRICING, storage_classes=(("beta3", Decimal(7)),))
    asked = order(1, unit(storage=(Volume("data", 1024 * MB, attributes),)))
    assert [line.name for line in items(asked.demand.resources, pricing)][2] == expected


@pytest.mark.parametrize(("wanted", "costs_more"), [("region", True), ("regio?", True), ("zone", False)])
def test_a_surcharge_applies_however_the_order_words_its_attribute(wanted: str, costs_more: bool) -> None:
    pricing = replace(PRICING, multipliers=(Multiplier(Decimal(2), attribute=("region", "eu")),))
    asked = order(1, attributes=((wanted, "eu"),))
    assert (price(asked.demand, pricing) > price(asked.demand, PRICING)) is costs_more


BETA3 = replace(PRICING, storage_classes=(("beta1", Decimal("0.05")), ("beta3", Decimal(2))))
T4 = GpuModel("nvidia", "t4")
DEAR_AND_CHEAP = replace(PRICING, gpu_models=((A100, Decimal(5000)), (T4, Decimal(800))))


@pytest.mark.parametrize(
    ("used", "ordered", "pricing", "named"),
    [
        (
            Resources(storage_bytes=10),
            Resources(storage_bytes=10, storage_classes=(("beta3", 10),)),
            BETA3,
            "beta3 10",
        ),
        (
            Resources(storage_bytes=4),
            Resources(storage_bytes=10, storage_classes=(("beta3", 7),)),
            BETA3,
            "beta3 1",
        ),
        (
            Resources(storage_bytes=4),
            Resources(storage_bytes=9, storage_classes=(("beta1", 3), ("beta3", 3))),
            BETA3,
            "beta1 3",
        ),
        (
            Resources(storage_bytes=5, storage_classes=(("beta3", 3),)),
            Resources(storage_bytes=9, storage_classes=(("beta3", 4),)),
            BETA3,
            "beta3 3",
        ),
        (
            Resources(storage_bytes=9),
            Resources(storage_bytes=5, storage_classes=(("beta3", 5),)),
            BETA3,
            "beta3 5",
        ),
        (Resources(gpu=1), Resources(gpu=3, gpu_models=(((A100,), 1), ((T4,), 2))), DEAR_AND_CHEAP, "t4 1"),
        (
            Resources(gpu=3),
            Resources(gpu=3, gpu_models=(((A100,), 1), ((T4,), 2))),
            DEAR_AND_CHEAP,
            "a100 1, t4 2",
        ),
        (Resources(gpu=1), Resources(gpu=1, gpu_models=(((A100, T4), 1),)), DEAR_AND_CHEAP, "a100|t4 1"),
        (Resources(gpu=2, storage_bytes=3), Resources(), DEAR_AND_CHEAP, ""),
    ],
)
def test_what_runs_without_a_kind_is_billed_as_ordered_the_cheapest_first(
    used: Resources, ordered: Resources, pricing: Pricing, named: str
) -> None:
    found = as_ordered(used, ordered, pricing)
    models = (("|".join(each.model for each in kind), count) for kind, count in found.gpu_models)
    assert ", ".join(f"{kind} {count}" for kind, count in (*found.storage_classes, *models)) == named
    assert found.amounts == used.amounts
