"""Parts of a service's specification: volumes, HTTP options, credentials, probes and rollouts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.values.resources import SHARED_MEMORY_CLASS, Parts

DEFAULT_CLASS = "default"
"""Of a persistent volume that names none."""
GRACE_SECONDS = 30
"""From stopping a container to killing it, unless its service says otherwise."""
HTTP_PORT = 80
NEXT_CASES = ("error", "timeout", "500", "502", "503", "504", "403", "404", "429")
"""After which answers of a container the next one is tried (semantics 6.7)."""
NO_NEXT_CASE = "off"


@dataclass(frozen=True, slots=True)
class ServiceVolume:
    """A volume of each container. `storage_class` "" is ephemeral, `ram` is memory; any other persists."""

    name: str
    size_bytes: int
    mount: str
    storage_class: str = ""
    read_only: bool = False

    @property
    def is_persistent(self) -> bool:
        """Whether its data outlives the container."""
        return self.storage_class not in ("", SHARED_MEMORY_CLASS)


def storage_classes(volumes: tuple[ServiceVolume, ...]) -> Parts[str]:
    """The bytes of each class."""
    found: dict[str, int] = {}
    for volume in volumes:
        if volume.storage_class:
            found[volume.storage_class] = found.get(volume.storage_class, 0) + volume.size_bytes
    return tuple(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """How HTTP requests to a port are passed on; the defaults are those of an SDL file (semantics 6.7)."""

    body_bytes_max: int = 1 << 20
    read_timeout_milliseconds: int = 60_000
    send_timeout_milliseconds: int = 60_000
    next_tries: int = 3
    next_timeout_milliseconds: int = 0
    next_cases: tuple[str, ...] = ("error", "timeout")


DEFAULT_HTTP = HttpOptions()


@dataclass(frozen=True, slots=True)
class ImageCredentials:
    """Who pulls an image: the password is sealed, or in a secret that the host file grants (`name/key`). An
    adapter gets a sealed one as plain `password`, which it keeps in a secret.
    """

    host: str
    username: str
    secret: str = ""
    sealed: str = ""
    email: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ContainerProbe:
    """A check of a container: HTTP where there is a path, a TCP connection where there is only a port, else a
    command in the container.
    """

    port: int = 0
    path: str = ""
    command: tuple[str, ...] = ()
    initial_delay_seconds: int = 0
    period_seconds: int = 10
    timeout_seconds: int = 1
    failures: int = 3


class RolloutStrategy(StrEnum):
    """How the containers of a changed service are replaced."""

    ROLLING_UPDATE = "RollingUpdate"
    RECREATE = "Recreate"


@dataclass(frozen=True, slots=True)
class Rollout:
    """The strategy; while it rolls, at most `max_unavailable` containers are missing."""

    strategy: RolloutStrategy = RolloutStrategy.ROLLING_UPDATE
    max_unavailable: int = 1


DEFAULT_ROLLOUT = Rollout()
