"""Host names, outer ports and leased addresses, as a cluster's objects."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from reconciler.adapters.kubernetes import manifests, naming
from reconciler.adapters.kubernetes.addresses import addresses_of
from reconciler.adapters.kubernetes.api_errors import ApiError, outcome_of
from reconciler.adapters.kubernetes.manifests import http_manifests, parts_of, service_manifests
from reconciler.adapters.kubernetes.pods import Rendering
from reconciler.adapters.kubernetes.services import sharing_key
from reconciler.adapters.kubernetes.troubles import network_trouble
from reconciler.adapters.kubernetes.views import part_view
from reconciler.values.clusters import (
    GlobalPorts,
    IngressController,
    IngressSettings,
    KubernetesSettings,
    LeasedIpPool,
)
from reconciler.values.desired import Port, Workload
from reconciler.values.features import Feature, features_of, unsupported
from reconciler.values.outcomes import Failed
from reconciler.values.specification import HttpOptions
from tests.adapters.kubernetes.makers import Object, raw, rendering
from tests.contracts.adapter_backends import lease, service, workload

NGINX = IngressSettings(IngressController.NGINX, "nginx", "apps.example.com", "ingress-nginx")
GATEWAY = IngressSettings(IngressController.GATEWAY, "public", "apps.example.com", "envoy", "infra")
POOL = LeasedIpPool("tenants", 4)
OPTIONS = HttpOptions(5 << 20, 1_500, 60_000, 2, 0, ("error", "503"))
SHOP = Port(8080, 80, public=True, hosts=("Shop.example.com",), http=OPTIONS)
MIXED = (SHOP, Port(9000, 9443, public=True), Port(5432), Port(53, protocol="UDP", public=True, ip="myip"))
WEB = workload(1, service(ports=MIXED), service("db", ports=(Port(5432),)))
OWN = f"web-{WEB.id}.apps.example.com"


def http(wanted: Workload = WEB, ingress: IngressSettings = NGINX) -> list[Object]:
    return http_manifests(rendering(wanted, ingress=ingress))


def ports_by_service(**settings: Any) -> dict[str, tuple[str, list[int]]]:
    found = service_manifests(rendering(WEB, **settings))
    return {
        each["metadata"]["name"].replace(WEB.id, "ID"): (
            each["spec"]["type"],
            [port["port"] for port in each["spec"]["ports"]],
        )
        for each in found
    }


def test_a_service_with_host_names_has_an_ingress_with_its_options() -> None:
    (made,) = http()
    assert made["spec"]["ingressClassName"] == "nginx"
    assert [rule["host"] for rule in made["spec"]["rules"]] == [OWN, "shop.example.com"]
    (path,) = made["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"] == {"name": f"web-{WEB.id}", "port": {"number": 80}}
    notes = made["metadata"]["annotations"]
    options = {key.partition("/")[2]: value for key, value in notes.items() if key.startswith("nginx.")}
    assert options == {
        "proxy-body-size": str(5 << 20),
        "proxy-read-timeout": "2",
        "proxy-send-timeout": "60",
        "proxy-next-upstream": "error http_503",
        "proxy-next-upstream-timeout": "0",
        "proxy-next-upstream-tries": "2",
    }


@pytest.mark.parametrize(
    ("cases", "annotation"),
    [
        (("off",), "off"),
        (("timeout", "429", "timeout"), "timeout http_429"),
        (("error timeout;\n} location /x {", "500"), "http_500"),
        (("http_500", "error;", "http_"), ""),
    ],
)
def test_only_known_cases_reach_the_configuration_of_nginx(cases: tuple[str, ...], annotation: str) -> None:
    port = replace(SHOP, http=HttpOptions(next_cases=cases))
    (made,) = http(workload(1, service(ports=(port,))))
    key = "nginx.ingress.kubernetes.io/proxy-next-upstream"
    assert made["metadata"]["annotations"][key] == annotation


def test_routes_of_the_gateway_api_have_at_most_16_host_names() -> None:
    many = tuple(f"h{n}.example.com" for n in range(20))
    wanted = workload(1, service(ports=(replace(SHOP, hosts=many),)))
    made = http(wanted, GATEWAY)
    assert [each["metadata"]["name"] for each in made] == [f"web-{wanted.id}", f"web-{wanted.id}.1"]
    assert [host for each in made for host in each["spec"]["hostnames"]] == [OWN, *many]
    assert made[0]["spec"]["parentRefs"][0] | {"group": "", "kind": ""} == {
        "group": "",
        "kind": "",
        "namespace": "infra",
        "name": "public",
    }
    listed = parts_of(rendering(wanted, ingress=GATEWAY))
    assert {f"httproute/{each['metadata']['name']}" for each in made} <= set(listed)


def test_the_parts_are_listed_once_for_all_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[Rendering] = []

    def counted(wanted: Rendering) -> tuple[str, ...]:
        listed.append(wanted)
        return parts_of(wanted)

    monkeypatch.setattr(manifests, "parts_of", counted)
    many = tuple(f"h{n}.example.com" for n in range(50))
    made = http(workload(1, service(ports=(replace(SHOP, hosts=many),))), GATEWAY)
    assert (len(made), len(listed)) == (4, 1)


def test_every_global_port_has_one_way_in() -> None:
    inner = {"web-ID": ("ClusterIP", [80, 9443, 5432, 53]), "db-ID": ("ClusterIP", [5432])}
    assert ports_by_service() == inner | {"web-ID-np": ("NodePort", [80, 9443, 53])}
    outer = ports_by_service(ingress=NGINX, global_ports=GlobalPorts.LOAD_BALANCER)
    assert outer == inner | {"web-ID-np": ("LoadBalancer", [9443, 53])}
    leased = ports_by_service(ingress=NGINX, leased_ips=POOL)
    (address,) = leased.keys() - inner.keys() - {"web-ID-np"}
    assert address.endswith("-ID-ip")
    assert leased[address] == ("LoadBalancer", [53])


def test_addresses_are_shared_by_name_within_a_tenant() -> None:
    made = [
        each
        for each in service_manifests(rendering(WEB, leased_ips=POOL))
        if each["metadata"]["name"].endswith("-ip")
    ]
    notes = made[0]["metadata"]["annotations"]
    assert notes["metallb.io/address-pool"] == "tenants"
    assert notes["metallb.io/allow-shared-ip"] == sharing_key(lease(2), "myip")
    assert made[0]["spec"]["allocateLoadBalancerNodePorts"] is False
    others = (sharing_key(lease(1), "other"), sharing_key(lease(1), "odd_name"))
    assert len({*others, notes["metallb.io/allow-shared-ip"]}) == 3
    assert all("_" not in key.partition("-ip-")[2] for key in others)


def test_a_changed_option_or_pool_is_drift_and_our_own_annotations_are_not() -> None:
    (ingress,) = http()
    assert part_view(raw(ingress), "ingress").drift == ""
    key = "nginx.ingress.kubernetes.io/proxy-body-size"
    for changed in ({key: "1"}, {key: None}):
        notes = ingress["metadata"]["annotations"] | changed
        live = ingress | {
            "metadata": ingress["metadata"]
            | {"annotations": {name: value for name, value in notes.items() if value is not None}}
        }
        assert part_view(raw(live), "ingress").drift != ""
    rules = json.loads(json.dumps(ingress["spec"]))
    rules["rules"][0]["host"] = "evil.example.com"
    assert part_view(raw(ingress | {"spec": rules}), "ingress").drift != ""


@pytest.mark.parametrize(("ingress", "kind"), [(NGINX, "ingress"), (GATEWAY, "httproute")])
def test_host_names_are_addresses_of_the_workload(ingress: IngressSettings, kind: str) -> None:
    (made,) = http(ingress=ingress)
    found = addresses_of(raw(made), kind)
    assert [(each.service, each.host) for each in found] == [("web", "shop.example.com"), ("web", OWN)]
    assert made["metadata"]["labels"][naming.SERVICE] == "web"


def test_a_route_that_its_gateway_does_not_serve_is_a_trouble() -> None:
    (made,) = http(ingress=GATEWAY)
    served = {"type": "Accepted", "status": "True"}
    refused = {"type": "Accepted", "status": "False", "reason": "NotAllowedByListeners", "message": "no\n"}
    for condition, expected in ((served, ""), (refused, "NotAllowedByListeners: no")):
        live = made | {"status": {"parents": [{"conditions": [condition]}]}}
        view = part_view(raw(live), "httproute")
        assert view.refusal == expected
        trouble = network_trouble([part_view(raw(made), "httproute"), view])
        assert (trouble.reason if trouble else "") == ("NetworkBlocked" if expected else "")


@pytest.mark.parametrize(
    ("settings", "lacking"),
    [
        ({}, {Feature.HOST_NAME, Feature.HTTP_OPTIONS, Feature.LEASED_IP}),
        ({"ingress": GATEWAY, "leased_ips": POOL}, {Feature.HTTP_OPTIONS}),
        ({"ingress": NGINX}, {Feature.LEASED_IP}),
        ({"ingress": NGINX, "leased_ips": POOL}, set()),
    ],
)
def test_an_adapter_provides_what_its_file_names(settings: dict[str, Any], lacking: set[Feature]) -> None:
    provided = features_of(KubernetesSettings(**settings))
    assert {need.feature for need in unsupported(WEB, provided)} == lacking


def test_without_settings_of_host_names_the_rendering_is_as_before() -> None:
    assert KubernetesSettings().rendering == ""
    made = KubernetesSettings(ingress=NGINX, leased_ips=POOL).rendering
    assert made == "ingress=nginx//nginx/apps.example.com/ingress-nginx leased_ips=tenants"


def test_a_host_name_of_another_ingress_is_named_as_such() -> None:
    why = 'admission webhook denied the request: host "a" and path "/" is already defined in ingress x/y'
    found = outcome_of(ApiError(400, why))
    assert isinstance(found, Failed)
    assert found.reason == "HostNameTaken"
