"""Models of GPUs, as orders and provider records name them (semantics 2, 3.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ANY = ""
"""A field that is left open."""


@dataclass(frozen=True, slots=True, order=True)
class GpuModel:
    """A model of GPUs; an open field ("") stands for every value."""

    vendor: str = ANY
    model: str = ANY
    ram: str = ANY
    interface: str = ANY

    @property
    def fields(self) -> tuple[str, str, str, str]:
        """Vendor, model, RAM and interface."""
        return self.vendor, self.model, self.ram, self.interface

    @property
    def named_fields(self) -> int:
        """How many fields are not open."""
        return sum(1 for each in self.fields if each)

    def includes(self, other: GpuModel) -> bool:
        """Whether every GPU of the other is one of these: each field is open or the same."""
        return (
            (not self.vendor or self.vendor == other.vendor)
            and (not self.model or self.model == other.model)
            and (not self.ram or self.ram == other.ram)
            and (not self.interface or self.interface == other.interface)
        )

    def overlaps(self, other: GpuModel) -> bool:
        """Whether a GPU may be of both: no field contradicts."""
        return (
            (not self.vendor or not other.vendor or self.vendor == other.vendor)
            and (not self.model or not other.model or self.model == other.model)
            and (not self.ram or not other.ram or self.ram == other.ram)
            and (not self.interface or not other.interface or self.interface == other.interface)
        )

    def intersection(self, other: GpuModel) -> GpuModel:
        """The GPUs that are of both, which overlap."""
        return GpuModel(*(own or each for own, each in zip(self.fields, other.fields, strict=True)))

    def __str__(self) -> str:
        return "/".join(each or "*" for each in self.fields).rstrip("/*") or "any model"

    @classmethod
    def parse(cls, text: str) -> GpuModel:
        """`nvidia/a100/80Gi/sxm`, from the left; `*` and absent fields are open. ValueError for more."""
        parts = ["" if part == "*" else part for part in text.split("/")]
        if len(parts) > 4:
            raise ValueError(f"{text!r} is no GPU; write vendor/model/ram/interface: nvidia/a100/80Gi/sxm")
        vendor, model, ram, interface = [*parts, "", "", ""][:4]
        return cls.named_as(vendor, model, ram, interface)

    @classmethod
    def named_as(cls, vendor: str, model: str, ram: str, interface: str) -> GpuModel:
        """The model of these names; upper and lower case are the same, except of RAM."""
        return cls(vendor.lower(), model.lower(), ram, interface.lower())


_FIELDS = ("vendor", "model", "ram", "interface")
_WILD = frozenset("*?[\\")


def gpu_of_key(key: str) -> GpuModel:
    """The model of an attribute's key such as `vendor/nvidia/model/a100/ram/80Gi`. A field with a pattern is
    open; a key that is not made of names and values leaves all open, as it may match any model.
    """
    parts = key.split("/")
    names = parts[::2]
    if len(parts) % 2 or any(set(name) & _WILD for name in names):
        return GpuModel()
    found = dict(zip(names, parts[1::2], strict=True))
    return GpuModel.named_as(
        *(ANY if set(text := found.get(name, ANY)) & _WILD else text for name in _FIELDS)
    )


def gpus_of_keys(keys: Iterable[str]) -> tuple[GpuModel, ...]:
    """The models that a unit accepts, one of which it gets; sorted. Without any: every model."""
    return tuple(sorted({gpu_of_key(key) for key in keys})) or (GpuModel(),)


def has_model(available: Iterable[GpuModel], accepted: Iterable[GpuModel]) -> bool:
    """Whether a GPU of one of the available models is surely of an accepted one."""
    wanted = tuple(accepted)
    return any(each.includes(model) for model in available for each in wanted)
