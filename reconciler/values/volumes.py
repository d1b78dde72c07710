"""Persistent volumes that exist."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.values.ids import LeaseId, WorkloadId
from reconciler.values.resources import MB


@dataclass(frozen=True, slots=True, order=True)
class PersistentVolume:
    """A volume that each container of a service has, by the market's class."""

    name: str
    storage_class: str
    size_bytes: int

    def __str__(self) -> str:
        return f"{self.name} ({self.size_bytes // MB} MB of {self.storage_class})"


@dataclass(frozen=True, slots=True)
class KeptVolumes:
    """The persistent volumes of a workload that was removed; they are deleted after `until` (unix
    seconds), unless its lease is active.
    """

    workload: WorkloadId
    lease: LeaseId
    size_bytes: int
    until: int
