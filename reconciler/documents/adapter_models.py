"""`adapters/kubernetes.yaml` and `adapters/ansible.yaml`: where workloads run."""

from typing import Literal

from reconciler.documents.forms import Name
from reconciler.documents.model import FileModel


class KubernetesFile(FileModel):
    """The Kubernetes adapter; the kubeconfig is named in the host file, out of the repository's reach."""

    kind: Literal["KubernetesAdapter"] = "KubernetesAdapter"
    """KubernetesAdapter."""
    enabled: bool = True
    """false: nothing is applied or removed there."""
    namespace: Name = "provider-workloads"
    """The namespace of all workloads."""


class AnsibleFile(FileModel):
    """The Ansible adapter; inventory and credentials are named in the host file."""

    kind: Literal["AnsibleAdapter"] = "AnsibleAdapter"
    """AnsibleAdapter."""
    enabled: bool = False
    """true: workloads may name this adapter."""
