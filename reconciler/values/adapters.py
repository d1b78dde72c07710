"""Names, kinds and files of adapters."""

from __future__ import annotations

from enum import StrEnum

KUBERNETES, ANSIBLE = "kubernetes", "ansible"
"""Default names: the kinds of these two adapters are fixed, and the host file need not list them."""


class AdapterKind(StrEnum):
    """The `kind` of an adapter file, and of the adapter's entry in the host file."""

    KUBERNETES = "KubernetesAdapter"
    ANSIBLE = "AnsibleAdapter"


def adapter_path(name: str) -> str:
    """The adapter's file in the state repository."""
    return f"adapters/{name}.yaml"
