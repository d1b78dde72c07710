"""A tenant's manifest: what each service of a deployment runs; its JSON and its hash (semantics 6.3 to 6.5).

Lists that may be null are None then, as null and [] have different hashes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.json_scanner import first_value
from reconciler.manifests.json_types import (
    BOOLEAN_VALUE,
    TEXT_VALUE,
    TEXTS,
    UINT32_VALUE,
    JsonAmount,
    JsonList,
    JsonReading,
    JsonScalar,
    JsonStruct,
    json_field,
)
from reconciler.values.resources import LEASED_IP, RANDOM_PORT, SHARED_HTTP

HTTP_PORT = 80
_ESCAPED = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


class Protocol(StrEnum):
    """The protocols of exposed ports."""

    TCP = "TCP"
    UDP = "UDP"


@dataclass(frozen=True, slots=True)
class AttributeEntry:
    """A key and its value."""

    key: str = json_field("key", TEXT_VALUE)
    value: str = json_field("value", TEXT_VALUE)


ATTRIBUTES = JsonList("v1.Attributes", JsonStruct("v1.Attribute", AttributeEntry))


@dataclass(frozen=True, slots=True)
class UnitAmount:
    """A number of units; None if it was not given."""

    val: int | None = json_field("val", JsonAmount())


_AMOUNT = JsonStruct("v1beta4.ResourceValue", UnitAmount)


@dataclass(frozen=True, slots=True)
class CpuAmount:
    """Millicores."""

    units: UnitAmount = json_field("units", _AMOUNT)
    attributes: tuple[AttributeEntry, ...] | None = json_field("attributes", ATTRIBUTES, omit_empty=True)


@dataclass(frozen=True, slots=True)
class GpuAmount:
    """GPUs; an attribute for each model that may be used."""

    units: UnitAmount = json_field("units", _AMOUNT)
    attributes: tuple[AttributeEntry, ...] | None = json_field("attributes", ATTRIBUTES, omit_empty=True)


@dataclass(frozen=True, slots=True)
class MemoryAmount:
    """Bytes of memory."""

    size: UnitAmount = json_field("size", _AMOUNT)
    attributes: tuple[AttributeEntry, ...] | None = json_field("attributes", ATTRIBUTES, omit_empty=True)


@dataclass(frozen=True, slots=True)
class StorageAmount:
    """Bytes of one volume."""

    name: str = json_field("name", TEXT_VALUE)
    size: UnitAmount = json_field("size", _AMOUNT)
    attributes: tuple[AttributeEntry, ...] | None = json_field("attributes", ATTRIBUTES, omit_empty=True)


@dataclass(frozen=True, slots=True)
class EndpointAmount:
    """An endpoint by its kind on the chain."""

    kind: int = json_field(
        "kind",
        JsonScalar("v1beta4.Endpoint_Kind", 0, least=-(2**31), most=2**31 - 1),
        omit_empty=True,
    )
    sequence_number: int = json_field("sequence_number", UINT32_VALUE)


@dataclass(frozen=True, slots=True)
class UnitResources:
    """Resources of one container; `id` is the line of the group that pays for it."""

    id: int = json_field("id", UINT32_VALUE)
    cpu: CpuAmount | None = json_field(
        "cpu", JsonStruct("v1beta4.CPU", CpuAmount, is_pointer=True), omit_empty=True
    )
    memory: MemoryAmount | None = json_field(
        "memory", JsonStruct("v1beta4.Memory", MemoryAmount, is_pointer=True), omit_empty=True
    )
    storage: tuple[StorageAmount, ...] | None = json_field(
        "storage",
        JsonList("v1beta4.Volumes", JsonStruct("v1beta4.Storage", StorageAmount)),
        omit_empty=True,
    )
    gpu: GpuAmount | None = json_field(
        "gpu", JsonStruct("v1beta4.GPU", GpuAmount, is_pointer=True), omit_empty=True
    )
    endpoints: tuple[EndpointAmount, ...] | None = json_field(
        "endpoints", JsonList("v1beta4.Endpoints", JsonStruct("v1beta4.Endpoint", EndpointAmount))
    )


@dataclass(frozen=True, slots=True)
class ExposeHttpOptions:
    """HTTP options of a port: sizes in bytes, time-outs in milliseconds."""

    max_body_size: int = json_field("maxBodySize", UINT32_VALUE)
    read_timeout: int = json_field("readTimeout", UINT32_VALUE)
    send_timeout: int = json_field("sendTimeout", UINT32_VALUE)
    next_tries: int = json_field("nextTries", UINT32_VALUE)
    next_timeout: int = json_field("nextTimeout", UINT32_VALUE)
    next_cases: tuple[str, ...] | None = json_field("nextCases", TEXTS, omit_empty=True)


@dataclass(frozen=True, slots=True)
class ManifestExpose:
    """A port of a service and one of its recipients."""

    port: int = json_field("port", UINT32_VALUE)
    external_port: int = json_field("externalPort", UINT32_VALUE)
    protocol: str = json_field("proto", JsonScalar("v2beta3.ServiceProtocol", ""))
    service: str = json_field("service", TEXT_VALUE)
    is_global: bool = json_field("global", BOOLEAN_VALUE)
    hosts: tuple[str, ...] | None = json_field("hosts", TEXTS)
    http_options: ExposeHttpOptions = json_field(
        "httpOptions", JsonStruct("v2beta3.ServiceExposeHTTPOptions", ExposeHttpOptions)
    )
    ip: str = json_field("ip", TEXT_VALUE)
    endpoint_sequence_number: int = json_field("endpointSequenceNumber", UINT32_VALUE)

    @property
    def is_ingress(self) -> bool:
        """Whether it is reached by HTTP under a host name."""
        outer = self.external_port or self.port
        return self.protocol == Protocol.TCP and self.is_global and outer == HTTP_PORT

    @property
    def endpoints(self) -> tuple[EndpointAmount, ...]:
        """The endpoints that it takes up on the chain."""
        if not self.is_global:
            return ()
        inner = EndpointAmount(SHARED_HTTP if self.is_ingress else RANDOM_PORT)
        if not self.ip:
            return (inner,)
        leased = EndpointAmount(LEASED_IP, self.endpoint_sequence_number)
        return (inner, leased) if leased.sequence_number else (leased, inner)


def expose_order(expose: ManifestExpose) -> tuple[str, int, str, bool]:
    """The key that exposes are sorted by."""
    return expose.service, expose.port, expose.protocol, not expose.is_global


@dataclass(frozen=True, slots=True)
class VolumeMount:
    """The mount of a volume."""

    name: str = json_field("name", TEXT_VALUE)
    mount: str = json_field("mount", TEXT_VALUE)
    read_only: bool = json_field("readOnly", BOOLEAN_VALUE)


@dataclass(frozen=True, slots=True)
class CredentialsEntry:
    """The account that pulls the image from its registry."""

    host: str = json_field("host", TEXT_VALUE)
    email: str = json_field("email", TEXT_VALUE)
    username: str = json_field("username", TEXT_VALUE)
    password: str = json_field("password", TEXT_VALUE)


CREDENTIALS = JsonStruct("v2beta3.ImageCredentials", CredentialsEntry, is_pointer=True)


@dataclass(frozen=True, slots=True)
class ServiceParameters:
    """Mounts of a service's volumes."""

    storage: tuple[VolumeMount, ...] | None = json_field(
        "storage", JsonList("[]v2beta3.StorageParams", JsonStruct("v2beta3.StorageParams", VolumeMount))
    )
    credentials: CredentialsEntry | None = json_field("credentials", CREDENTIALS, omit_empty=True)


@dataclass(frozen=True, slots=True)
class ManifestService:
    """One service: `count` equal containers."""

    name: str = json_field("name", TEXT_VALUE)
    image: str = json_field("image", TEXT_VALUE)
    command: tuple[str, ...] | None = json_field("command", TEXTS)
    args: tuple[str, ...] | None = json_field("args", TEXTS)
    env: tuple[str, ...] | None = json_field("env", TEXTS)
    resources: UnitResources = json_field("resources", JsonStruct("v1beta4.Resources", UnitResources))
    count: int = json_field("count", UINT32_VALUE)
    expose: tuple[ManifestExpose, ...] | None = json_field(
        "expose", JsonList("v2beta3.ServiceExposes", JsonStruct("v2beta3.ServiceExpose", ManifestExpose))
    )
    params: ServiceParameters | None = json_field(
        "params",
        JsonStruct("v2beta3.ServiceParams", ServiceParameters, is_pointer=True),
        omit_empty=True,
    )
    credentials: CredentialsEntry | None = json_field("credentials", CREDENTIALS)


@dataclass(frozen=True, slots=True)
class ManifestGroup:
    """The services of one group of a deployment, which one lease runs."""

    name: str = json_field("name", TEXT_VALUE)
    services: tuple[ManifestService, ...] | None = json_field(
        "services", JsonList("v2beta3.Services", JsonStruct("v2beta3.Service", ManifestService))
    )


_GROUPS = JsonList("v2beta3.Manifest", JsonStruct("v2beta3.Group", ManifestGroup))


@dataclass(frozen=True, slots=True)
class DeploymentManifest:
    """All groups of a deployment."""

    groups: tuple[ManifestGroup, ...] | None = None

    def to_json(self) -> Any:
        """The groups as plain values, in the order of the reference's fields."""
        return _GROUPS.write(self.groups)

    def sorted_json(self) -> str:
        """The text that is hashed, and a valid body of a request."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return go_escaped(text)

    def hash(self) -> str:
        """The hash that the deployment on the chain must have, in hexadecimal (semantics 6.4)."""
        return hashlib.sha256(self.sorted_json().encode()).hexdigest()


def go_escaped(text: str) -> str:
    """JSON text with the characters escaped that Go's encoder escapes besides those of JSON."""
    return text.translate(_ESCAPED)


def read_manifest(body: bytes) -> DeploymentManifest:
    """The manifest in the body of a request, as yet unchecked; ManifestError with the reference's text.

    An amount without a value, on which the reference panics, is refused.
    """
    reading = JsonReading()
    groups = _GROUPS.read(reading, first_value(body), None)
    if reading.error:
        raise ManifestError(reading.error)
    for group in groups or ():
        for service in group.services or ():
            _require_amounts(service)
    return DeploymentManifest(groups)


def _require_amounts(service: ManifestService) -> None:
    resources = service.resources
    amounts = {f"storage {volume.name}": volume.size for volume in resources.storage or ()}
    if resources.cpu:
        amounts["cpu"] = resources.cpu.units
    if resources.memory:
        amounts["memory"] = resources.memory.size
    if resources.gpu:
        amounts["gpu"] = resources.gpu.units
    for name, amount in amounts.items():
        if amount.val is None:
            raise ManifestError(f"service {service.name}: the {name} has no val")
