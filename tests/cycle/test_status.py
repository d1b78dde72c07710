"""What is published of one cycle: our own objects, nothing that moves by itself."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from reconciler.cycle.object_views import object_views
from reconciler.cycle.planned_cycle import PlannedCycle
from reconciler.cycle.snapshot import status_of
from reconciler.planning.planner import plan
from reconciler.values.addresses import AddressKind, ServiceAddress
from reconciler.values.desired import Desired, Fault
from reconciler.values.lifecycle import Phase
from reconciler.values.memory import WorkloadMemory
from reconciler.values.observed import Market, OrderSettlement, SettlementEscrow, State, Trouble, UsageRecord
from reconciler.values.readings import Unseen
from reconciler.values.views import PublishedStatus
from tests import makers

RUNS = makers.workload()


def _found(market: Market, wanted: Desired | None = None, **changes: Any) -> PlannedCycle:
    inputs = makers.planning_input(market, wanted or makers.desired(RUNS), **changes)
    return PlannedCycle(inputs, plan(inputs))


def _told(planned: PlannedCycle) -> PublishedStatus:
    found = status_of("p", planned, object_views(planned), None)
    assert found is not None
    return found


def test_while_the_chain_is_unseen_the_status_stays_as_it_was() -> None:
    before = _told(_found(makers.market(leases=[makers.lease()])))
    inputs = makers.planning_input(Unseen("down"))
    blind = PlannedCycle(inputs, plan(inputs))

    assert status_of("p", blind, object_views(blind), before) is before
    assert status_of("p", blind, object_views(blind), None) is None


def test_a_workload_is_described_with_its_lease_phase_and_money() -> None:
    paid = replace(makers.lease().payment, withdrawn=900)
    lease = makers.lease(payment=paid)

    planned = _found(makers.market(leases=[lease]), adapters=makers.adapter(makers.running(RUNS)))

    (told,) = _told(planned).workloads
    assert (told.id, told.lease, told.adapter) == (RUNS.id, str(lease.id), "kubernetes")
    assert (told.state, told.lease_state, told.billing) == ("running", State.ACTIVE, "lease")
    assert (told.price_uve, told.withdrawn_uve, told.settled_uve) == (Decimal(2446), 900, 0)


def test_addresses_have_the_host_name_of_the_provider_record() -> None:
    address = ServiceAddress("web", AddressKind.PORT, "", 80, 31080)
    running = makers.adapter(makers.running(RUNS, addresses=(address,)))
    market = makers.market(leases=[makers.lease()])
    assert market.provider is not None
    record = replace(market.provider, host_uri="https://provider.example.com:8443")

    (told,) = _told(_found(replace(market, provider=record), adapters=running)).workloads

    assert told.addresses == (replace(address, host="provider.example.com"),)


def test_only_our_own_settled_records_count() -> None:
    lease = makers.lease(usage_billed=True)
    known = UsageRecord("usage-1", str(lease.id), "fixed", 1, 2, 700, b"", settled=True, acknowledged=False)
    records = (
        known,
        replace(known, id="usage-2", settled=False),
        replace(known, id="usage-3", lease=str(makers.lease_id(9)), cost=50),
    )
    escrow = SettlementEscrow(
        "e", str(lease.id.order), str(lease.id), makers.ALICE, makers.US, State.ACTIVE, 9, 9, 1
    )
    market = makers.market(leases=[lease], settlements={lease.id.order: OrderSettlement(escrow, records)})

    (told,) = _told(_found(market)).workloads

    assert (told.billing, told.settled_uve, told.recorded_uve) == ("usage", 700, 1_400)


def test_only_open_bids_are_reported() -> None:
    bids = [makers.bid(1), replace(makers.bid(2), state=State.ACTIVE)]

    told = _told(_found(makers.market(bids=bids), makers.desired()))

    assert [each.id for each in told.bids] == [str(makers.lease_id(1))]


def test_an_order_of_another_tenant_changes_nothing() -> None:
    quiet = _told(_found(makers.market(), makers.desired()))
    busy = makers.market(orders=[makers.order(1, makers.unit(price=1))])

    assert _told(_found(busy, makers.desired())) == quiet


def test_height_and_time_change_nothing() -> None:
    market = makers.market(leases=[makers.lease()])
    running = makers.adapter(makers.running(RUNS))
    later = replace(market, height=makers.HEIGHT + 1, time=makers.NOW + 1)

    assert _told(_found(later, adapters=running)) == _told(_found(market, adapters=running))


def test_holds_stand_with_their_workload_or_by_themselves() -> None:
    wanted = makers.desired()
    planned = _found(makers.market(leases=[makers.lease()]), wanted)

    told = _told(planned)

    assert "NoWorkloadFile" in {hold.reason for hold in told.workloads[0].holds}
    assert told.holds == ()


def test_unreadable_files_are_reported_with_their_position() -> None:
    fault = Fault("pricing.yaml", 4, 3, "not a price", "write it as 1uve")
    wanted = makers.desired(faults=(fault,))

    told = _told(_found(makers.market(), wanted))

    assert told.faults == ("pricing.yaml:4:3: not a price (write it as 1uve)",)
    assert [hold.subject for hold in told.holds] == ["pricing.yaml"]


def test_problems_of_a_workload_are_reported() -> None:
    trouble = Trouble("ImagePullFailed", "no such image", "correct the name")
    running = makers.running(RUNS, ready=False, trouble=trouble)
    memory = makers.remembered(workloads={RUNS.id: WorkloadMemory(RUNS.lease, "kubernetes", Phase.DEPLOYING)})
    market = makers.market(leases=[makers.lease()])

    (told,) = _told(_found(market, adapters=makers.adapter(running), memory=memory)).workloads

    assert (told.state, told.trouble) == ("failed", trouble)
