"""Evaluates NetworkPolicies as the API reference defines them, independently of the code under test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

Object = dict[str, Any]
Labels = Mapping[str, str]


@dataclass(frozen=True)
class Peer:
    """An end of a connection: a pod with labels and namespace, or a bare address."""

    address: str
    namespace: str = ""
    labels: Labels = field(default_factory=dict)


def allowed(policies: list[Object], source: Peer, to: Peer, port: tuple[str, int]) -> bool:
    """Whether the policies of both ends allow the connection."""
    return may_leave(policies, source, to, port) and may_enter(policies, source, to, port)


def may_leave(policies: list[Object], source: Peer, to: Peer, port: tuple[str, int]) -> bool:
    """By the policies that select the source."""
    return _may(policies, "Egress", source, (to, port))


def may_enter(policies: list[Object], source: Peer, to: Peer, port: tuple[str, int]) -> bool:
    """By the policies that select the destination."""
    return _may(policies, "Ingress", to, (source, port))


def _may(policies: list[Object], side: str, pod: Peer, other: tuple[Peer, tuple[str, int]]) -> bool:
    selecting = [
        p
        for p in policies
        if p["metadata"]["namespace"] == pod.namespace
        and _selects(p["spec"]["podSelector"], pod.labels)
        and side in p["spec"]["policyTypes"]
    ]
    if not selecting:
        return True
    peers, rules = ("to", "egress") if side == "Egress" else ("from", "ingress")
    return any(
        _peers_match(rule.get(peers), other[0], policy["metadata"]["namespace"])
        and _ports_match(rule.get("ports"), other[1])
        for policy in selecting
        for rule in policy["spec"].get(rules) or ()
    )


def _peers_match(peers: list[Object] | None, other: Peer, namespace: str) -> bool:
    return not peers or any(_peer_matches(peer, other, namespace) for peer in peers)


def _peer_matches(peer: Object, other: Peer, namespace: str) -> bool:
    if block := peer.get("ipBlock"):
        address = ip_address(other.address)
        inside = address in ip_network(block["cidr"])
        return inside and not any(address in ip_network(each) for each in block.get("except", ()))
    if not other.namespace:
        return False
    if "namespaceSelector" in peer:
        names = {"kubernetes.io/metadata.name": other.namespace}
        return _selects(peer["namespaceSelector"], names) and _selects(
            peer.get("podSelector", {}), other.labels
        )
    return other.namespace == namespace and _selects(peer["podSelector"], other.labels)


def _ports_match(ports: list[Object] | None, port: tuple[str, int]) -> bool:
    return not ports or any((each.get("protocol", "TCP"), each["port"]) == port for each in ports)


def _selects(selector: Object, labels: Labels) -> bool:
    wanted = selector.get("matchLabels", {})
    for each in selector.get("matchExpressions", ()):
        assert each["operator"] == "Exists", "the only one that we use"
        if each["key"] not in labels:
            return False
    return all(labels.get(name) == value for name, value in wanted.items())
