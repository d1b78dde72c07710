"""What the recorded client decodes, as its own types: integers without sign, lists or null."""

from __future__ import annotations

from typing import Annotated

import msgspec

Number = Annotated[int, msgspec.Meta(ge=0)]


class ServiceStatus(msgspec.Struct):
    """One service of a lease."""

    name: str = ""
    available: Number = 0
    total: Number = 0
    uris: list[str] | None = None
    observed_generation: Number = 0
    replicas: Number = 0
    updated_replicas: Number = 0
    ready_replicas: Number = 0
    available_replicas: Number = 0


class ForwardedPort(msgspec.Struct, rename={"external_port": "externalPort"}):
    """A port of a machine."""

    host: str = ""
    port: Number = 0
    external_port: Number = 0
    proto: str = ""
    name: str = ""


class LeasedIp(msgspec.Struct, rename="pascal"):
    """A port of a leased IP."""

    port: Number = 0
    external_port: Number = 0
    protocol: str = ""
    ip: Annotated[str, msgspec.Meta()] = msgspec.field(default="", name="IP")


class LeaseStatus(msgspec.Struct):
    """The status of a lease."""

    services: dict[str, ServiceStatus] | None
    forwarded_ports: dict[str, list[ForwardedPort]] | None
    ips: dict[str, list[LeasedIp]] | None


class Inventory(msgspec.Struct):
    """Numbers of the provider's capacity."""

    active: Number = 0
    pending: Number = 0
    available: Number = 0
    allocatable: Number = 0


class Cluster(msgspec.Struct):
    """Leases of the provider."""

    leases: Number = 0
    inventory: Inventory | None = None


class ProviderStatus(msgspec.Struct):
    """The status of a provider."""

    cluster: Cluster | None = None
    bidengine: dict[str, Number] | None = None
    manifest: dict[str, Number] | None = None
    cluster_public_hostname: str = ""
