from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.desired import Workload
from reconciler.values.machines import Capacity, Machine
from reconciler.values.messages import CreateBid
from reconciler.values.observed import AdapterView, ObservedWorkload, ProviderRecord
from reconciler.values.plans import ApplyWorkload, Hold, Reason, RemoveWorkload, SendTransaction
from reconciler.values.readings import Seen
from reconciler.values.resources import MB, Resources, Volume
from reconciler.values.specification import ServiceVolume
from reconciler.values.volumes import KeptVolumes, PersistentVolume
from tests.makers import (
    CLUSTER,
    NOW,
    US,
    adapter,
    desired,
    lease,
    market,
    order,
    order_id,
    planning_input,
    running,
    unit,
    workload,
)

PLAIN = workload()
DATA = PersistentVolume("data", "beta2", 64 * MB)


def with_volume(size: int = 64 * MB, storage_class: str = "beta2") -> Workload:
    service = replace(PLAIN.services[0], volumes=(ServiceVolume("data", size, "/data", storage_class),))
    return replace(PLAIN, services=(service,))


def given(wanted: Workload, there: tuple[PersistentVolume, ...]) -> PlanningInput:
    seen = running(wanted, digest="old", volumes=(("web", there),))
    views = {
        name: replace(view, capacity=Seen(replace(view.capacity.view, volumes=(("beta2", 1 << 40),))))
        for name, view in adapter(seen).items()
        if isinstance(view.capacity, Seen)
    }
    big = unit(storage=(Volume("root", 1 << 40),))
    return planning_input(market(leases=[lease(units=(big,))]), desired(wanted), adapters=views)


def hold_for(made: PlanningInput, reason: Reason) -> Hold | None:
    return next((hold for hold in plan(made).holds if hold.reason is reason), None)


@pytest.mark.parametrize(
    ("wanted", "there", "words"),
    [
        (with_volume(128 * MB), (DATA,), "the data of data would be lost"),
        (PLAIN, (DATA,), "to none: the data of data would be lost"),
        (with_volume(), (), "its containers, and all that they wrote, would be replaced"),
    ],
)
def test_a_change_of_volumes_is_held(
    wanted: Workload, there: tuple[PersistentVolume, ...], words: str
) -> None:
    made = given(wanted, there)

    hold = hold_for(made, Reason.VOLUMES_DIFFER)
    assert hold is not None
    assert words in hold.message
    assert not any(isinstance(action, ApplyWorkload) for action in plan(made).actions)


@pytest.mark.parametrize(("wanted", "there"), [(with_volume(), (DATA,)), (PLAIN, ())])
def test_other_changes_are_applied(wanted: Workload, there: tuple[PersistentVolume, ...]) -> None:
    made = given(wanted, there)

    assert hold_for(made, Reason.VOLUMES_DIFFER) is None


RECORD = ProviderRecord(
    US,
    "https://provider.example.com",
    (("capabilities/storage/1/class", "beta2"), ("capabilities/storage/1/persistent", "true")),
)


def bids(left_mb: int, *dseqs: int) -> int:
    """How many orders with 1,024 MB of beta2 get a bid, on a machine with hardly any disk of its own."""
    volume = Volume("data", 1024 * MB, (("class", "beta2"), ("persistent", "true")))
    wanted = unit(price=99_999, storage=(volume,))
    orders = [replace(order(dseq, wanted), id=order_id(dseq, f"ve1tenant{dseq}")) for dseq in dseqs]
    machine = Machine("m0", Resources(16_000, 65_536 * MB, 16 * MB))
    capacity = Capacity((machine,), volumes=(("beta2", left_mb * MB),))
    made = planning_input(market(orders=orders, provider=RECORD))
    sent = plan(replace(made, adapters={"kubernetes": AdapterView(Seen({}), Seen(capacity))})).actions
    messages = [m for action in sent if isinstance(action, SendTransaction) for m in action.messages]
    return sum(isinstance(message, CreateBid) for message in messages)


def test_volumes_are_promised_from_their_class_alone() -> None:
    assert bids(1023, 1) == 0
    assert bids(1024, 1) == 1
    assert bids(2047, 1, 2) == 1
    assert bids(2048, 1, 2) == 2


def test_kept_volumes_are_reported_until_they_are_deleted() -> None:
    kept = KeptVolumes(PLAIN.id, PLAIN.lease, 64 * MB, NOW + 60)
    views = {name: replace(view, kept_volumes=(kept,)) for name, view in adapter().items()}

    hold = hold_for(planning_input(market(), desired(), adapters=views), Reason.VOLUMES_KEPT)

    assert hold is not None
    assert hold.message.startswith("64 MB of persistent volumes of its lease are kept on adapter kubernetes")


def test_kept_volumes_whose_grace_is_over_stay_while_their_lease_is_active() -> None:
    """Those of a workload that runs on another adapter, too."""
    kept = KeptVolumes(PLAIN.id, PLAIN.lease, 64 * MB, NOW - 1)
    left = replace(running(PLAIN), digest="", ready=False, replicas=0, replicas_ready=0)
    assert removals(moved(left, running(PLAIN), kept)) == []
    assert removals(moved(running(PLAIN, volumes=(("web", (DATA,)),)), running(PLAIN))) == []
    assert removals(moved(running(PLAIN), running(PLAIN))) == [PLAIN.id], "without volumes it has moved"


@pytest.mark.parametrize("is_kept", [False, True])
def test_a_workload_does_not_start_empty_on_another_adapter(is_kept: bool) -> None:
    kept = KeptVolumes(PLAIN.id, PLAIN.lease, 64 * MB, NOW + 60)
    seen = None if is_kept else running(PLAIN, volumes=(("web", (DATA,)),))
    made = moved(seen, None, *([kept] if is_kept else []))

    hold = hold_for(made, Reason.VOLUMES_DIFFER)
    assert hold is not None
    assert "are on adapter kubernetes" in hold.message
    assert not any(isinstance(action, ApplyWorkload) for action in plan(made).actions)
    assert any(isinstance(action, ApplyWorkload) for action in plan(moved(running(PLAIN), None)).actions)


def moved(here: ObservedWorkload | None, there: ObservedWorkload | None, *kept: KeptVolumes) -> PlanningInput:
    """PLAIN names adapter `other` in its file; `here` is what adapter `kubernetes` shows of it."""
    file = desired(replace(PLAIN, adapter="other"), adapters={"kubernetes": CLUSTER, "other": CLUSTER})
    made = planning_input(market(leases=[lease()]), file)
    view, granted = made.adapters["kubernetes"], made.limits.grants
    views = {
        name: replace(view, workloads=Seen({PLAIN.id: each} if each else {}))
        for name, each in (("kubernetes", here), ("other", there))
    }
    views["kubernetes"] = replace(views["kubernetes"], kept_volumes=kept)
    allowed = replace(granted, adapters={**granted.adapters, "other": granted.adapters["kubernetes"]})
    return replace(made, adapters=views, limits=replace(made.limits, grants=allowed))


def removals(made: PlanningInput) -> list[str]:
    return [action.id for action in plan(made).actions if isinstance(action, RemoveWorkload)]
