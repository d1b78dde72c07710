"""`adapters/ansible.yaml`: plain hosts that run containers, and their settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

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
    once, and each run works on `forks` hosts in parallel.
    """

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
    def hosts(self) -> Mapping[str, AnsibleHost]:
        """Every host by name."""
        return {host.name: host for group in self.groups for host in group.hosts}
