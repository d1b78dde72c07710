"""The stack definition language (SDL) 2.0 and 2.1 that tenants write: values of a file, as yet unchecked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.go_text import quoted
from reconciler.manifests.manifest import CredentialsEntry
from reconciler.manifests.sdl_exposes import EXPOSES, ExposeEntry
from reconciler.manifests.sdl_profiles import PROFILES, ProfileEntries
from reconciler.manifests.versions import Version, tolerant_version
from reconciler.manifests.yaml_decoding import (
    BOOLEAN,
    TEXT,
    UINT32,
    Decoding,
    Dictionary,
    Sequence,
    Structure,
    YamlType,
)
from reconciler.manifests.yaml_nodes import NodeKind, YamlNode, parse_yaml

_INVALID = "SDL invalid"
_TEXTS = Sequence("[]string", TEXT)


@dataclass(frozen=True, slots=True)
class MountEntry:
    """The mount of a volume of the profile in a service."""

    mount: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class StorageEntries:
    """`params` of a service."""

    storage: Mapping[str, MountEntry] | None


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """A service; None where a list is absent. `dependencies` are names of services."""

    image: str
    command: tuple[str, ...] | None
    args: tuple[str, ...] | None
    env: tuple[str, ...] | None
    expose: tuple[ExposeEntry, ...] | None
    dependencies: tuple[DependencyEntry, ...] | None
    params: StorageEntries | None
    credentials: CredentialsEntry | None


@dataclass(frozen=True, slots=True)
class DependencyEntry:
    """A service that another one needs."""

    service: str


@dataclass(frozen=True, slots=True)
class DeployedEntry:
    """The number of containers of a service in a placement, and their compute profile."""

    profile: str
    count: int


@dataclass(frozen=True, slots=True)
class EndpointEntry:
    """A leased IP."""

    kind: str


@dataclass(slots=True)
class SdlFile:
    """An SDL file. `shares_units`: since 2.1, services of one profile share a line of the group."""

    shares_units: bool
    include: tuple[str, ...] = ()
    services: dict[str, ServiceEntry] = field(default_factory=dict)
    profiles: ProfileEntries = field(default_factory=ProfileEntries)
    deployment: dict[str, Mapping[str, DeployedEntry] | None] = field(default_factory=dict)
    endpoints: dict[str, EndpointEntry] = field(default_factory=dict)

    def placements(self) -> list[tuple[str, str, DeployedEntry]]:
        """Service, placement and what runs there, sorted by service and placement."""
        return [
            (service, placement, deployed)
            for service, placements in sorted(self.deployment.items())
            for placement, deployed in sorted((placements or {}).items())
        ]


_SERVICE = Structure(
    "sdl.v2Service",
    ServiceEntry,
    {
        "image": ("image", TEXT),
        "command": ("command", _TEXTS),
        "args": ("args", _TEXTS),
        "env": ("env", _TEXTS),
        "expose": ("expose", EXPOSES),
        "dependencies": (
            "dependencies",
            Sequence(
                "[]sdl.v2Dependency",
                Structure("sdl.v2Dependency", DependencyEntry, {"service": ("service", TEXT)}),
            ),
        ),
        "params": (
            "params",
            Structure(
                "sdl.v2ServiceParams",
                StorageEntries,
                {
                    "storage": (
                        "storage",
                        Dictionary(
                            "map[string]sdl.v2ServiceStorageParams",
                            Structure(
                                "sdl.v2ServiceStorageParams",
                                MountEntry,
                                {"mount": ("mount", TEXT), "readOnly": ("read_only", BOOLEAN)},
                            ),
                        ),
                    )
                },
                is_pointer=True,
            ),
        ),
        "credentials": (
            "credentials",
            Structure(
                "sdl.v2ServiceCredentials",
                CredentialsEntry,
                {name: (name, TEXT) for name in ("host", "email", "username", "password")},
                is_pointer=True,
            ),
        ),
    },
)
_DEPLOYED = Structure(
    "sdl.v2ServiceDeployment", DeployedEntry, {"profile": ("profile", TEXT), "count": ("count", UINT32)}
)
_ENDPOINT = Structure("sdl.v2Endpoint", EndpointEntry, {"kind": ("kind", TEXT)})
_SECTIONS: dict[str, YamlType] = {
    "include": _TEXTS,
    "services": Dictionary("map[string]sdl.v2Service", _SERVICE),
    "profiles": PROFILES,
    "deployment": Dictionary("sdl.v2Deployments", Dictionary("sdl.v2Deployment", _DEPLOYED)),
    "endpoints": Dictionary("map[string]sdl.v2Endpoint", _ENDPOINT),
}


def read_sdl(content: bytes) -> SdlFile:
    """The file's values, each of its type; ManifestError with the reference's text."""
    root = parse_yaml(content)
    if root is None or root.is_null:
        raise ManifestError("sdl: uninitialized")
    version = _version(root.content)
    if version == Version(2, 0, 0):
        shares_units = False
    elif version >= Version(2, 1, 0):
        shares_units = True
    else:
        raise ManifestError(f"{_INVALID}: config: unsupported version {quoted(str(version))}")
    return _sections(root, shares_units=shares_units)


def _version(content: list[YamlNode]) -> Version:
    found = next((place for place, node in enumerate(content) if node.value == "version"), None)
    if found is None:
        raise ManifestError(f"{_INVALID}: no version found")
    if found + 1 == len(content):
        raise ManifestError(f"{_INVALID}: the version has no value")
    return tolerant_version(content[found + 1].value)


def _sections(root: YamlNode, *, shares_units: bool) -> SdlFile:
    """Each section in the order of the file; one that is repeated adds to the first."""
    file, decoding = SdlFile(shares_units), Decoding()
    for key, node in zip(root.content[::2], root.content[1::2], strict=root.kind is NodeKind.MAPPING):
        name = key.value
        if name == "version":
            continue
        if name not in _SECTIONS:
            raise ManifestError(f"sdl: unexpected field {name}")
        value = decoding.part(node, _SECTIONS[name])
        match name:
            case "profiles":
                file.profiles = file.profiles.joined(value)
            case "include":
                file.include = value or ()
            case _:
                getattr(file, name).update(value or {})
    return file


def invalid(text: str) -> ManifestError:
    """The refusal of a file that contradicts itself."""
    return ManifestError(f"{_INVALID}: {text}")


is_endpoint_name = partial(re.fullmatch, r"[a-z][a-z0-9_-]+")
"""Whether a leased IP may have this name."""
