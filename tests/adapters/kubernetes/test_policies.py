"""Reachability under the policies, by an independent evaluator; every CNI behaves the same."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.kubernetes.naming import labels
from reconciler.adapters.kubernetes.policies import (
    base_policy,
    base_spec,
    ranges_in_internet,
    service_policies,
)
from reconciler.values.clusters import IngressController, IngressSettings
from reconciler.values.desired import Port, Workload
from tests.adapters.kubernetes.evaluation import Peer, allowed, may_enter, may_leave
from tests.adapters.kubernetes.makers import SPACE, Object
from tests.contracts.adapter_backends import service, workload

MINE = workload(
    1,
    service(ports=(Port(8080, exposed_as=80, public=True), Port(9000))),
    service("db", ports=(Port(5432), Port(53, protocol="UDP", public=True))),
)
OTHER = workload(2, service(ports=(Port(8080, public=True), Port(9000))))
NODES = ("203.0.113.0/28", "2001:db8:1::/48")


def pod(wanted: Workload, name: str, address: str) -> Peer:
    return Peer(address, SPACE, labels(wanted.id, name))


WEB, DB, THEIRS = (
    pod(MINE, "web", "10.244.0.5"),
    pod(MINE, "db", "10.244.0.6"),
    pod(OTHER, "web", "10.244.0.7"),
)
DNS = Peer("10.244.0.2", "kube-system", {"k8s-app": "kube-dns"})
STRANGER = Peer("10.244.0.3", "default", {"app": "internal"})
PLACES = {
    "own db": DB,
    "own web": WEB,
    "another tenant": THEIRS,
    "cluster DNS": DNS,
    "a pod elsewhere": STRANGER,
    **{
        address: Peer(address)
        for address in (
            *("8.8.8.8", "1.1.1.1", "203.0.112.255", "2606:4700:4700::1111", "2a00:1450::1"),
            *("169.254.169.254", "169.254.20.10", "192.0.0.192", "168.63.129.16"),
            *("10.0.0.1", "10.96.0.1", "172.16.0.1", "172.31.255.255", "172.32.0.1", "192.168.1.1"),
            *("100.64.0.1", "100.127.255.255", "127.0.0.1", "0.0.0.0", "198.18.0.1", "224.0.0.1"),
            *("255.255.255.255", "203.0.113.7", "fd00:ec2::254", "fe80::1", "::1", "ff02::1", "::"),
            *("::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "2001::1"),
            *("2001:db8:1::10", "fec0::1"),
        )
    },
}


BASE = base_policy(SPACE, NODES)
POLICIES = [BASE, *service_policies(SPACE, MINE), *service_policies(SPACE, OTHER)]
INTERNET = {"8.8.8.8", "1.1.1.1", "203.0.112.255", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450::1"}
LEASE = {"own db", "own web"}
RESOLVERS = {"cluster DNS", "169.254.20.10"}


@pytest.mark.parametrize(
    ("port", "inside"),
    [
        (("TCP", 443), LEASE),
        (("TCP", 80), LEASE),
        (("TCP", 5432), LEASE),
        (("TCP", 8080), LEASE),
        (("TCP", 10250), LEASE),
        (("UDP", 53), LEASE | RESOLVERS),
        (("TCP", 53), LEASE | RESOLVERS),
        (("UDP", 123), LEASE),
    ],
)
def test_a_pod_reaches_its_lease_dns_and_the_internet(port: tuple[str, int], inside: set[str]) -> None:
    for source in (WEB, DB):
        found = {name for name, to in PLACES.items() if allowed(POLICIES, source, to, port)}
        assert found == INTERNET | inside


PORTS = [(kind, number) for kind in ("TCP", "UDP") for number in (53, 80, 5432, 8080, 9000)]
PUBLIC = {("own web", ("TCP", 8080)), ("own db", ("UDP", 53))}


@pytest.mark.parametrize("source", [THEIRS, STRANGER, Peer("8.8.8.8"), Peer("10.0.0.9"), Peer("2a00::9")])
def test_only_public_ports_are_reachable_from_outside_the_lease(source: Peer) -> None:
    entered = {
        (name, port) for name in LEASE for port in PORTS if may_enter(POLICIES, source, PLACES[name], port)
    }
    assert entered == PUBLIC


NGINX = IngressSettings(IngressController.NGINX, "nginx", "apps.example.com", "ingress-nginx")
SHOP = workload(
    3,
    service(
        ports=(
            Port(8080, exposed_as=80, public=True, hosts=("shop.example.com",)),
            Port(8443, exposed_as=443, public=True),
            Port(5353, exposed_as=53, protocol="UDP", public=True, ip="myip"),
            Port(9000),
        )
    ),
    service("leased", ports=(Port(8081, exposed_as=80, public=True, ip="myip"),)),
)
CONTROLLER = Peer("10.244.0.20", "ingress-nginx", {"app.kubernetes.io/name": "ingress-nginx"})
BALANCED, LEASED = {("TCP", 8443), ("UDP", 5353)}, {("TCP", 8081)}


@pytest.mark.parametrize(
    ("source", "web", "leased"),
    [
        (CONTROLLER, BALANCED | {("TCP", 8080)}, LEASED),
        (STRANGER, BALANCED, LEASED),
        (THEIRS, BALANCED, LEASED),
        (DNS, BALANCED, LEASED),
        (Peer("8.8.8.8"), BALANCED, LEASED),
        (Peer("10.0.0.9"), BALANCED, LEASED),
    ],
)
def test_http_ports_are_reached_by_the_ingress_controller_alone(
    source: Peer, web: set[tuple[str, int]], leased: set[tuple[str, int]]
) -> None:
    """A port on a leased address is reached directly, whatever its number."""
    policies = [BASE, *service_policies(SPACE, SHOP, NGINX)]
    ports = [("TCP", port) for port in (80, 443, 8080, 8081, 8443, 9000)] + [("UDP", 53), ("UDP", 5353)]
    for name, expected in (("web", web), ("leased", leased)):
        to = pod(SHOP, name, "10.244.0.8")
        assert {port for port in ports if may_enter(policies, source, to, port)} == expected
    assert not may_leave(policies, pod(SHOP, "web", "10.244.0.8"), CONTROLLER, ("TCP", 80))


def test_a_tenant_does_not_reach_another_through_a_node_port() -> None:
    assert not any(allowed(POLICIES, THEIRS, to, port) for to in (WEB, DB) for port in PORTS)


@pytest.mark.parametrize("kept", [[BASE], [p for p in POLICIES if p is not BASE]])
def test_either_policy_alone_still_denies(kept: list[Object]) -> None:
    for name in ("169.254.169.254", "10.0.0.1", "another tenant", "a pod elsewhere", "10.96.0.1"):
        assert not allowed(kept, WEB, PLACES[name], ("TCP", 8080)), name
    assert not may_enter(kept, STRANGER, DB, ("TCP", 5432))


def test_a_terminating_pod_without_its_policy_is_unreachable() -> None:
    assert not any(may_enter([BASE], source, WEB, ("TCP", 8080)) for source in (DB, THEIRS, STRANGER))


def test_foreign_pods_in_the_namespace_are_unaffected() -> None:
    assert allowed(POLICIES, Peer("10.244.0.9", SPACE, {"app": "theirs"}), STRANGER, ("TCP", 1))


@given(st.ip_addresses())
def test_only_global_addresses_are_reachable(address: IPv4Address | IPv6Address) -> None:
    reached = allowed(POLICIES, WEB, Peer(str(address)), ("TCP", 443))
    assert not reached or address.is_global or any(address in ip_network(each) for each in DOCUMENTATION)
    assert not (reached and address.is_multicast)


DOCUMENTATION = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")
"""Neither global nor in use."""


@pytest.mark.parametrize("whole", [["0.0.0.0/0"], ["0.0.0.0/1", "128.0.0.0/1"]])
def test_denied_ranges_may_cover_everything(whole: list[str]) -> None:
    policies = [base_policy(SPACE, [*whole, "::/0"])]
    assert not any(may_leave(policies, WEB, Peer(a), ("TCP", 443)) for a in ("8.8.8.8", "2a00:1450::1"))


def test_every_exception_lies_in_its_block() -> None:
    rules = base_spec(["fc00::/7", "fe80::/10", "10.0.0.0/7", "2000::/4", "203.0.113.0/24"])["egress"]
    blocks = [peer["ipBlock"] for peer in rules[1]["to"]]
    assert [block["cidr"] for block in blocks] == ["0.0.0.0/0", "2000::/3"]
    for block in blocks:
        whole, inside = ip_network(block["cidr"]), [ip_network(each) for each in block["except"]]
        assert all(each.network_address in whole and each.prefixlen > whole.prefixlen for each in inside)


def test_leases_in_namespaces_of_their_own_are_as_tight() -> None:
    spaces = {wanted.id: wanted for wanted in (MINE, OTHER)}
    policies = [
        policy
        for space, wanted in spaces.items()
        for policy in (base_policy(space, NODES), *service_policies(space, wanted))
    ]
    web, db = (
        Peer(f"10.244.1.{at}", MINE.id, labels(MINE.id, name)) for at, name in enumerate(("web", "db"))
    )
    theirs = Peer("10.244.1.9", OTHER.id, labels(OTHER.id, "web"))
    assert allowed(policies, web, db, ("TCP", 5432))
    assert not allowed(policies, theirs, db, ("TCP", 5432))
    assert not allowed(policies, web, theirs, ("TCP", 9000))
    outside = {name for name, to in PLACES.items() if allowed(policies, web, to, ("TCP", 443))}
    assert outside == INTERNET


def test_only_public_addresses_of_nodes_pods_and_services_need_a_rule() -> None:
    given = [
        "10.0.0.4",
        "node-0",
        "203.0.113.7",
        "fd00::1",
        "2a00:1450::7",
        "100.64.0.0/10",
        "198.51.100.9/24",
    ]
    assert ranges_in_internet(given) == ("198.51.100.0/24", "203.0.113.7/32", "2a00:1450::7/128")
    policies = [base_policy(SPACE, ranges_in_internet(given)), *service_policies(SPACE, MINE)]
    assert not may_leave(policies, WEB, Peer("198.51.100.200"), ("TCP", 443))
    assert may_leave(policies, WEB, Peer("203.0.113.8"), ("TCP", 443))
