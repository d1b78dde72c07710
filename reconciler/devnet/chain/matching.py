"""Whether a provider fits an order: attributes, auditors, capabilities (semantics 3.2)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from reconciler.chain.proto.base_attributes_v1_pb2 import Attribute, PlacementRequirements
from reconciler.chain.proto.base_resources_v1beta4_pb2 import Resources
from reconciler.chain.proto.deployment_v1beta4_pb2 import GroupSpec
from reconciler.chain.proto.market_v1beta5_pb2 import ResourceOffer
from reconciler.devnet.chain.errors import PanicError

_GROUPED = re.compile(r"capabilities/(?P<kind>[^/]+)/(?P<number>\d+)/(?P<key>.+)")


def meets_requirements(
    wanted: PlacementRequirements, own: Sequence[Attribute], audited: Mapping[str, Sequence[Attribute]]
) -> bool:
    """Whether the provider's own or audited attributes contain all required ones."""
    all_of, any_of = wanted.signed_by.all_of, wanted.signed_by.any_of
    if not all_of and not any_of:
        return _subset(wanted.attributes, own)

    def signed(auditor: str) -> bool:
        return auditor in audited and _subset(wanted.attributes, audited[auditor])

    return all(map(signed, all_of)) and (not any_of or any(map(signed, any_of)))


def has_capabilities(spec: GroupSpec, own: Sequence[Attribute]) -> bool:
    """Whether the provider's `capabilities/...` attributes cover the order's storage and GPUs."""
    return all(_covers(unit.resource, own) for unit in spec.resources)


def offer_fits(spec: GroupSpec, offers: Iterable[ResourceOffer]) -> bool:
    """Whether each offer names a resource of the order with its count; naming one twice panics."""
    counts: dict[int, int | None] = {unit.resource.id: unit.count for unit in spec.resources}
    for offer in offers:
        if offer.resources.id not in counts:
            return False
        count = counts[offer.resources.id]
        if count is None:
            raise PanicError("runtime error: invalid memory address or nil pointer dereference")
        if count != offer.count:
            return False
        counts[offer.resources.id] = None
    return True


def _covers(resources: Resources, own: Sequence[Attribute]) -> bool:
    volumes = [volume.attributes for volume in resources.storage if volume.attributes]
    if volumes:
        classes = _groups("storage", own)
        if not all(any(_subset(wanted, offered) for offered in classes) for wanted in volumes):
            return False
    gpu = resources.gpu
    if not gpu.attributes or int(gpu.units.val or b"0") == 0:
        return True
    prefix = "capabilities/gpu/"
    models = [
        Attribute(key=attribute.key.removeprefix(prefix), value=attribute.value)
        for attribute in own
        if attribute.key.startswith(prefix)
    ]
    return any(_subset([wanted], models) for wanted in gpu.attributes)


def _groups(kind: str, own: Sequence[Attribute]) -> list[list[Attribute]]:
    found: dict[str, list[Attribute]] = defaultdict(list)
    for attribute in own:
        match = _GROUPED.fullmatch(attribute.key)
        if match and match["kind"] == kind:
            found[match["number"]].append(Attribute(key=match["key"], value=attribute.value))
    return list(found.values())


def _subset(wanted: Iterable[Attribute], offered: Sequence[Attribute]) -> bool:
    return all(
        any(one.value == other.value and _glob(one.key).fullmatch(other.key) for other in offered)
        for one in wanted
    )


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    """A key's glob as in Go's filepath.Match: `*` and `?` stop at a slash."""
    parts = {"*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(parts.get(sign, re.escape(sign)) for sign in pattern))
