"""Limits of concurrent connections: in total, per client, and a reserve for local programs. Pure; the caller
gives the time.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

IPV6_NETWORK_BITS = 64
"""An IPv6 client usually owns a whole /64, so the network counts as one client."""

GRACE_SECONDS, LOCAL_GRACE_SECONDS = 1.0, 5.0
"""How long a remote and a local connection may be idle while others wait. Local programs get longer: they may
be many and slow.
"""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """`per_client` and `reserved` do not apply to local programs, at 127.0.0.1 and ::1."""

    total: int = 256
    per_client: int = 64
    reserved: int = 64


@dataclass(eq=False, slots=True)
class OpenConnection:
    """One connection: its client, its requests in progress, and since when it is idle (monotonic seconds)."""

    client: str
    idle_since: float
    requests: int = 0

    @property
    def grace_seconds(self) -> float:
        """Seconds that it may be idle while others wait."""
        return LOCAL_GRACE_SECONDS if is_local(self.client) else GRACE_SECONDS


@dataclass(slots=True)
class ConnectionTable:
    """The open connections, oldest first."""

    limits: ConnectionLimits
    open: dict[OpenConnection, None] = field(default_factory=dict)

    def has_room(self, client: str) -> bool:
        """Whether one more connection of a client is within the limits."""
        if len(self.open) >= self.limits.total:
            return False
        if is_local(client):
            return True
        remote = sum(not is_local(each.client) for each in self.open)
        return remote < self.limits.total - self.limits.reserved and not self.is_at_limit(client)

    def is_at_limit(self, client: str) -> bool:
        """Whether a remote client has reached its limit."""
        count = sum(each.client == client for each in self.open)
        return not is_local(client) and count >= self.limits.per_client

    def to_close(self, client: str, now: float) -> OpenConnection | None:
        """The connection to close for one more of a client: the one idle for longest, beyond its grace, of
        the client itself if it is at its limit, else of the client with the most connections.
        """
        counts: dict[str, int] = {}
        for each in self.open:
            counts[each.client] = counts.get(each.client, 0) + 1
        idle = [c for c in self.open if not c.requests and now - c.idle_since >= c.grace_seconds]
        if self.is_at_limit(client):
            idle = [each for each in idle if each.client == client]
        elif len(self.open) < self.limits.total:
            idle = [each for each in idle if not is_local(each.client)]  # only the reserve is left
        return min(idle, key=lambda each: (-counts[each.client], each.idle_since), default=None)


def client_of(address: str) -> str:
    """The client of an address: an IPv4 address itself, the /64 network of an IPv6 address."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address) or found == ipaddress.IPv6Address("::1"):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, IPV6_NETWORK_BITS), strict=False))


def is_local(client: str) -> bool:
    """Whether the client runs on this machine, such as the operator's commands."""
    return client in ("127.0.0.1", "::1")
