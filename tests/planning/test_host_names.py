"""A host name belongs to one workload at a time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from reconciler.planning import host_names
from reconciler.planning.planner import plan
from reconciler.values.adapters import KUBERNETES
from reconciler.values.addresses import AddressKind, ServiceAddress, denying_rule
from reconciler.values.clusters import (
    IngressController,
    IngressSettings,
    KubernetesSettings,
    NetworkPolicyController,
)
from reconciler.values.desired import Config, Port, Workload
from reconciler.values.limits import Limits
from reconciler.values.plans import ApplyWorkload, Hold, Plan, Reason
from reconciler.values.result_cache import ResultCache
from reconciler.values.work import InFlight, WorkItem, WorkKey
from tests.makers import adapter, desired, lease, market, planning_input, running, workload

INGRESS = IngressSettings(IngressController.NGINX, "nginx", "apps.example.com", "ingress-nginx")
SETTINGS = KubernetesSettings(network_policy=NetworkPolicyController.CALICO, ingress=INGRESS)


def named(dseq: int, *hosts: str, **changes: Any) -> Workload:
    made = workload(dseq, **changes)
    port = Port(80, public=True, hosts=hosts)
    services = tuple(replace(each, ports=(port,)) for each in made.services)
    return replace(made, services=services, rendering=SETTINGS.rendering)


DENIED = Config(hosts_denied=(".bank.example", "www.a.com"))


def planned(*files: Workload, shown: tuple[Any, ...] = (), **changes: Any) -> Plan:
    leases = [lease(file.lease.order.dseq) for file in files]
    wanted = replace(desired(*files), adapters={KUBERNETES: SETTINGS}, config=DENIED)
    seen = market(leases=leases)
    if "created" in changes:
        at = changes.pop("created")
        seen = replace(
            seen,
            leases={key: replace(each, created_at=at[key.order.dseq]) for key, each in seen.leases.items()},
        )
    return plan(planning_input(seen, wanted, adapters=adapter(*shown), **changes))


def started(made: Plan) -> set[int]:
    return {a.workload.lease.order.dseq for a in made.actions if isinstance(a, ApplyWorkload)}


def holds(made: Plan, reason: Reason) -> list[Hold]:
    return [hold for hold in made.holds if hold.reason is reason]


def test_the_oldest_lease_gets_a_host_name_and_the_other_waits() -> None:
    one, two = named(1, "shop.example.com"), named(2, "shop.example.com", "b.example.com")

    made = planned(one, two, created={1: 20, 2: 10})

    assert started(made) == {2}
    (hold,) = holds(made, Reason.HOST_NAME_TAKEN)
    assert hold.subject.name == one.id
    assert hold.message.startswith(f"host name shop.example.com belongs to workload {two.id};")


def test_who_has_a_host_name_keeps_it_until_its_objects_are_gone() -> None:
    one, two = named(1, "shop.example.com"), named(2, "shop.example.com")
    address = ServiceAddress("web", AddressKind.HOST_NAME, "shop.example.com", 80)
    shown = running(one, addresses=(address,))
    held = planned(one, two, shown=(shown,), created={1: 20, 2: 10})
    assert started(held) == set()
    assert [hold.subject.name for hold in holds(held, Reason.HOST_NAME_TAKEN)] == [two.id]

    renamed = named(1, "other.example.com")
    still = planned(renamed, two, shown=(shown,), memory=held.memory)
    assert started(still) == {1}, "the other waits until its Ingress is gone"
    freed = replace(running(renamed), addresses=())
    assert started(planned(renamed, two, shown=(freed,), memory=still.memory)) == {2}


def test_an_apply_in_flight_has_its_host_names() -> None:
    one, two = named(1, "shop.example.com"), named(2, "shop.example.com")
    (first,) = (a for a in planned(one).actions if isinstance(a, ApplyWorkload))
    item = WorkItem(WorkKey(KUBERNETES, one.id), "apply", first)
    flying = (InFlight(item, 0),)

    made = planned(one, two, created={1: 20, 2: 10}, in_flight=flying)

    assert started(made) == set()
    assert [hold.subject.name for hold in holds(made, Reason.HOST_NAME_TAKEN)] == [two.id]


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("login.bank.example", "blocked by .bank.example"),
        ("bank.example", "blocked by .bank.example"),
        ("www.a.com", "blocked by www.a.com"),
        ("web-1-1-1-abc.apps.example.com", "blocked by .apps.example.com"),
        ("192.0.2.7", "is an address"),
        ("provider.example.com", "blocked by provider.example.com"),
        ("mtls.provider.example.com", "blocked by mtls.provider.example.com"),
        ("gateway.example.com", "blocked by gateway.example.com"),
        ("mtls.gateway.example.com", "blocked by mtls.gateway.example.com"),
        ("nodes.example.com", "blocked by nodes.example.com"),
    ],
)
def test_blocked_names_are_given_to_nobody(host: str, why: str) -> None:
    record = market().provider
    assert record is not None
    seen = market(leases=[lease(1)])
    seen = replace(seen, provider=replace(record, host_uri="https://provider.example.com:8443"))
    settings = replace(SETTINGS, public_host="Nodes.example.com")
    wanted = replace(desired(named(1, host)), adapters={KUBERNETES: settings}, config=DENIED)
    limits = Limits(gateway_host="Gateway.example.com")

    made = plan(planning_input(seen, wanted, adapters=adapter(), limits=limits))

    assert started(made) == set()
    (hold,) = holds(made, Reason.HOST_NAME_BLOCKED)
    assert why in hold.message


@pytest.mark.parametrize("host", ["notbank.example", "a.www.a.com", "example.com", "xmtls.example.com"])
def test_other_names_are_given(host: str) -> None:
    assert started(planned(named(1, host))) == {1}


def test_names_are_checked_again_only_after_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenant may have many names: they do not count in each cycle."""
    checked: list[str] = []

    def counted(host: str, rules: Collection[str]) -> str:
        checked.append(host)
        return denying_rule(host, rules)

    monkeypatch.setattr(host_names, "denying_rule", counted)
    one, two = named(1, "a.example.org", "b.example.org"), named(2, "c.example.org")
    wanted = replace(desired(one, two), adapters={KUBERNETES: SETTINGS}, config=DENIED)
    seen, decisions = market(leases=[lease(1), lease(2)]), ResultCache()
    renamed = replace(wanted, workloads={one.id: one, two.id: named(2, "d.example.org")})
    stricter = replace(renamed, config=Config(hosts_denied=("d.example.org",)))
    for asked, expected in (
        (wanted, ["a.example.org", "b.example.org", "c.example.org"]),
        (wanted, []),
        (renamed, ["d.example.org"]),
        (stricter, ["a.example.org", "b.example.org", "d.example.org"]),
    ):
        checked.clear()
        made = plan(planning_input(seen, asked, adapters=adapter()), decisions)
        assert checked == expected
    assert [hold.subject.name for hold in holds(made, Reason.HOST_NAME_BLOCKED)] == [two.id]
