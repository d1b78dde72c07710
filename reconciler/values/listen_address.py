"""Addresses of servers, and whether they are loopback."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

_FORM = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<name>[0-9A-Za-z.-]+)):(?P<port>[0-9]{1,5})")

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Hosts in a URL to which plain HTTP may be sent."""


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """A host (an address, or a name such as localhost) and a TCP port; port 0 lets the system choose."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> ListenAddress:
        """Read `127.0.0.1:8443` or `[::1]:8443`; ValueError says what to write instead."""
        match = _FORM.fullmatch(text)
        if match is None or int(match["port"]) > 65_535:
            raise ValueError(f'"{text}" is not an address and a port; write them as 127.0.0.1:8443')
        return cls(match["six"] or match["name"], int(match["port"]))

    @property
    def is_loopback(self) -> bool:
        """Whether it is reachable from this machine only."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
