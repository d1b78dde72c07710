"""Quantities of an SDL file: `100m`, 0.5, `1.5Gi`; fractions are cut."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.go_text import float_to_uint32, float_to_uint64, floating, unsigned
from reconciler.manifests.yaml_decoding import Custom, Decoding
from reconciler.manifests.yaml_nodes import YamlNode

NEGATIVE = "invalid: negative value not allowed"
BINARY_SUFFIXES = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40, "Pi": 1 << 50, "Ei": 1 << 60}
_SUFFIXES = {"k": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4, "P": 1000**5, "E": 1000**6}
_SUFFIXES |= BINARY_SUFFIXES


def bytes_of(text: str, suffixes: Mapping[str, int]) -> int:
    """A size in bytes with one of the suffixes or none; ManifestError otherwise."""
    suffix = next((each for each in suffixes if text.endswith(each)), "")
    number = floating(text.removesuffix(suffix)) * suffixes.get(suffix, 1)
    if number < 0:
        raise ManifestError(NEGATIVE)
    return float_to_uint64(number)


def _millicores(_: Decoding, node: YamlNode) -> int:
    if node.value.endswith("m"):
        return unsigned(node.value[:-1], 32)
    number = floating(node.value) * 1000
    if number < 0:
        raise ManifestError(NEGATIVE)
    return float_to_uint32(number)


MILLICORES = Custom(0, _millicores)
"""`500m`, or cores."""
SIZE = Custom(0, lambda _, node: bytes_of(node.value, _SUFFIXES))
"""Bytes of memory and volumes."""
MEMORY_SIZE = Custom(0, lambda _, node: bytes_of(node.value, BINARY_SUFFIXES))
"""Bytes of a GPU's memory."""
GPUS = Custom(0, lambda _, node: unsigned(node.value, 64))
"""A whole number."""
