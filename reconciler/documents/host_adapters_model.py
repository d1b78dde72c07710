"""Of the host file: how machines are reached, and what of them the repository may use."""

from typing import Annotated

from pydantic import Field

from reconciler.documents.forms import (
    Address,
    Directory,
    HostGrant,
    Jump,
    Line,
    Name,
    PathText,
    SecretGrantName,
    WorkloadName,
)
from reconciler.documents.model import StrictModel


class KubernetesAccessModel(StrictModel):
    """How the cluster is reached."""

    kubeconfig: PathText | None = None
    """The kubeconfig; without it $KUBECONFIG. In a pod, one that names its tokenFile. (live)"""
    context: Line | None = None
    """The context in it; without it the current one. (restart)"""
    programs: bool = False
    """true: a program that the kubeconfig names (exec, auth-provider) may be run to get credentials.
    (restart)
    """
    namespaces: Annotated[list[Name], Field(max_length=100)] = Field(default=["provider-workloads"])
    """The namespaces that adapters/kubernetes.yaml may name; in another, nothing runs. (restart)"""


class AnsibleAccessModel(StrictModel):
    """How hosts are reached, and what adapters/ansible.yaml may ask for; if it asks for more, nothing of it
    runs. The files are readable to the daemon's user only.
    """

    enabled: bool = False
    """true: workloads may run on plain hosts. (restart)"""
    hosts: Annotated[list[HostGrant], Field(max_length=1_000)] = Field(default=[])
    """The hosts that may be used: names, IP addresses or ranges such as "192.0.2.0/24"; names match as a
    whole. (restart)
    """
    this_machine: bool = False
    """true: workloads may run on the daemon's own machine (address: localhost), beside its key. (restart)"""
    sudo: bool = False
    """true: groups may say `sudo: true` or `user: root`. (restart)"""
    storage_paths: Annotated[list[Directory], Field(max_length=100)] = Field(
        default=["/var/lib/provider-workloads"]
    )
    """The directories of hosts in or below which storage.path may be. (restart)"""
    jump: Jump | None = None
    """An SSH server, "user@host:port", through which all hosts but this machine are reached; its key must be
    in known_hosts, too. (restart)
    """

    private_key: PathText | None = None
    """The SSH key, without a passphrase, of hosts that are not this machine. (live)"""
    known_hosts: PathText | None = None
    """The keys of the hosts, as ssh-keyscan prints them; a host whose key is another is not talked to. (live)
    """
    vault: PathText | None = None
    """A file of ansible-vault that holds tenants' secrets, as `name: {key: value}`. (live)"""
    vault_password_file: PathText | None = None
    """The file with the vault's password. (live)"""


class AdaptersModel(StrictModel):
    """How each adapter reaches its machines, and which of them the repository may use."""

    kubernetes: KubernetesAccessModel = KubernetesAccessModel()
    """The Kubernetes cluster. (restart)"""
    ansible: AnsibleAccessModel = AnsibleAccessModel()
    """Plain hosts. (restart)"""


class SecretGrantModel(StrictModel):
    """A secret that workload files may refer to."""

    name: SecretGrantName
    """The Secret of the cluster, or the name in the vault; "name/key" grants one key only. (restart)"""
    workloads: Annotated[list[WorkloadName], Field(max_length=1_000)] = Field(default=[])
    """Workloads, by their ids, that may use it. (restart)"""
    tenants: Annotated[list[Address], Field(max_length=1_000)] = Field(default=[])
    """Tenants, by their addresses, all of whose workloads may use it. (restart)"""
