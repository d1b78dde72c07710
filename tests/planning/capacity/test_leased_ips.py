"""Leased IP addresses are promised from the pool of an adapter, as many as its file says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.planning.planner import plan
from reconciler.values.adapters import KUBERNETES
from reconciler.values.clusters import KubernetesSettings, LeasedIpPool, NetworkPolicyController
from reconciler.values.messages import CreateBid
from reconciler.values.plans import Reason, SendTransaction
from reconciler.values.resources import LEASED_IP, Endpoint, ResourceUnit
from tests.makers import desired, lease, market, order, planning_input, unit


def addressed(*sequence_numbers: int) -> ResourceUnit:
    return unit(price=99_999, endpoints=tuple(Endpoint(LEASED_IP, n) for n in sequence_numbers))


@pytest.mark.parametrize(
    ("count", "ordered", "is_bid_on"),
    [(2, (1, 1), True), (2, (1, 2), False), (3, (1, 2), True), (1, (1,), False), (1, (), True)],
)
def test_addresses_of_leases_and_orders_come_from_the_pool(
    count: int, ordered: tuple[int, ...], is_bid_on: bool
) -> None:
    """One lease holds an address already; ports with one sequence number share one."""
    settings = KubernetesSettings(
        network_policy=NetworkPolicyController.CALICO, leased_ips=LeasedIpPool("tenants", count)
    )
    seen = market(leases=[lease(7, units=(addressed(1, 1),))], orders=[order(1, addressed(*ordered))])
    made = plan(planning_input(seen, replace(desired(), adapters={KUBERNETES: settings})))

    sent = (m for a in made.actions if isinstance(a, SendTransaction) for m in a.messages)
    assert [isinstance(each, CreateBid) for each in sent] == [True] * is_bid_on
    whys = [hold.message for hold in made.holds if hold.reason is Reason.NO_CAPACITY]
    wanted = f"kubernetes: {count - 1} addresses of its pool are free: too few leased IPs"
    assert [wanted in why for why in whys] == [True] * (not is_bid_on)
