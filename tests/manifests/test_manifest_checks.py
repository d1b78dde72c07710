"""Checks of manifests beside the recorded ones: what a tenant could use against the provider."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.groups import GroupSpec
from reconciler.manifests.manifest import DeploymentManifest, read_manifest
from reconciler.manifests.manifest_checks import check_against_groups, check_manifest
from reconciler.values.resources import LEASED_IP, RANDOM_PORT, Endpoint, ResourceUnit, Volume


def manifest(*exposes: dict[str, Any], services: int = 1) -> DeploymentManifest:
    """Services with these global exposes (default: port 80); `#` in a host name is the service's number."""
    size = {"size": {"val": "536870912"}}
    resources = {
        "id": 1,
        "cpu": {"units": {"val": "100"}},
        "gpu": {"units": {"val": "0"}},
        "memory": size,
        "storage": [{"name": "default"} | size],
        "endpoints": [],
    }
    listed = [{"port": 80, "proto": "TCP", "global": True} | expose for expose in exposes]
    service = {"name": "web-#", "image": "nginx", "count": 1, "resources": resources, "expose": listed}
    made = [json.loads(json.dumps(service).replace("#", str(number))) for number in range(services)]
    return read_manifest(json.dumps([{"name": "g", "services": made}]).encode())


def fault(made: DeploymentManifest, *groups: GroupSpec) -> str:
    """Why it is refused, by itself or against groups; "" if it is not."""
    try:
        check_manifest(made)
        if groups:
            check_against_groups(made, groups)
    except ManifestError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"nextCases": ["error timeout;\n} location /x {"]}, "next case is unknown"),
        ({"nextCases": ["error", ""]}, "next case is unknown"),
        ({"nextCases": ["off", "error"]}, "no other cases may be specified"),
        ({"maxBodySize": (100 << 20) + 1}, "body size cannot be greater than 104857600 bytes"),
        ({"readTimeout": 60_001}, "read timeout cannot be greater than 60000 ms"),
        ({"sendTimeout": 60_001}, "send timeout cannot be greater than 60000 ms"),
        ({"nextTimeout": 2**32 - 1}, "next timeout cannot be greater than 60000 ms"),
        ({"nextTries": 101}, "next tries cannot be greater than 100 containers"),
        ({"nextCases": ["off"], "maxBodySize": 100 << 20, "readTimeout": 60_000, "nextTries": 100}, ""),
        ({"nextCases": ["error", "429"]}, ""),
        ({}, ""),
    ],
)
def test_http_options_have_the_limits_of_an_sdl_file(options: dict[str, Any], error: str) -> None:
    found = fault(manifest({"httpOptions": options}))
    assert error in found
    assert bool(error) == bool(found)


@pytest.mark.parametrize(
    ("named", "paid", "error"),
    [
        ([("a", 1), ("b", 2)], [1, 2], ""),
        ([("a", 1), ("a", 1), ("b", 2)], [1, 1, 2], ""),
        ([("a", 1), ("b", 1), ("c", 1)], [1, 1, 1], "endpoint sequence number 1 has several leased IPs"),
        ([("a", 0), ("b", 0)], [0, 0], "endpoint sequence number 0 has several leased IPs"),
        ([("a", 1), ("a", 2)], [1, 2], 'leased IP "a" has several endpoint sequence numbers'),
        ([("a", 1), ("b", 2)], [1, 1], "over-utilized IP endpoints"),
        ([("a", 1)], [1, 2], "under-utilized (1) IP endpoints"),
    ],
)
def test_each_leased_address_is_paid(named: list[tuple[str, int]], paid: list[int], error: str) -> None:
    exposes = [
        {"port": 1_000 + place, "ip": name, "endpointSequenceNumber": number}
        for place, (name, number) in enumerate(named)
    ]
    ports = (Endpoint(RANDOM_PORT),) * len(named)
    unit = ResourceUnit(
        id=1,
        count=1,
        cpu_milli=100,
        memory_bytes=512 << 20,
        storage=(Volume("default", 512 << 20),),
        gpu=0,
        price=Decimal(1),
        denom="uve",
        endpoints=(*ports, *(Endpoint(LEASED_IP, number) for number in paid)),
    )

    found = fault(manifest(*exposes), GroupSpec("g", (unit,)))

    assert error in found
    assert bool(error) == bool(found)


@pytest.mark.parametrize(
    ("exposes", "hosts", "services", "error"),
    [
        (100, 0, 1, ""),
        (101, 0, 1, 'service "web-0" exposes more than 100 ports'),
        (1, 32, 1, ""),
        (1, 33, 1, 'service "web-0" has more than 32 hostnames'),
        (3, 11, 1, 'service "web-0" has more than 32 hostnames'),
        (1, 25, 4, ""),
        (1, 21, 5, 'group "g" has more than 100 hostnames'),
    ],
)
def test_ports_and_host_names_have_limits(exposes: int, hosts: int, services: int, error: str) -> None:
    listed = [
        {"port": 80 + port, "hosts": [f"h{name}.p{port}.s#.example.org" for name in range(hosts)]}
        for port in range(exposes)
    ]
    found = fault(manifest(*listed, services=services))
    assert error in found
    assert bool(error) == bool(found)
