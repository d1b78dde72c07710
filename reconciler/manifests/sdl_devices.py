"""GPUs and volumes of an SDL compute profile, which become attributes on the chain."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.sdl_quantities import BINARY_SUFFIXES, GPUS, MEMORY_SIZE, SIZE
from reconciler.manifests.yaml_decoding import TEXT, Custom, Decoding, Dictionary, Sequence, Structure
from reconciler.manifests.yaml_nodes import NodeKind, YamlNode
from reconciler.values.resources import STORAGE_CLASSES, Attribute

VOLUMES_MAX = 100
"""Of a compute profile; the chain takes 4."""
CLASS, PERSISTENT, RAM = "class", "persistent", "ram"
DEFAULT_VOLUME = "default"
_ATTRIBUTE_KEY = re.compile(r"[a-zA-Z][\w/.\-]{1,126}[\w*]?", re.ASCII)
_TRUE, _FALSE = ("true", "on", "yes"), ("false", "off", "no")


@dataclass(frozen=True, slots=True)
class GpuEntry:
    """A number of GPUs, and which models may be used."""

    units: int
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class VolumeEntry:
    """A volume of a compute profile."""

    name: str
    size: int
    attributes: tuple[Attribute, ...]


def attributes_fault(attributes: tuple[Attribute, ...]) -> str:
    """The chain's error for the attributes of a resource; "" if there is none."""
    keys: set[str] = set()
    for key, _ in attributes:
        if not _ATTRIBUTE_KEY.fullmatch(key):
            return "attribute key does not match regexp"
        if key in keys:
            return "attributes cannot have duplicate keys"
        keys.add(key)
    return ""


def _parts(decoding: Decoding, node: YamlNode, readers: dict[str, Any], refusal: str) -> dict[str, Any]:
    """The values of the named keys; ManifestError for another key."""
    found = {}
    for place in range(0, len(node.content), 2):
        key = node.content[place].value
        if key not in readers or place + 1 == len(node.content):
            raise ManifestError(refusal.format(key))
        found[key] = decoding.part(node.content[place + 1], readers[key])
    return found


def _gpu(decoding: Decoding, node: YamlNode) -> GpuEntry:
    readers = {"units": GPUS, "attributes": _GPU_ATTRIBUTES}
    parts = _parts(decoding, node, readers, "sdl: unsupported field ({}) for GPU resource")
    entry = GpuEntry(parts.get("units", 0), parts.get("attributes", ()))
    if entry.units > 0 and not entry.attributes:
        raise ManifestError("sdl: GPU attributes must be present if units > 0")
    return entry


def _gpu_attributes(decoding: Decoding, node: YamlNode) -> tuple[Attribute, ...]:
    parts = _parts(decoding, node, {"vendor": _VENDOR}, "sdl: unsupported attribute ({}) for GPU resource")
    vendor = parts.get("vendor")
    if vendor is None:
        raise ManifestError("sdl: invalid GPU attributes. at least one vendor must be set")
    models = [_gpu_key(**model) for model in vendor["nvidia"] or ()] or ["*"]
    attributes = tuple(sorted((f"vendor/nvidia/model/{model}", "true") for model in models))
    if fault := attributes_fault(attributes):
        raise ManifestError(f"sdl: invalid GPU attributes: {fault}")
    return attributes


def _gpu_key(model: str, ram: int | None, interface: str | None) -> str:
    memory = "" if ram is None else f"/ram/{ram // BINARY_SUFFIXES['Gi']}Gi"
    return model + memory + ("" if interface is None else f"/interface/{interface}")


def _interface(_: Decoding, node: YamlNode) -> str:
    if node.value not in ("pcie", "sxm"):
        raise ManifestError(f'sdl: invalid GPU interface {node.value}. expected "pcie|sxm"')
    return node.value


_MODEL = Structure(
    "sdl.v2GPUNvidia",
    dict,
    {
        "model": ("model", TEXT),
        "ram": ("ram", Custom(None, MEMORY_SIZE.convert)),
        "interface": ("interface", Custom(None, _interface)),
    },
)
_VENDOR = Structure(
    "sdl.gpuVendor", dict, {"nvidia": ("nvidia", Sequence("sdl.v2GPUsNvidia", _MODEL))}, is_pointer=True
)
_GPU_ATTRIBUTES = Custom((), _gpu_attributes)
GPU = Custom(None, _gpu)
"""`gpu` of a compute profile."""


def _volume_attributes(decoding: Decoding, node: YamlNode) -> tuple[Attribute, ...]:
    written = dict(decoding.part(node, Dictionary("map[string]string", TEXT)) or {})
    persistent, storage_class = written.setdefault(PERSISTENT, "false"), written.get(CLASS, "")
    if storage_class == RAM and persistent != "false":
        raise ManifestError("sdl: ram storage class cannot be persistent")
    if storage_class not in ("", RAM) and persistent == "false":
        raise ManifestError("sdl: ephemeral storage should not set attribute class")
    if not storage_class and persistent == "true":
        written[CLASS] = "default"
    return tuple(sorted((key, _volume_attribute(key, value)) for key, value in written.items()))


def _volume_attribute(key: str, value: str) -> str:
    if key == PERSISTENT:
        if value not in _TRUE + _FALSE:
            raise ManifestError('sdl: invalid value for attribute "persistent". expected bool')
        return "true" if value in _TRUE else "false"
    if key != CLASS:
        raise ManifestError(f"sdl: unsupported storage attribute: {key}")
    if value not in STORAGE_CLASSES:
        raise ManifestError("sdl: invalid value for attribute class")
    return value


_VOLUME = Structure(
    "sdl.v2ResourceStorage",
    VolumeEntry,
    {
        "name": ("name", TEXT),
        "size": ("size", SIZE),
        "attributes": ("attributes", Custom((), _volume_attributes)),
    },
)


def _volumes(decoding: Decoding, node: YamlNode) -> tuple[VolumeEntry, ...]:
    """The volumes of a list, or the one of a mapping, which is always called `default`."""
    if node.kind is NodeKind.SEQUENCE:
        if len(node.content) > VOLUMES_MAX:
            raise ManifestError(f"sdl: line {node.line}: more than {VOLUMES_MAX} volumes")
        entries = [decoding.part(item, _VOLUME) for item in node.content]
        found = [VolumeEntry(e.name or DEFAULT_VOLUME, e.size, e.attributes) for e in entries]
    elif node.kind is NodeKind.MAPPING:
        entry = decoding.part(node, _VOLUME)
        found = [VolumeEntry(DEFAULT_VOLUME, entry.size, entry.attributes)]
    else:
        found = []
    if len({volume.name for volume in found}) < len(found):
        raise ManifestError("sdl: duplicated volume name")
    return _sorted(found)


VOLUMES = Custom((), _volumes)
"""`storage` of a compute profile."""


def _sorted(volumes: list[VolumeEntry]) -> tuple[VolumeEntry, ...]:
    """By insertion, as the reference does it: its comparison puts each of two ephemeral volumes of one size
    before the other, so that their order turns round.
    """
    found: list[VolumeEntry] = []
    for volume in volumes:
        place = len(found)
        while place > 0 and _is_before(volume, found[place - 1]):
            place -= 1
        found.insert(place, volume)
    return tuple(found)


def _is_before(one: VolumeEntry, other: VolumeEntry) -> bool:
    if one.size != other.size:
        return one.size < other.size
    first, second = (dict(volume.attributes).get(PERSISTENT, "") for volume in (one, other))
    if first != second and not (first and second):
        return not first
    if first < second or first != "true":
        return True
    return second == "true" and one.name < other.name
