"""What the host file permits the repository to use: namespaces, hosts, sudo, storage paths, secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from reconciler.values.adapters import ANSIBLE, KUBERNETES, AdapterKind


@dataclass(frozen=True, slots=True)
class KubernetesGrants:
    """`cluster` identifies the API server of the credentials ("": unknown); equal ones are one cluster.
    `lease_namespaces`: each lease may get a namespace of its own.
    """

    kind: ClassVar[AdapterKind] = AdapterKind.KUBERNETES
    namespaces: tuple[str, ...] = ("provider-workloads",)
    cluster: str = ""
    lease_namespaces: bool = False


@dataclass(frozen=True, slots=True)
class AnsibleGrants:
    """`hosts` are names, addresses and ranges (CIDR); `this_machine` and `sudo` are separate grants;
    `storage_paths` are directories for records, with everything below them.
    """

    kind: ClassVar[AdapterKind] = AdapterKind.ANSIBLE
    enabled: bool = False
    hosts: tuple[str, ...] = ()
    this_machine: bool = False
    sudo: bool = False
    storage_paths: tuple[str, ...] = ("/var/lib/provider-workloads",)


AdapterGrants = KubernetesGrants | AnsibleGrants


@dataclass(frozen=True, slots=True)
class SecretGrant:
    """A secret (`name`: all its keys, `name/key`: one key), for workloads by id and tenants by address."""

    name: str
    workloads: frozenset[str] = frozenset()
    tenants: frozenset[str] = frozenset()

    def covers(self, reference: str, workload: str, tenant: str) -> bool:
        """Whether this workload of this tenant may refer to it (`name/key`)."""
        named = self.name in (reference, reference.partition("/")[0])
        return named and (workload in self.workloads or tenant in self.tenants)


def _default_adapters() -> Mapping[str, AdapterGrants]:
    return {KUBERNETES: KubernetesGrants(), ANSIBLE: AnsibleGrants()}


@dataclass(frozen=True, slots=True)
class Grants:
    """All grants, those of adapters by name; everything else is denied."""

    adapters: Mapping[str, AdapterGrants] = field(default_factory=_default_adapters)
    secrets: tuple[SecretGrant, ...] = ()
