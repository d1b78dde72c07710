"""Host names of workloads: an Ingress or an HTTPRoute for each service that is reached by HTTP; pure."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any

from reconciler.adapters.kubernetes import naming
from reconciler.adapters.kubernetes.pods import Rendering
from reconciler.values.clusters import IngressController, IngressSettings
from reconciler.values.desired import Port, Service
from reconciler.values.ids import WorkloadId
from reconciler.values.specification import DEFAULT_HTTP, HTTP_PORT, NEXT_CASES, NO_NEXT_CASE, HttpOptions

Manifest = dict[str, Any]
ROUTE_HOSTS_MAX = 16
"""Host names of one HTTPRoute."""
NGINX = "nginx.ingress.kubernetes.io/"
KIND_OF = {IngressController.NGINX: "ingress", IngressController.GATEWAY: "httproute"}


def http_ports(service: Service) -> tuple[Port, ...]:
    """The ports that are reached by HTTP under a host name."""
    return tuple(port for port in service.ports if port.is_ingress)


def generated_host(workload: WorkloadId, service: str, settings: IngressSettings) -> str:
    """The name of a service under the domain of the adapter, unique among all tenants."""
    return f"{naming.object_name(workload, service)}.{settings.domain}"


def http_manifests(rendering: Rendering) -> Iterator[Manifest]:
    """The Ingress of each service with HTTP ports, or its HTTPRoutes."""
    settings = rendering.settings.ingress
    for service in rendering.workload.services if settings else ():
        assert settings is not None
        if not http_ports(service):
            continue
        hosts = _hosts(rendering, service, settings)
        if settings.controller is IngressController.NGINX:
            yield _ingress(rendering, service, settings, hosts)
        else:
            yield from _routes(rendering, service, settings, hosts)


def _hosts(rendering: Rendering, service: Service, settings: IngressSettings) -> list[str]:
    """The generated name, then those of the specification."""
    named = (host.lower() for port in http_ports(service) for host in port.hosts)
    return list(dict.fromkeys([generated_host(rendering.workload.id, service.name, settings), *named]))


def _metadata(rendering: Rendering, service: Service, number: int = 0) -> Manifest:
    name = naming.object_name(rendering.workload.id, service.name)
    return {
        "name": f"{name}.{number}" if number else name,
        "namespace": rendering.namespace,
        "labels": naming.labels(rendering.workload.id, service.name),
    }


def _ingress(rendering: Rendering, service: Service, settings: IngressSettings, hosts: list[str]) -> Manifest:
    backend = {"name": naming.object_name(rendering.workload.id, service.name), "port": {"number": HTTP_PORT}}
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": backend}}
    meta = _metadata(rendering, service)
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": meta | {"annotations": _nginx_options(_options(service))},
        "spec": {
            "ingressClassName": settings.name,
            "rules": [{"host": host, "http": {"paths": [path]}} for host in hosts],
        },
    }


def _options(service: Service) -> HttpOptions:
    """Those of its first HTTP port that names any."""
    named = (port.http for port in http_ports(service) if port.http != DEFAULT_HTTP)
    return next(named, DEFAULT_HTTP)


def _nginx_options(options: HttpOptions) -> dict[str, str]:
    """As ingress-nginx reads them: whole seconds, rounded up; answers by name. It copies annotations into its
    configuration, so that only known words may reach them.
    """
    known = dict.fromkeys(case for case in options.next_cases if case in NEXT_CASES)
    cases = (f"http_{case}" if case.isdecimal() else case for case in known)
    is_off = NO_NEXT_CASE in options.next_cases
    return {
        f"{NGINX}proxy-body-size": str(options.body_bytes_max),
        f"{NGINX}proxy-read-timeout": _whole_seconds(options.read_timeout_milliseconds),
        f"{NGINX}proxy-send-timeout": _whole_seconds(options.send_timeout_milliseconds),
        f"{NGINX}proxy-next-upstream": NO_NEXT_CASE if is_off else " ".join(cases),
        f"{NGINX}proxy-next-upstream-timeout": _whole_seconds(options.next_timeout_milliseconds),
        f"{NGINX}proxy-next-upstream-tries": str(options.next_tries),
    }


def _whole_seconds(milliseconds: int) -> str:
    return str(ceil(milliseconds / 1_000))


def _routes(
    rendering: Rendering, service: Service, settings: IngressSettings, hosts: list[str]
) -> Iterator[Manifest]:
    """With the fields that the API server sets by default, so that they are no drift."""
    parent = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "namespace": settings.namespace,
        "name": settings.name,
    }
    backend = {
        "group": "",
        "kind": "Service",
        "name": naming.object_name(rendering.workload.id, service.name),
        "port": HTTP_PORT,
        "weight": 1,
    }
    rule = {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "backendRefs": [backend]}
    for number in range(0, len(hosts), ROUTE_HOSTS_MAX):
        spec = {
            "parentRefs": [parent],
            "hostnames": hosts[number : number + ROUTE_HOSTS_MAX],
            "rules": [rule],
        }
        yield {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": _metadata(rendering, service, number // ROUTE_HOSTS_MAX),
            "spec": spec,
        }
