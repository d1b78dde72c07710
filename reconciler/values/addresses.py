"""Addresses under which tenants and their users reach the services of a workload."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlsplit

from reconciler.values.specification import HTTP_PORT


class AddressKind(StrEnum):
    """HTTP under a host name, a forwarded port of a machine or load balancer, or a port of a leased IP."""

    HOST_NAME = "host-name"
    PORT = "port"
    LEASED_IP = "leased-ip"


@dataclass(frozen=True, slots=True, order=True)
class ServiceAddress:
    """Under `host` and `external_port`, the `port` of a service is reached. A `host` "" is the public host
    name of the provider; that of a leased IP is the address.
    """

    service: str
    kind: AddressKind
    host: str
    port: int
    external_port: int = HTTP_PORT
    protocol: str = "TCP"

    def describe(self) -> str:
        """Such as `nodes.example.com:31234 (service web, port 80)`, or the URL of a host name."""
        if self.kind is AddressKind.HOST_NAME:
            return f"http://{self.host} (service {self.service})"
        host = f"[{self.host}]" if ":" in self.host else self.host
        protocol = "" if self.protocol == "TCP" else f" {self.protocol}"
        return f"{host}:{self.external_port}{protocol} (service {self.service}, port {self.port})"

    def at(self, public_host: str) -> ServiceAddress:
        """The address with this host, if it has none of its own."""
        return self if self.host or not public_host else replace(self, host=public_host)


def public_host_of(host_uri: str) -> str:
    """The host name in a provider record's URI; "" if there is none."""
    try:
        return urlsplit(host_uri).hostname or ""
    except ValueError:
        return ""


def denying_rule(host: str, rules: Collection[str]) -> str:
    """The rule that names a host ("": none does); `.example.com` covers the domain and all names below it."""
    dotted = f".{host.lower()}"
    suffixes = (dotted[place:] for place, character in enumerate(dotted) if character == ".")
    return next((each for each in (dotted[1:], *suffixes) if each in rules), "")


def is_host_denied(host: str, rules: Collection[str]) -> bool:
    """Whether a rule names a host."""
    return bool(denying_rule(host, rules))
