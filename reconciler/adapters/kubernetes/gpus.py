"""GPUs of nodes and pods: models by nodes' labels, resources by vendor, affinity to nodes; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.adapters.kubernetes import naming
from reconciler.adapters.kubernetes.quantities import whole
from reconciler.values.clusters import GpuLabel
from reconciler.values.desired import Service
from reconciler.values.gpus import GpuModel
from reconciler.values.resources import Attribute

Manifest = dict[str, Any]
Expression = dict[str, Any]
ARCHITECTURE = "kubernetes.io/arch"
NVIDIA_PRODUCT, NVIDIA_MEMORY = "nvidia.com/gpu.product", "nvidia.com/gpu.memory"
"""Labels of NVIDIA's GPU feature discovery; the memory is in MiB."""
AMD_PRODUCT, AMD_MEMORY = "amd.com/gpu.product-name", "amd.com/gpu.vram"
"""Labels of AMD's node labeller; the memory is such as `192G`, in GiB."""

RAM_GIB = (2, 4, 6, 8, 10, 11, 12, 16, 20, 24, 32, 40, 48, 64, 80, 94, 96, 128, 141, 180, 192, 256, 288)
"""Memory of GPUs as they are sold. They report somewhat less: a T4 with 16 GiB reports 15,360 MiB."""

_RAM = re.compile(r"([0-9]{1,3})GB")
_MEMORY_KIND = re.compile(r"HBM[0-9][A-Z]?")
_INTERFACE = re.compile(r"(SXM|PCIE)[0-9]?")
_FAMILIES = frozenset(
    {"NVIDIA", "TESLA", "GEFORCE", "QUADRO", "GENERATION", "AMD", "INSTINCT", "RADEON", "OAM"}
)
"""Words of a product's name that orders leave out."""


@dataclass(frozen=True, slots=True)
class NodeGpu:
    """The GPUs of a node: their model, and the labels that name it (none: only the vendor is known)."""

    model: GpuModel
    labels: tuple[Attribute, ...] = ()


def gpu_vendor(amounts: Mapping[str, str]) -> str:
    """The vendor whose GPUs a node allocates or a pod requests; "" if there are none."""
    return next((vendor for vendor, name in naming.GPUS.items() if whole(amounts.get(name, "0")) > 0), "")


def node_gpu(vendor: str, labels: Mapping[str, str], listed: Sequence[GpuLabel]) -> NodeGpu | None:
    """The GPUs of a node with these labels; the adapter file's labels come first. None without a vendor."""
    if not vendor:
        return None
    for each in listed:
        if labels.get(each.key) == each.value:
            return NodeGpu(GpuModel(vendor).intersection(each.model), (each.label,))
    product_key = NVIDIA_PRODUCT if vendor == naming.NVIDIA else AMD_PRODUCT
    memory_key = NVIDIA_MEMORY if vendor == naming.NVIDIA else AMD_MEMORY
    product, memory = labels.get(product_key, ""), labels.get(memory_key, "")
    if not product:
        return NodeGpu(GpuModel(vendor))
    model = model_of_product(vendor, product)
    named: tuple[Attribute, ...] = ((product_key, product),)
    if not model.ram and (ram := _ram_of_label(memory)):
        return NodeGpu(
            GpuModel(model.vendor, model.model, ram, model.interface), (*named, (memory_key, memory))
        )
    return NodeGpu(model, named)


def model_of_product(vendor: str, product: str) -> GpuModel:
    """`NVIDIA-A100-SXM4-80GB` is nvidia/a100/80Gi/sxm, `Tesla-T4` nvidia/t4. A name of unknown form keeps
    its words, so that no order names it by mistake.
    """
    words, ram, interface = [], "", ""
    for word in re.split(r"[-_ ]", product.upper()):
        if found := _RAM.fullmatch(word):
            ram = f"{found[1]}Gi"
        elif found := _INTERFACE.fullmatch(word):
            interface = found[1]
        elif word not in _FAMILIES and not _MEMORY_KIND.fullmatch(word):
            words.append(word)
    return GpuModel.named_as(vendor, "".join(words), ram, interface)


def pod_vendor(service: Service, gpus: Sequence[NodeGpu]) -> str:
    """The vendor of a service's GPUs: an accepted one that a node has, else the first accepted one."""
    accepted = service.gpu_models or (GpuModel(),)
    there = {each.model.vendor for each in gpus if any(own.includes(each.model) for own in accepted)}
    allowed = [name for name in naming.GPUS if any(own.overlaps(GpuModel(name)) for own in accepted)]
    return next((name for name in naming.GPUS if name in there), next(iter(allowed), naming.NVIDIA))


def missing_gpu(service: Service, gpus: Sequence[NodeGpu]) -> str:
    """The models that a service accepts, if no node's labels name one of them; "" otherwise."""
    if not service.resources.gpu or accepts_vendor(service, pod_vendor(service, gpus)):
        return ""
    if any(own.includes(each.model) for each in gpus for own in service.gpu_models):
        return ""
    return " or ".join(map(str, service.gpu_models))


def accepts_vendor(service: Service, vendor: str) -> bool:
    """Whether a service accepts every GPU of the vendor."""
    return not service.gpu_models or any(own.includes(GpuModel(vendor)) for own in service.gpu_models)


def node_affinity(service: Service, gpus: Sequence[NodeGpu], listed: Sequence[GpuLabel]) -> Manifest:
    """The affinity of a service's pods to nodes of its architecture and with GPUs of its models; empty if
    they may run anywhere.
    """
    common = [_expression(ARCHITECTURE, "In", service.arch)] if service.arch else []
    terms = _gpu_terms(service, gpus, listed) if service.resources.gpu else ()
    expressions = [[*common, *term] for term in terms] or ([common] if common else [])
    if not expressions:
        return {}
    selector = {"nodeSelectorTerms": [{"matchExpressions": each} for each in expressions]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": selector}}


def _gpu_terms(
    service: Service, gpus: Sequence[NodeGpu], listed: Sequence[GpuLabel]
) -> tuple[list[Expression], ...]:
    """One term for each set of labels that names an accepted model of the pod's vendor, without the nodes of
    which a label in the adapter file names another model.
    """
    vendor = pod_vendor(service, gpus)
    if accepts_vendor(service, vendor):
        return ()

    def is_accepted(model: GpuModel) -> bool:
        return any(own.includes(model) for own in service.gpu_models)

    sets = {each.labels for each in gpus if each.model.vendor == vendor and is_accepted(each.model)}
    others = [each for each in listed if not is_accepted(GpuModel(vendor).intersection(each.model))]
    excluded = [_expression(each.key, "NotIn", each.value) for each in others]
    return tuple(
        [*(_expression(key, "In", value) for key, value in labels), *excluded] for labels in sorted(sets)
    )


def _expression(key: str, operator: str, value: str) -> Expression:
    return {"key": key, "operator": operator, "values": [value]}


def _ram_of_label(memory: str) -> str:
    """The size as sold of a number of MiB, or of GiB (`192G`); "" if it is neither."""
    digits = memory.removesuffix("G")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
        return ""
    mib = int(digits) * (1024 if digits != memory else 1)
    return next((f"{gib}Gi" for gib in RAM_GIB if mib <= gib * 1024), f"{mib // 1024}Gi")
