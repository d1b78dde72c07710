"""Network policies of workloads; pure.

The base policy limits every workload in the namespace to DNS and the internet. The policy of each service
adds the other services of its lease, and its public ports. Policies are additive: either of the two alone
still denies everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any, TypeVar

from reconciler.adapters.kubernetes import naming
from reconciler.values.clusters import IngressSettings
from reconciler.values.desired import Port, Service, Workload
from reconciler.values.ids import WorkloadId

Manifest = dict[str, Any]
Network = TypeVar("Network", IPv4Network, IPv6Network)
API_VERSION = "networking.k8s.io/v1"
INTERNET_4 = IPv4Network("0.0.0.0/0")
INTERNET_6 = IPv6Network("2000::/3")
"""Global unicast: unique-local (fc00::/7), link-local (fe80::/10), multicast, loopback, IPv4-mapped and NAT64
addresses lie outside.
"""

NOT_INTERNET = (
    "0.0.0.0/8",  # this network
    "10.0.0.0/8",  # private
    "100.64.0.0/10",  # carrier
    "127.0.0.0/8",  # loopback
    "169.254.0.0/16",  # link-local: metadata of clouds
    "168.63.129.16/32",  # metadata of Azure, at a public address
    "172.16.0.0/12",  # private
    "192.0.0.0/24",  # protocol assignments: metadata of some clouds
    "192.168.0.0/16",  # private
    "198.18.0.0/15",  # benchmarks
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, broadcast
    "2001::/23",  # protocol assignments: Teredo holds an IPv4 address
    "2002::/16",  # 6to4: holds an IPv4 address
)
DNS_NAMESPACE = "kube-system"
DNS_ON_NODE = "169.254.20.10/32"
"""The address of NodeLocal DNSCache by convention."""


def base_policy(namespace: str, denied: Iterable[str], labels: Mapping[str, str] | None = None) -> Manifest:
    """For every pod of every workload in the namespace; `denied` are further ranges without access, such as
    public addresses of nodes.
    """
    owned = {naming.MANAGED_BY: naming.MANAGER} | dict(labels or {})
    meta = {"name": naming.POLICY_NAME, "namespace": namespace, "labels": owned}
    spec = base_spec(denied)
    return {"apiVersion": API_VERSION, "kind": "NetworkPolicy", "metadata": meta, "spec": spec}


def base_spec(denied: Iterable[str]) -> Manifest:
    """The specification alone, for comparison with the live policy."""
    return {
        "podSelector": {"matchExpressions": [{"key": naming.WORKLOAD, "operator": "Exists"}]},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [],  # not stored, so that each apply is a write; without it, an added rule would stay
        "egress": [_dns(), *_internet(denied)],
    }


def ranges_in_internet(ranges: Iterable[str]) -> tuple[str, ...]:
    """Those addresses and ranges, in CIDR notation and sorted, that are not denied anyway; text that is
    neither is left out.
    """
    denied = [ip_network(each) for each in NOT_INTERNET]
    found: set[str] = set()
    for text in ranges:
        try:
            network = ip_network(text, strict=False)
        except ValueError:
            continue
        whole = INTERNET_4 if isinstance(network, IPv4Network) else INTERNET_6
        if network.overlaps(whole) and not any(_is_within(network, each) for each in denied):
            found.add(str(network))
    return tuple(sorted(found))


def service_policy_spec(
    workload: WorkloadId, service: Service, controller: IngressSettings | None = None
) -> Manifest:
    """Traffic with the pods of the same lease; from everywhere, the public ports; those that are reached
    under host names alone, from the ingress controller's namespace.
    """
    lease = {"podSelector": {"matchLabels": {naming.WORKLOAD: workload}}}
    ingress: list[Manifest] = [{"from": [lease]}]
    public = [port for port in service.ports if port.public]
    named = [port for port in public if port.is_ingress] if controller else []
    if open_to_all := [port for port in public if port not in named or port.ip]:
        ingress.append({"ports": _ports(open_to_all)})
    if named:
        assert controller is not None
        ingress.append({"from": [_namespace(controller.pods_namespace)], "ports": _ports(named)})
    return {
        "podSelector": {"matchLabels": naming.selector(workload, service.name)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": ingress,
        "egress": [{"to": [lease]}],
    }


def _ports(ports: Iterable[Port]) -> list[Manifest]:
    listed = sorted({(port.port, port.protocol) for port in ports})
    return [{"protocol": protocol, "port": port} for port, protocol in listed]


def _namespace(name: str) -> Manifest:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def service_policies(
    namespace: str, workload: Workload, controller: IngressSettings | None = None
) -> Iterable[Manifest]:
    """A policy for each service, under its Deployment's name."""
    for service in workload.services:
        yield {
            "apiVersion": API_VERSION,
            "kind": "NetworkPolicy",
            "metadata": {
                "name": naming.object_name(workload.id, service.name),
                "namespace": namespace,
                "labels": naming.labels(workload.id, service.name),
            },
            "spec": service_policy_spec(workload.id, service, controller),
        }


def _dns() -> Manifest:
    return {
        "to": [_namespace(DNS_NAMESPACE), {"ipBlock": {"cidr": DNS_ON_NODE}}],
        "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
    }


def _internet(denied: Iterable[str]) -> list[Manifest]:
    """No rule if the ranges cover all of it."""
    ranges = [ip_network(each) for each in (*NOT_INTERNET, *denied)]
    blocks = [_block(INTERNET_4, ranges), _block(INTERNET_6, ranges)]
    allowed = [block for block in blocks if block is not None]
    return [{"to": allowed}] if allowed else []


def _is_within(network: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    if isinstance(network, IPv4Network) and isinstance(other, IPv4Network):
        return network.subnet_of(other)
    return isinstance(network, IPv6Network) and isinstance(other, IPv6Network) and network.subnet_of(other)


def _block(whole: Network, ranges: list[IPv4Network | IPv6Network]) -> Manifest | None:
    """`whole` without the ranges within it; None if a range covers it."""
    same = [each for each in ranges if isinstance(each, type(whole)) and each.overlaps(whole)]
    if any(each.prefixlen <= whole.prefixlen for each in same):
        return None
    return {"ipBlock": {"cidr": str(whole), "except": [str(each) for each in collapse_addresses(same)]}}
