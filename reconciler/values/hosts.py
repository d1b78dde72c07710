"""An adapter file of kind AnsibleAdapter: plain hosts that run containers, and their settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import ClassVar

from reconciler.values.adapters import AdapterKind
from reconciler.values.resources import Attribute, Resources

LOCALHOST = "localhost"
"""The address of this machine, which is reached without SSH."""


class ContainerEngine(StrEnum):
    """The container engine of a host."""

    PODMAN = "podman"
    DOCKER = "docker"


@dataclass(frozen=True, slots=True)
class AnsibleHost:
    """A host; `capacity` None: as the host itself reports."""

    name: str
    address: str
    port: int = 22
    capacity: Resources | None = None
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class AnsibleGroup:
    """Hosts with the same connection settings, observed in one run; `user` "" is the daemon's own."""

    name: str
    hosts: tuple[AnsibleHost, ...]
    user: str = ""
    sudo: bool = False
    engine: ContainerEngine = ContainerEngine.PODMAN


@dataclass(frozen=True, slots=True)
class Isolation:
    """Limits of a tenant's containers beyond their own network: processes in a container, images (patterns)
    with a read-only root, and whether the hosts' storage enforces sizes.
    """

    pids_limit: int = 1_024
    read_only_images: tuple[str, ...] = ()
    storage_quota: bool = False


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, to observe a group, to apply or remove workloads, from stopping to killing a
    container, and until an observation is stale.
    """

    connect: int = 10
    observe: int = 60
    apply: int = 600
    stop: int = 10
    stale: int = 90


@dataclass(frozen=True, slots=True)
class AnsibleSettings:
    """`publish` is the address for public ports on the hosts, `ports` the lowest and highest of them;
    `storage` is the directory on each host for our records; at most `concurrent_runs` runs change hosts at
    once, and each run works on `forks` hosts in parallel. `is_self_healing`: lost containers are replaced
    without an apply.
    """

    kind: ClassVar[AdapterKind] = AdapterKind.ANSIBLE
    is_self_healing: ClassVar[bool] = False
    enabled: bool = False
    groups: tuple[AnsibleGroup, ...] = ()
    publish: str = "0.0.0.0"  # noqa: S104  # public ports are for everyone
    ports: tuple[int, int] = (1, 65_535)
    storage: str = "/var/lib/provider-workloads"
    isolation: Isolation = Isolation()
    concurrent_runs: int = 4
    forks: int = 10
    observe_every_seconds: float = 10
    timeouts: Timeouts = Timeouts()

    @property
    def rendering(self) -> str:
        """The settings that containers are created with; a change replaces them."""
        return repr((self.publish, self.isolation))

    @property
    def hosts(self) -> Mapping[str, AnsibleHost]:
        """Every host by name."""
        return {host.name: host for group in self.groups for host in group.hosts}


def host_identity(address: str, port: int) -> str:
    """Equal for two spellings of one address and port; on this machine the port does not count."""
    address = address.lower()
    if is_this_machine(address):
        return LOCALHOST
    return f"{address_number(address) or address} {port}"


def is_this_machine(address: str) -> bool:
    """Whether an address (in lower case) is loopback or unspecified, in any spelling."""
    if (number := address_number(address)) is not None:
        mapped = number.ipv4_mapped if isinstance(number, IPv6Address) else None
        return (mapped or number).is_loopback or (mapped or number).is_unspecified
    labels = address.rstrip(".").split(".")
    return "localhost" in (labels[0], labels[-1])


def address_number(address: str) -> IPv4Address | IPv6Address | None:
    """The IP address that a text spells; None for a name or an unusual spelling."""
    try:
        return ip_address(address)
    except ValueError:
        return None
