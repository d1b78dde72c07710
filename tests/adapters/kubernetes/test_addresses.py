"""The addresses of workloads in the read model."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.adapters.kubernetes import naming
from reconciler.adapters.kubernetes.addresses import service_addresses
from reconciler.values.addresses import AddressKind, ServiceAddress, public_host_of
from tests.adapters.kubernetes.makers import raw

PORTS = [
    {"port": 80, "targetPort": 8080, "nodePort": 31080, "protocol": "TCP"},
    {"port": 53, "targetPort": 5353, "nodePort": 31053, "protocol": "UDP"},
]


def live(kind: str, *addresses: dict[str, str], ports: Any = PORTS, **annotations: str) -> bytes:
    metadata = {"name": "web", "labels": {naming.SERVICE: "web"}, "annotations": annotations}
    status = {"loadBalancer": {"ingress": list(addresses)} if addresses else {}}
    return raw({"metadata": metadata, "spec": {"type": kind, "ports": ports}, "status": status})


def port(host: str, inner: int, outer: int, protocol: str = "TCP") -> ServiceAddress:
    return ServiceAddress("web", AddressKind.PORT, host, inner, outer, protocol)


NAMED = {"hostname": "LB.example.com"}
IP = {"ip": "198.51.100.7"}
BALANCED = (port("198.51.100.7", 5353, 53, "UDP"), port("198.51.100.7", 8080, 80))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (live("ClusterIP"), ()),
        (live("NodePort"), (port("", 5353, 31053, "UDP"), port("", 8080, 31080))),
        (live("NodePort", ports=[{"port": 80, "targetPort": 80}]), ()),
        (live("LoadBalancer"), ()),
        (live("LoadBalancer", IP), BALANCED),
        (live("LoadBalancer", NAMED, ports=PORTS[:1]), (port("lb.example.com", 8080, 80),)),
        (live("LoadBalancer", {"ip": "no\u0007address"}), ()),
        (live("NodePort", ports=None), ()),
    ],
)
def test_a_service_is_reached_by_what_its_type_gives_it(
    found: bytes, expected: tuple[ServiceAddress, ...]
) -> None:
    assert service_addresses(found) == expected


def test_a_load_balancer_of_a_leased_ip_is_that_address() -> None:
    found = service_addresses(live("LoadBalancer", IP, **{naming.LEASED_IP: "myip"}))
    assert {each.kind for each in found} == {AddressKind.LEASED_IP}


def test_a_node_port_is_reached_under_the_name_of_the_adapter_or_of_the_provider() -> None:
    assert port("", 80, 31080).at("nodes.example.com").host == "nodes.example.com"
    assert port("192.0.2.1", 80, 31080).at("nodes.example.com").host == "192.0.2.1"
    uris = ("https://provider.example.com:8443", "https://[2001:db8::1]:8443", "https://[", "")
    assert [public_host_of(uri) for uri in uris] == ["provider.example.com", "2001:db8::1", "", ""]


def test_addresses_are_described_as_people_use_them() -> None:
    assert [each.describe() for each in (*BALANCED, port("2001:db8::1", 80, 31080))] == [
        "198.51.100.7:53 UDP (service web, port 5353)",
        "198.51.100.7:80 (service web, port 8080)",
        "[2001:db8::1]:31080 (service web, port 80)",
    ]
    named = ServiceAddress("web", AddressKind.HOST_NAME, "a.example.com", 80)
    assert named.describe() == "http://a.example.com (service web)"
