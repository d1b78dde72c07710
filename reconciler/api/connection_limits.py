"""Connections at once: in all, of one client, and a reserve for this machine's own programs. Pure but for the
time that is given.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

IPV6_NETWORK_BITS = 64
"""One client has at least so large a network of addresses, and counts as one."""

GRACE_SECONDS, OWN_GRACE_SECONDS = 1.0, 5.0
"""How long a connection without a request keeps its seat while others wait for one: a stranger's, and one of
this machine's own programs, which may be many and slow together.
"""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """`of_one_client` and `reserved` do not bind this machine's own programs, at 127.0.0.1 and ::1."""

    in_all: int = 256
    of_one_client: int = 64
    reserved: int = 64


@dataclass(eq=False, slots=True)
class OpenConnection:
    """One connection: whose it is, how many of its requests are being answered, and since when none is."""

    client: str
    idle_since: float
    requests: int = 0

    @property
    def grace(self) -> float:
        """How long it may be idle, in seconds, while others wait for a seat."""
        return OWN_GRACE_SECONDS if is_own(self.client) else GRACE_SECONDS


@dataclass(slots=True)
class ConnectionTable:
    """Who has a seat, in the order of coming."""

    seats: ConnectionLimits
    taken: dict[OpenConnection, None] = field(default_factory=dict)

    def is_free(self, client: str) -> bool:
        """Whether one more connection of a client may be served."""
        if len(self.taken) >= self.seats.in_all:
            return False
        if is_own(client):
            return True
        strangers = sum(not is_own(seat.client) for seat in self.taken)
        return strangers < self.seats.in_all - self.seats.reserved and not self.has_its_share(client)

    def has_its_share(self, client: str) -> bool:
        """Whether a client has as many connections as one may have."""
        of_it = sum(seat.client == client for seat in self.taken)
        return not is_own(client) and of_it >= self.seats.of_one_client

    def to_give_up(self, client: str, now: float) -> OpenConnection | None:
        """The seat that one more connection of a client may take: the longest without a request, beyond the
        grace, of the client itself where it has its share, else of the client with the most seats.
        """
        counts: dict[str, int] = {}
        for seat in self.taken:
            counts[seat.client] = counts.get(seat.client, 0) + 1
        idle = [seat for seat in self.taken if not seat.requests and now - seat.idle_since >= seat.grace]
        if self.has_its_share(client):
            idle = [seat for seat in idle if seat.client == client]
        elif len(self.taken) < self.seats.in_all:
            idle = [seat for seat in idle if not is_own(seat.client)]  # the reserve is what is missing
        return min(idle, key=lambda seat: (-counts[seat.client], seat.idle_since), default=None)


def client_of(address: str) -> str:
    """Whom an address counts as: IPv4 itself, IPv6 its /64 network."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address) or found == ipaddress.IPv6Address("::1"):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, IPV6_NETWORK_BITS), strict=False))


def is_own(client: str) -> bool:
    """Whether it is a program of this machine, as the operator's commands are."""
    return client in ("127.0.0.1", "::1")
