"""What the host file permits the repository to use: namespaces, hosts, sudo, storage paths, secrets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnsibleGrants:
    """`hosts` are names, addresses and ranges (CIDR); `this_machine` and `sudo` are separate grants;
    `storage_paths` are directories for records, with everything below them.
    """

    enabled: bool = False
    hosts: tuple[str, ...] = ()
    this_machine: bool = False
    sudo: bool = False
    storage_paths: tuple[str, ...] = ("/var/lib/provider-workloads",)


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


@dataclass(frozen=True, slots=True)
class Grants:
    """All grants; everything else is denied."""

    namespaces: tuple[str, ...] = ("provider-workloads",)
    ansible: AnsibleGrants = AnsibleGrants()
    secrets: tuple[SecretGrant, ...] = ()
