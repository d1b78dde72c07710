"""`profiles` of an SDL file: compute resources, and placements with requirements and prices."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.go_text import decimal, decimal_text, quoted
from reconciler.manifests.sdl_devices import GPU, VOLUMES, GpuEntry, VolumeEntry
from reconciler.manifests.sdl_quantities import MILLICORES, NEGATIVE, SIZE
from reconciler.manifests.yaml_decoding import TEXT, Custom, Decoding, Dictionary, Sequence, Structure
from reconciler.manifests.yaml_nodes import YamlNode
from reconciler.values.resources import Attribute

_DENOM = re.compile(r"[a-zA-Z][a-zA-Z0-9/:._-]{2,127}")


@dataclass(frozen=True, slots=True)
class CpuEntry:
    """Millicores, and the attribute `arch`."""

    units: int
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class MemoryEntry:
    """Bytes of memory."""

    size: int


@dataclass(frozen=True, slots=True)
class ResourcesEntry:
    """Resources of one container; None where absent."""

    cpu: CpuEntry | None
    gpu: GpuEntry | None
    memory: MemoryEntry | None
    storage: tuple[VolumeEntry, ...]


@dataclass(frozen=True, slots=True)
class ComputeEntry:
    """A compute profile."""

    resources: ResourcesEntry | None


@dataclass(frozen=True, slots=True)
class SignedByEntry:
    """Auditors that must have signed the provider's attributes."""

    all_of: tuple[str, ...] | None
    any_of: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class PriceEntry:
    """The highest price of one unit per block."""

    denom: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class PlacementEntry:
    """A placement: requirements, and prices by compute profile."""

    attributes: tuple[Attribute, ...]
    signed_by: SignedByEntry
    pricing: Mapping[str, PriceEntry] | None


@dataclass(frozen=True, slots=True)
class ProfileEntries:
    """The profiles by name."""

    compute: Mapping[str, ComputeEntry] | None = field(default_factory=dict)
    placement: Mapping[str, PlacementEntry] | None = field(default_factory=dict)

    def joined(self, other: ProfileEntries) -> ProfileEntries:
        """Both, where the section is repeated."""
        compute = dict(self.compute or {}) | dict(other.compute or {})
        return ProfileEntries(compute, dict(self.placement or {}) | dict(other.placement or {}))


def _arch(decoding: Decoding, node: YamlNode) -> tuple[Attribute, ...]:
    found: list[Attribute] = []
    for key, value in zip(node.content[::2], node.content[1::2], strict=False):
        if key.value != "arch":
            raise ManifestError(f'unsupported cpu attribute "{key.value}"')
        found.append((key.value, decoding.part(value, TEXT)))
    return tuple(found)


def _attributes(decoding: Decoding, node: YamlNode) -> tuple[Attribute, ...]:
    return tuple(sorted((decoding.part(node, Dictionary("map[string]string", TEXT)) or {}).items()))


def _price(decoding: Decoding, node: YamlNode) -> PriceEntry:
    written = decoding.part(node, _WRITTEN_PRICE)
    amount = decimal(written["amount"])
    if amount == 0:
        raise ManifestError("invalid coin amount: amount is zero")
    if amount < 0:
        raise ManifestError(f"{NEGATIVE}: amount {quoted(decimal_text(amount))} is negative")
    if not _DENOM.fullmatch(written["denom"]):
        raise ManifestError(f"invalid denom: {written['denom']}")
    return PriceEntry(written["denom"], amount)


_WRITTEN_PRICE = Structure(
    'struct { Amount string "yaml:\\"amount\\""; Denom string "yaml:\\"denom\\"" }',
    dict,
    {"amount": ("amount", TEXT), "denom": ("denom", TEXT)},
)
_RESOURCES = Structure(
    "sdl.v2ComputeResources",
    ResourcesEntry,
    {
        "cpu": (
            "cpu",
            Structure(
                "sdl.v2ResourceCPU",
                CpuEntry,
                {"units": ("units", MILLICORES), "attributes": ("attributes", Custom((), _arch))},
                is_pointer=True,
            ),
        ),
        "gpu": ("gpu", GPU),
        "memory": (
            "memory",
            Structure("sdl.v2ResourceMemory", MemoryEntry, {"size": ("size", SIZE)}, is_pointer=True),
        ),
        "storage": ("storage", VOLUMES),
    },
    is_pointer=True,
)
_PLACEMENT = Structure(
    "sdl.v2ProfilePlacement",
    PlacementEntry,
    {
        "attributes": ("attributes", Custom((), _attributes)),
        "signedBy": (
            "signed_by",
            Structure(
                "v1.SignedBy",
                SignedByEntry,
                {
                    "allOf": ("all_of", Sequence("[]string", TEXT)),
                    "anyOf": ("any_of", Sequence("[]string", TEXT)),
                },
            ),
        ),
        "pricing": (
            "pricing",
            Dictionary("sdl.v2PlacementPricing", Custom(PriceEntry("", Decimal(0)), _price)),
        ),
    },
)
PROFILES = Structure(
    "sdl.v2profiles",
    ProfileEntries,
    {
        "compute": (
            "compute",
            Dictionary(
                "map[string]sdl.v2ProfileCompute",
                Structure("sdl.v2ProfileCompute", ComputeEntry, {"resources": ("resources", _RESOURCES)}),
            ),
        ),
        "placement": ("placement", Dictionary("map[string]sdl.v2ProfilePlacement", _PLACEMENT)),
    },
)
"""`profiles`."""
