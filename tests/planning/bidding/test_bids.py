from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.desired import Bidding, Config
from reconciler.values.ids import OrderId
from reconciler.values.limits import Limits
from reconciler.values.machines import Capacity, Machine
from reconciler.values.memory import Retry, WalletLedger
from reconciler.values.messages import CreateBid
from reconciler.values.observed import AdapterView, Order, ProviderRecord, State, Wallet
from reconciler.values.plans import Reason, SendTransaction
from reconciler.values.readings import Seen, Unseen
from reconciler.values.resources import MB, Attribute, Endpoint, Resources, Volume
from reconciler.values.subjects import EffectKey
from tests.makers import (
    ALICE,
    NOW,
    PRICING,
    US,
    adapter,
    bid,
    capacity_of,
    desired,
    lease_id,
    market,
    order,
    order_id,
    planning_input,
    remembered,
    unit,
)


def bids_of(given: PlanningInput) -> list[CreateBid]:
    return [
        m
        for a in plan(given).actions
        if isinstance(a, SendTransaction)
        for m in a.messages
        if isinstance(m, CreateBid)
    ]


def reason_for(given: PlanningInput, dseq: int = 1) -> Reason | None:
    return next((h.reason for h in plan(given).holds if h.subject.name == str(order_id(dseq))), None)


def with_order(*asked: Order, **changes: Any) -> PlanningInput:
    return planning_input(market(orders=asked or (order(),)), **changes)


def test_an_order_that_fits_is_bid_at_our_price_with_its_units_repeated() -> None:
    asked = order(1, unit(count=1))
    [made] = bids_of(with_order(asked))
    assert (made.id, made.price, made.deposit, made.units) == (
        lease_id(1),
        Decimal(2446),
        500_000,
        asked.units,
    )


def test_a_usage_billed_order_is_bid_at_the_minimum() -> None:
    [made] = bids_of(with_order(order(attributes=[("billing", "usage")])))
    assert made.price == 1


def test_an_order_with_our_bid_gets_no_second_one() -> None:
    assert bids_of(planning_input(market(orders=[order()], bids=[bid()]))) == []


def config(**changes: Any) -> PlanningInput:
    changed = replace(Bidding(), **changes)
    return with_order(wanted=desired(config=Config(bidding=changed)))


def busy(**changes: Any) -> PlanningInput:
    limits = replace(Limits(), **changes)
    return with_order(limits=limits)


NO_PROVIDER = planning_input(market(orders=[order()], provider=None))
SPENT = with_order(memory=remembered(ledger=WalletLedger(spent=((NOW - 10, 49_900_000),))))
UNSEEN_CLUSTER = with_order(adapters={"kubernetes": AdapterView(Unseen("no"), Unseen("refused"))})
STRANGE_CLUSTER = with_order(adapters={"kubernetes": AdapterView(Unseen("no"), Unseen("401", "AuthFailure"))})
SMALL_NODES = with_order(
    adapters={
        "kubernetes": AdapterView(Seen({}), Seen(capacity_of(*[Resources(500, 4096 * MB, 90_000 * MB)] * 16)))
    }
)
RETRY = Retry(1, None, "ChainRefused", "invalid bid: bid exists")
REFUSED = with_order(memory=remembered(retries={EffectKey.parse(f"CreateBid:{lease_id(1)}"): RETRY}))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (with_order(order(1, unit(price=100))), Reason.PRICE_TOO_LOW),
        (with_order(order(1, unit(cpu=100_000, price=200_000))), Reason.NO_CAPACITY),
        (SMALL_NODES, Reason.NO_CAPACITY),
        (with_order(order(deployment_state=State.CLOSED)), Reason.DEPLOYMENT_CLOSED),
        (with_order(order(group_state=State.PAUSED)), Reason.DEPLOYMENT_CLOSED),
        (with_order(order(attributes=[("region", "us")])), Reason.ATTRIBUTES_MISSING),
        (with_order(order(signed_by_all=frozenset({"ve1auditor"}))), Reason.NOT_AUDITED),
        (with_order(order(signed_by_any=frozenset({"ve1auditor"}))), Reason.NOT_AUDITED),
        (with_order(order(1, unit(denom="uact"))), Reason.FOREIGN_DENOMINATION),
        (
            with_order(order(1, unit(gpu=1, gpu_attributes=(("vendor/nvidia/model/a100", "true"),)))),
            Reason.ATTRIBUTES_MISSING,
        ),
        (config(enabled=False), Reason.BIDDING_OFF),
        (config(owners_denied=frozenset({ALICE})), Reason.OWNER_DENIED),
        (config(owners_allowed=frozenset({"ve1bob"})), Reason.OWNER_DENIED),
        (config(break_even_seconds=1), Reason.BREAK_EVEN),
        (with_order(wanted=desired(pricing=None)), Reason.NO_PRICE),
        (with_order(wanted=desired(pricing=replace(PRICING, profit_margin=Decimal(-1)))), Reason.NO_PRICE),
        (NO_PROVIDER, Reason.NOT_REGISTERED),
        (planning_input(market(orders=[order()], wallet=Wallet(US, 4, 7, 1_200_000))), Reason.NO_BALANCE),
        (SPENT, Reason.CEILING),
        (busy(bids_per_cycle=0), Reason.CEILING),
        (busy(observe_only=True), Reason.OBSERVE_ONLY),
        (busy(stop_spending=True), Reason.SPENDING_STOPPED),
        (with_order(memory=remembered(hold_until_height=9_999)), Reason.JOURNAL_NEW),
        (with_order(now=NOW + 120), Reason.CLOCK_SKEW),
        (UNSEEN_CLUSTER, Reason.CLUSTER_UNSEEN),
        (STRANGE_CLUSTER, Reason.AUTH_FAILURE),
        (REFUSED, Reason.REFUSED_BEFORE),
    ],
)
def test_every_order_without_a_bid_has_its_reason(given: PlanningInput, reason: Reason) -> None:
    assert bids_of(given) == []
    assert reason_for(given) == reason


SPECIAL = ProviderRecord(
    US,
    "https://provider.example.com",
    (
        *(("capabilities/storage/1/class", "beta2"), ("capabilities/storage/1/persistent", "true")),
        *(("capabilities/storage/2/class", "ram"), ("capabilities/storage/2/persistent", "false")),
        ("capabilities/gpu/vendor/nvidia/model/a100", "true"),
    ),
)
"""A record that promises more than the adapters provide."""
A100 = {"gpu": 1, "gpu_attributes": (("vendor/nvidia/model/a100", "true"),)}


def volume(storage_class: str, persistent: str) -> tuple[Volume, ...]:
    return (Volume("data", 1024 * MB, (("class", storage_class), ("persistent", persistent))),)


def special(attributes: tuple[Attribute, ...], **wanted: Any) -> PlanningInput:
    machine = Machine("m0", Resources(16_000, 65_536 * MB, 65_536 * MB, 8), attributes=attributes)
    views = {"kubernetes": AdapterView(Seen({}), Seen(Capacity((machine,))))}
    given = planning_input(market(orders=[order(1, unit(price=99_999, **wanted))], provider=SPECIAL))
    return replace(given, adapters=views)


@pytest.mark.parametrize(
    ("attributes", "wanted", "lacking"),
    [
        ((), {"storage": volume("beta2", "true")}, "persistent volume beta2"),
        ((), {"endpoints": (Endpoint(2, 1),)}, "leased IP address"),
        ((), {"endpoints": (Endpoint(0), Endpoint(1))}, "host name for HTTP on port 80"),
        ((), {"cpu_attributes": (("arch", "arm64"),)}, "CPU architecture arm64"),
        ((("arch", "amd64"),), {"cpu_attributes": (("arch", "arm64"),)}, "CPU architecture arm64"),
        ((("gpu", "nvidia/t4"),), A100, "GPU model nvidia/a100"),
    ],
)
def test_what_no_adapter_provides_is_not_bid_on(
    attributes: tuple[Attribute, ...], wanted: dict[str, Any], lacking: str
) -> None:
    given = special(attributes, **wanted)

    assert bids_of(given) == []
    (hold,) = [hold for hold in plan(given).holds if hold.reason is Reason.UNSUPPORTED]
    assert hold.message == f"no adapter can run it: kubernetes provides no {lacking}"


@pytest.mark.parametrize(
    ("attributes", "wanted"),
    [
        ((("arch", "arm64"),), {"cpu_attributes": (("arch", "arm64"),)}),
        ((("gpu", "nvidia/a100/80Gi"),), A100),
        ((), A100),  # only the record names the model
        ((), {"gpu": 1, "gpu_attributes": (("vendor/nvidia/model/*", "true"),)}),
        ((), {"endpoints": (Endpoint(1),)}),
        ((), {"storage": volume("ram", "false")}),
    ],
)
def test_what_an_adapter_provides_is_bid_on(
    attributes: tuple[Attribute, ...], wanted: dict[str, Any]
) -> None:
    assert len(bids_of(special(attributes, **wanted))) == 1


def test_gpus_are_promised_on_the_machine_of_their_model() -> None:
    room = Resources(16_000, 65_536 * MB, 65_536 * MB, 8)
    machines = (
        Machine("a", room, attributes=(("gpu", "nvidia/t4"),)),
        Machine("b", room, attributes=(("gpu", "nvidia/a100"),)),
    )
    given = replace(
        special((), **A100), adapters={"kubernetes": AdapterView(Seen({}), Seen(Capacity(machines)))}
    )

    assert [bid.promise and bid.promise.machines for bid in bids_of(given)] == [("b",)]


@pytest.mark.parametrize("odd", [order_id(0), order_id(2**64), order_id(1, "../x")])
def test_an_order_whose_lease_no_file_could_name_is_not_bid_on(odd: OrderId) -> None:
    given = planning_input(market(orders=[replace(order(), id=odd)]))
    assert bids_of(given) == []
    assert [h.reason for h in plan(given).holds] == [Reason.UNSUPPORTED_ORDER_ID]


def test_omitted_orders_are_reported_and_the_others_bid_on() -> None:
    given = planning_input(market(orders=[order()], orders_cut=True))
    assert len(bids_of(given)) == 1
    assert [(h.subject.name, h.reason) for h in plan(given).holds] == [("orders", Reason.CEILING)]


def test_our_own_order_is_not_bid_on() -> None:
    own = replace(order(), id=order_id(1, US))
    given = planning_input(market(orders=[own]))
    assert bids_of(given) == []
    assert [h.reason for h in plan(given).holds] == [Reason.OWN_ORDER]


def test_audited_attributes_allow_a_bid() -> None:
    record = ProviderRecord(
        US, "https://p", (("region", "eu"),), {"ve1auditor": frozenset({("region", "eu")})}
    )
    asked = order(attributes=[("reg*", "eu")], signed_by_all=frozenset({"ve1auditor"}))
    assert len(bids_of(planning_input(market(orders=[asked], provider=record)))) == 1


GPU_AND_DISK = ProviderRecord(
    US,
    "https://p",
    (
        ("region/eu/west", "true"),
        ("capabilities/gpu/vendor/nvidia/model/a100/ram/80Gi", "true"),
        ("capabilities/storage/1/class", "beta2"),
        ("capabilities/storage/1/persistent", "true"),
        ("capabilities/storage/2/class", "ram"),
    ),
)


def _gpus(*attributes: Attribute) -> Order:
    return order(1, unit(gpu=1, gpu_attributes=attributes))


def _disk(*attributes: Attribute) -> Order:
    return order(1, unit(storage=(Volume("data", MB, attributes),)))


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        (order(attributes=[("region/eu/*", "true")]), True),
        (order(attributes=[("region/*", "true")]), False),
        (_gpus(("vendor/nvidia/model/*/ram/80Gi", "true")), True),
        (_gpus(("vendor/nvidia/model/h100", "true"), ("vendor/nvidia/model/a100/ram/*", "true")), True),
        (_gpus(("vendor/nvidia/model/*", "true")), False),
        (_gpus(("vendor/nvidia/model/a100/ram/80Gi", "false")), False),
        (_disk(("class", "beta2"), ("persistent", "true")), True),
        (_disk(("class", "beta3"), ("persistent", "true")), False),
        (_disk(("class", "ram"), ("persistent", "true")), False),
    ],
)
def test_what_the_chain_refuses_for_our_record_is_not_bid_on(asked: Order, fits: bool) -> None:
    given = planning_input(market(orders=[asked], provider=GPU_AND_DISK))
    unmet = [h for h in plan(given).holds if h.reason is Reason.ATTRIBUTES_MISSING]
    assert (not unmet) == fits
    assert fits or bids_of(given) == []


def test_scarce_capacity_goes_to_highest_price_then_oldest_order() -> None:
    orders = [
        order(1, unit(cpu=1000, price=9000), created_at=30),
        order(2, unit(cpu=3000, price=9000), created_at=20),
        order(3, unit(cpu=1000, price=9000), created_at=10),
    ]
    room = Resources(4_000, 65_536 * MB, 102_400 * MB)
    limits = Limits(promised_per_tenant_percent=100)
    given = planning_input(market(orders=orders), adapters=adapter(room=room), limits=limits)
    assert [b.id.order.dseq for b in bids_of(given)] == [2, 3]
    assert reason_for(given, 1) == Reason.NO_CAPACITY


def test_open_bids_already_claim_their_room() -> None:
    room = Resources(1_500, 65_536 * MB, 102_400 * MB)
    given = planning_input(market(orders=[order(1), order(2)], bids=[bid(1)]), adapters=adapter(room=room))
    assert bids_of(given) == []
    assert reason_for(given, 2) == Reason.NO_CAPACITY


def test_no_bid_while_the_chain_is_unavailable() -> None:
    made = plan(planning_input(Unseen("the node does not answer")))
    assert made.actions == ()
    assert [h.reason for h in made.holds] == [Reason.CHAIN_UNSEEN]
