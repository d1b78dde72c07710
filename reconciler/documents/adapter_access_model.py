"""The host file's `adapters`: by name, the access of each adapter, and the bounds of its file."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from reconciler.documents.forms import NAME, Directory, HostGrant, Jump, Line, Name, PathText
from reconciler.documents.model import StrictModel
from reconciler.values.adapters import ANSIBLE, KUBERNETES


class KubernetesAccessModel(StrictModel):
    """Access to a cluster, and the bounds of the adapter's file."""

    kind: Literal["KubernetesAdapter"] = "KubernetesAdapter"
    """KubernetesAdapter. (restart)"""
    kubeconfig: PathText | None = None
    """Kubeconfig; default $KUBECONFIG. In a pod, use one with a tokenFile. (live)"""
    context: Line | None = None
    """Context of the kubeconfig; default: its current context. (restart)"""
    programs: bool = False
    """true: allow the kubeconfig's credential plugins (exec, auth-provider) to run. (restart)"""
    namespaces: Annotated[list[Name], Field(max_length=100)] = Field(default=["provider-workloads"])
    """Namespaces that the adapter's file may use; any other is rejected. (restart)"""
    lease_namespaces: bool = False
    """true: allow `isolation: namespace`, for which the daemon needs rights in all namespaces. (restart)"""


class AnsibleAccessModel(StrictModel):
    """Access to hosts, and the bounds of the adapter's file: a file that exceeds them is not applied. The
    files named here must be readable by the daemon's user only.
    """

    kind: Literal["AnsibleAdapter"] = "AnsibleAdapter"
    """AnsibleAdapter. (restart)"""
    enabled: bool = False
    """true: allow workloads on plain hosts. (restart)"""
    hosts: Annotated[list[HostGrant], Field(max_length=1_000)] = Field(default=[])
    """Allowed hosts: exact names, IP addresses, or ranges such as "192.0.2.0/24". (restart)"""
    this_machine: bool = False
    """true: allow workloads on the daemon's own machine (address: localhost), beside its key. (restart)"""
    sudo: bool = False
    """true: allow `sudo: true` and `user: root` in groups. (restart)"""
    storage_paths: Annotated[list[Directory], Field(max_length=100)] = Field(
        default=["/var/lib/provider-workloads"]
    )
    """Directories on hosts that may contain storage.path. (restart)"""
    jump: Jump | None = None
    """SSH jump host, "user@host:port", for all hosts except this machine; its key must be in known_hosts.
    (restart)
    """
    private_key: PathText | None = None
    """SSH private key, without a passphrase, for hosts other than this machine. (live)"""
    known_hosts: PathText | None = None
    """Host keys in the format of ssh-keyscan; a host with another key is rejected. (live)"""
    vault: PathText | None = None
    """ansible-vault file with tenants' secrets, as `name: {key: value}`. (live)"""
    vault_password_file: PathText | None = None
    """File with the vault's password. (live)"""


AccessModel = KubernetesAccessModel | AnsibleAccessModel


def _named_entries(schema: dict[str, Any]) -> None:
    """A schema for entries with other names: a valid name, and a kind."""
    schema["propertyNames"] = {"pattern": NAME.pattern}
    schema["additionalProperties"] |= {
        "required": ["kind"],
        "description": "Access of adapters/NAME.yaml: `kind`, and the keys of that kind as above. (restart)",
    }


class AdaptersModel(StrictModel):
    """By the adapter's name: its access to machines, and which of them the repository may use. An adapter
    file without an entry here runs nothing.
    """

    model_config = ConfigDict(extra="allow", json_schema_extra=_named_entries)

    kubernetes: KubernetesAccessModel = KubernetesAccessModel()
    """Access of adapters/kubernetes.yaml. (restart)"""
    ansible: AnsibleAccessModel = AnsibleAccessModel()
    """Access of adapters/ansible.yaml. (restart)"""
    __pydantic_extra__: dict[Name, Annotated[AccessModel, Field(discriminator="kind")]]

    @property
    def by_name(self) -> dict[str, AccessModel]:
        """Every entry, the two with default names among them."""
        return {KUBERNETES: self.kubernetes, ANSIBLE: self.ansible, **(self.model_extra or {})}
