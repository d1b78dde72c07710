"""What the host file lets the repository use: namespaces, hosts, rights on them, names of secrets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnsibleGrants:
    """`hosts` are names, addresses and ranges (CIDR); `this_machine` is a grant of its own, as is becoming
    root (`sudo`); `storage_paths` are directories in or below which records may be kept.
    """

    enabled: bool = False
    hosts: tuple[str, ...] = ()
    this_machine: bool = False
    sudo: bool = False
    storage_paths: tuple[str, ...] = ("/var/lib/provider-workloads",)


@dataclass(frozen=True, slots=True)
class SecretGrant:
    """A secret (`name`: all its keys, `name/key`: one) for workloads by id and for tenants by address."""

    name: str
    workloads: frozenset[str] = frozenset()
    tenants: frozenset[str] = frozenset()

    def covers(self, reference: str, workload: str, tenant: str) -> bool:
        """Whether this workload of this tenant may refer to it (`name/key`)."""
        named = self.name in (reference, reference.partition("/")[0])
        return named and (workload in self.workloads or tenant in self.tenants)


@dataclass(frozen=True, slots=True)
class Grants:
    """All of it; what is not granted is denied."""

    namespaces: tuple[str, ...] = ("provider-workloads",)
    ansible: AnsibleGrants = AnsibleGrants()
    secrets: tuple[SecretGrant, ...] = ()
