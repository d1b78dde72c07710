"""`adapters/ansible.yaml`: plain hosts that run containers, and how they are used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler.values.resources import Attribute, Resources

HERE = "localhost"
"""The address that means this machine, which is reached without SSH."""


class ContainerEngine(StrEnum):
    """What runs containers on a host."""

    PODMAN = "podman"
    DOCKER = "docker"


@dataclass(frozen=True, slots=True)
class AnsibleHost:
    """A host; `capacity` None: what it says of itself."""

    name: str
    address: str
    port: int = 22
    capacity: Resources | None = None
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class AnsibleGroup:
    """Hosts that are reached in the same way, and looked at in one run; `user` "" is the daemon's own."""

    name: str
    hosts: tuple[AnsibleHost, ...]
    user: str = ""
    sudo: bool = False
    engine: ContainerEngine = ContainerEngine.PODMAN


@dataclass(frozen=True, slots=True)
class Isolation:
    """What keeps tenants apart on a host beyond a network of their own: processes in a container, images
    (patterns) whose root is read-only, and whether the hosts' storage enforces sizes.
    """

    processes: int = 1_024
    read_only_images: tuple[str, ...] = ()
    storage_quota: bool = False


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Time-outs in seconds: to connect, to look at a group, to apply or remove, before a container that does
    not stop is killed, and how old a look may be before its host counts as unseen.
    """

    connect: int = 10
    look: int = 60
    apply: int = 600
    stop: int = 10
    stale: int = 90


@dataclass(frozen=True, slots=True)
class AnsibleSettings:
    """`publish` is the address on which hosts offer public ports, `ports` the lowest and highest of them;
    `storage` the directory on each host that holds our records; `runs` at once, each at `forks` hosts.
    """

    enabled: bool = False
    groups: tuple[AnsibleGroup, ...] = ()
    publish: str = "0.0.0.0"  # noqa: S104  # public ports are for everyone
    ports: tuple[int, int] = (1, 65_535)
    storage: str = "/var/lib/provider-workloads"
    isolation: Isolation = Isolation()
    runs: int = 4
    forks: int = 10
    look_every: float = 10
    patience: Timeouts = Timeouts()

    @property
    def hosts(self) -> Mapping[str, AnsibleHost]:
        """Every host by its name."""
        return {host.name: host for group in self.groups for host in group.hosts}
