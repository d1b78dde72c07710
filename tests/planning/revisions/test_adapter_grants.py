"""What the host file does not grant is denied: namespaces, hosts, rights on them, secrets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.planning.planner import plan
from reconciler.planning.revisions.adapter_grants import denial, denials, without_denied
from reconciler.values.clusters import KubernetesSettings, LeaseIsolation
from reconciler.values.desired import Desired, Env, Service
from reconciler.values.grants import AdapterGrants, AnsibleGrants, Grants, KubernetesGrants, SecretGrant
from reconciler.values.hosts import AnsibleGroup, AnsibleHost, AnsibleSettings, is_this_machine
from reconciler.values.limits import Limits
from reconciler.values.observed import AdapterView
from reconciler.values.plans import ApplyWorkload, PrepareAdapter, Reason, RemoveWorkload
from reconciler.values.readings import Seen
from reconciler.values.resources import MB, Resources
from tests.makers import (
    ALICE,
    CLUSTER,
    ROOM,
    adapter,
    capacity_of,
    desired,
    lease,
    market,
    order,
    planning_input,
    running,
    workload,
)

GRANTED = AnsibleGrants(enabled=True, hosts=("192.0.2.0/24", "2001:db8::/32", "node.example"))


def grants(ansible: AnsibleGrants = GRANTED, **others: AdapterGrants) -> Grants:
    return Grants({"kubernetes": KubernetesGrants(), "ansible": ansible, **others})


PASSWORD = Env("P", secret="db/password")


def on_hosts(*addresses: str, storage: str = "/var/lib/provider-workloads", **group: Any) -> Desired:
    hosts = tuple(AnsibleHost(f"host-{n}", address) for n, address in enumerate(addresses))
    made = replace(AnsibleGroup("rack", hosts), **group)
    return desired(
        adapters={
            "kubernetes": CLUSTER,
            "ansible": AnsibleSettings(True, (made,), storage=storage),
        }
    )


@pytest.mark.parametrize(
    "address", ["192.0.2.7", "2001:db8::7", "2001:DB8:0::7", "node.example", "Node.Example"]
)
def test_hosts_are_granted_by_name_address_or_range(address: str) -> None:
    assert denials(on_hosts(address), grants()) == {}


@pytest.mark.parametrize(
    "address",
    ["192.0.3.7", "2001:db9::7", "other.example", "evil.node.example", "node.example.", "3221225991"],
)
def test_other_hosts_are_denied_also_where_one_of_many_is_another(address: str) -> None:
    found = denials(on_hosts("192.0.2.7", address), grants())
    assert list(found) == ["ansible"]
    assert f"host host-1 at {address}" in found["ansible"]
    assert "change the file" in found["ansible"]


@pytest.mark.parametrize(
    "address",
    [
        "localhost",
        "LOCALHOST",
        "localhost.localdomain",
        "a.localhost",
        "127.9.9.9",
        "0.0.0.0",
        "::1",
        "::",
        "::ffff:127.0.0.1",
    ],
)
def test_this_machine_takes_a_grant_of_its_own(address: str) -> None:
    everything = replace(GRANTED, hosts=("0.0.0.0/0", "::/0", address))
    assert is_this_machine(address.lower())
    assert "this machine" in denials(on_hosts(address), grants(everything))["ansible"]
    granted = replace(everything, this_machine=True)
    assert denials(on_hosts(address), grants(granted)) == {}


def test_this_machine_alone_takes_no_entry_among_hosts() -> None:
    granted = grants(AnsibleGrants(enabled=True, this_machine=True))
    assert denials(on_hosts("localhost"), granted) == {}
    assert "127.0.0.1" in denials(on_hosts("127.0.0.1"), granted)["ansible"]


@pytest.mark.parametrize(("group", "word"), [({"sudo": True}, "sudo"), ({"user": "root"}, "user root")])
def test_root_takes_a_grant(group: dict[str, Any], word: str) -> None:
    wanted = on_hosts("192.0.2.7", **group)
    assert word in denials(wanted, grants())["ansible"]
    assert denials(wanted, grants(replace(GRANTED, sudo=True))) == {}


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/var/lib/provider-workloads", True),
        ("/var/lib/provider-workloads/a", True),
        ("/var/lib/provider-workloads-2", False),
        ("/var/lib", False),
        ("/etc", False),
    ],
)
def test_records_stay_in_granted_directories(path: str, allowed: bool) -> None:
    assert (denials(on_hosts("192.0.2.7", storage=path), grants()) == {}) is allowed


def test_plain_hosts_are_an_opt_in_and_one_namespace_is_granted_by_default() -> None:
    assert "enabled: false" in denials(on_hosts("192.0.2.7"), Grants())["ansible"]
    assert denials(desired(), Grants()) == {}
    other = desired(adapters={"kubernetes": KubernetesSettings(namespace="kube-system")})
    assert "namespace kube-system (namespaces: provider-workloads)" in denials(other, Grants())["kubernetes"]
    assert denials(other, grants(kubernetes=KubernetesGrants(("kube-system",)))) == {}
    disabled = desired(adapters={"kubernetes": KubernetesSettings(False, "kube-system")})
    assert denials(disabled, Grants()) == {}
    assert "kube-system" in denial(disabled, "kubernetes", Grants()), "disabled, it only observes"
    rack = (AnsibleGroup("rack", (AnsibleHost("one", "localhost"),)),)
    assert denials(desired(adapters={"ansible": AnsibleSettings(enabled=False, groups=rack)}), Grants()) == {}
    assert denials(desired(adapters={"ansible": AnsibleSettings(enabled=True)}), Grants()) == {}


def test_namespaces_of_leases_are_an_opt_in() -> None:
    apart = desired(adapters={"kubernetes": KubernetesSettings(isolation=LeaseIsolation.NAMESPACE)})
    assert "isolation: namespace (lease_namespaces: false)" in denials(apart, Grants())["kubernetes"]
    assert denials(apart, grants(kubernetes=KubernetesGrants(lease_namespaces=True))) == {}


def test_an_adapter_file_without_an_entry_runs_nothing_and_says_what_to_write() -> None:
    found = denials(desired(adapters={"east": KubernetesSettings()}), Grants())["east"]
    assert "the host file has no entry for adapters/east.yaml" in found
    assert "add adapters.east with kind: KubernetesAdapter to the host file" in found
    assert denials(desired(adapters={"east": KubernetesSettings()}), grants(east=KubernetesGrants())) == {}
    wrong = denials(desired(adapters={"east": KubernetesSettings()}), grants(east=GRANTED))["east"]
    assert "adapters/east.yaml is of kind KubernetesAdapter, but adapters.east in the host file" in wrong


@pytest.mark.parametrize("namespace", ["provider-workloads", "other"])
def test_two_files_with_one_cluster_run_nothing(namespace: str) -> None:
    """With one namespace they would take the other's workloads for theirs; in two, sell each node twice."""
    both = desired(adapters={"east": KubernetesSettings(), "west": KubernetesSettings(namespace=namespace)})
    spaces = ("provider-workloads", "other")
    one, two = KubernetesGrants(spaces, "one"), KubernetesGrants(spaces, "two")
    found = denials(both, grants(east=one, west=one))
    assert list(found) == ["east", "west"]
    assert "adapters/east.yaml and adapters/west.yaml both name one cluster" in found["east"]
    assert denials(both, grants(east=one, west=two)) == {}, "two clusters may use one namespace"
    off = replace(both, adapters={**both.adapters, "west": KubernetesSettings(enabled=False)})
    assert denials(off, grants(east=one, west=one)) == {}
    assert "both name" in denial(off, "west", grants(east=one, west=one)), "nor may it observe"


def test_a_file_that_may_not_name_a_machine_takes_it_from_no_other() -> None:
    rack = AnsibleSettings(True, (AnsibleGroup("rack", (AnsibleHost("one", "192.0.2.1"),)),))
    both = desired(adapters={"rack": rack, "copy": rack})
    assert list(denials(both, grants(rack=GRANTED))) == ["copy"]
    assert list(denials(both, grants(rack=GRANTED, copy=AnsibleGrants(enabled=True)))) == ["copy"]


def test_decisions_hold_while_an_adapter_is_denied_or_disabled() -> None:
    off = desired(adapters={"kubernetes": KubernetesSettings(enabled=False), "east": KubernetesSettings()})
    first, second = (without_denied(adapter(), off, Grants()) for _ in range(2))
    assert first["kubernetes"].capacity is second["kubernetes"].capacity
    assert first["east"].workloads is second["east"].workloads


def test_a_quiet_cycle_checks_no_host_again() -> None:
    wanted, granted = on_hosts("192.0.3.7"), grants()
    first = denial(replace(wanted, workloads={}), "ansible", granted)
    assert "host host-0 at 192.0.3.7" in first
    assert denial(wanted, "ansible", granted) is first
    other = replace(wanted, adapters={**wanted.adapters, "ansible": KubernetesSettings()})
    assert "is of kind KubernetesAdapter" in denial(other, "ansible", granted)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (AnsibleHost("a", "192.0.2.7"), AnsibleHost("b", "192.0.2.7")),
        (AnsibleHost("a", "2001:db8::7"), AnsibleHost("b", "2001:DB8:0::7")),
        (AnsibleHost("a", "node.example"), AnsibleHost("b", "Node.Example")),
        (AnsibleHost("a", "localhost"), AnsibleHost("b", "127.0.0.1", port=2222)),
    ],
)
def test_two_files_with_one_host_run_nothing(first: AnsibleHost, second: AnsibleHost) -> None:
    east, west = (AnsibleSettings(True, (AnsibleGroup("g", (each,)),)) for each in (first, second))
    allowed = replace(GRANTED, this_machine=True, hosts=(*GRANTED.hosts, "127.0.0.1"))
    both = desired(adapters={"east": east, "west": west})
    found = denials(both, grants(east=allowed, west=allowed))
    assert all("both name host" in found[name] for name in ("east", "west"))
    elsewhere = AnsibleSettings(True, (AnsibleGroup("g", (AnsibleHost("a", "192.0.2.8"),)),))
    assert (
        denials(desired(adapters={"east": east, "west": elsewhere}), grants(east=allowed, west=allowed)) == {}
    )


def test_nothing_of_a_denied_adapter_runs_and_the_other_goes_on() -> None:
    """Not even where the adapter is there, with the settings of an earlier revision."""
    here, there, closed = workload(1), workload(2, adapter="ansible"), workload(3, adapter="ansible")
    hosts = capacity_of(ROOM, quota=Resources(1, MB, MB, 0), workloads_are_whole=True)
    views = adapter() | {"ansible": AdapterView(Seen({closed.id: running(closed)}), Seen(hosts))}
    wanted = replace(on_hosts("localhost"), workloads={w.id: w for w in (here, there, closed)})
    seen = market(leases=[lease(1), lease(2)], orders=[order(4)])
    made = plan(planning_input(seen, wanted, adapters=views))
    acted = [a for a in made.actions if isinstance(a, ApplyWorkload | RemoveWorkload | PrepareAdapter)]
    assert [a.workload.id for a in acted if isinstance(a, ApplyWorkload)] == [here.id]
    assert len(acted) == 1
    held = {h.subject.name: h for h in made.holds if h.reason is Reason.ADAPTER_DENIED}
    assert set(held) == {"ansible", there.id}
    assert all(h.ours for h in held.values())


def test_a_denied_adapter_that_was_never_created_is_denied_not_unknown() -> None:
    there = workload(1, adapter="ansible")
    wanted = replace(on_hosts("localhost"), workloads={there.id: there})
    made = plan(planning_input(market(leases=[lease(1)]), wanted))
    assert {h.reason for h in made.holds if h.subject.name == there.id} == {Reason.ADAPTER_DENIED}


def test_a_workload_is_not_moved_off_a_denied_adapter() -> None:
    there = workload(1, adapter="ansible")
    views = adapter() | {
        "ansible": AdapterView(
            Seen({there.id: running(there)}), Seen(capacity_of(ROOM, workloads_are_whole=True))
        )
    }
    ran = plan(planning_input(market(leases=[lease(1)]), desired(there), adapters=views)).memory
    wanted = replace(on_hosts("localhost"), workloads={there.id: replace(there, adapter="")})
    made = plan(planning_input(market(leases=[lease(1)]), wanted, memory=ran))
    assert not [a for a in made.actions if isinstance(a, ApplyWorkload | RemoveWorkload)]


def secretive(dseq: int = 1) -> Desired:
    plain = workload(2)
    [service] = workload(dseq).services
    quiet = Service("web", "web", service.resources, env=(Env("A", "b"), PASSWORD))
    return desired(workload(dseq, services=(quiet,)), plain)


@pytest.mark.parametrize(
    ("grant", "allowed"),
    [
        (None, False),
        (SecretGrant("db", tenants=frozenset({ALICE})), True),
        (SecretGrant("db/password", workloads=frozenset({workload(1).id})), True),
        (SecretGrant("db/user", tenants=frozenset({ALICE})), False),
        (SecretGrant("d", tenants=frozenset({ALICE})), False),
        (SecretGrant("db", tenants=frozenset({"ve1bob"})), False),
        (SecretGrant("db", workloads=frozenset({workload(2).id})), False),
    ],
)
def test_a_secret_that_is_not_granted_holds_its_workload_alone(
    grant: SecretGrant | None, allowed: bool
) -> None:
    limits = Limits(grants=Grants(secrets=(grant,) if grant else ()))
    made = plan(planning_input(market(leases=[lease(1), lease(2)]), secretive(), limits=limits))
    applied = {a.workload.id for a in made.actions if isinstance(a, ApplyWorkload)}
    assert applied == ({workload(1).id, workload(2).id} if allowed else {workload(2).id})
    held = [h for h in made.holds if h.reason is Reason.SECRET_DENIED]
    assert [(h.subject.name, h.ours) for h in held] == ([] if allowed else [(workload(1).id, True)])
    assert all("db/password" in h.message for h in held)
