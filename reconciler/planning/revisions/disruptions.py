"""The workloads that a change of the desired state would stop, move or replace, whichever field causes it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.planning.capacity.placement import rendered_for
from reconciler.planning.revisions.adapter_grants import denials
from reconciler.planning.workloads import digest_of
from reconciler.values.clusters import KubernetesSettings
from reconciler.values.desired import Config, Desired, Escrow, OnCritical, Workload
from reconciler.values.grants import Grants
from reconciler.values.hosts import AnsibleSettings
from reconciler.values.ids import WorkloadId
from reconciler.values.images import denied_by
from reconciler.values.memory import Memory
from reconciler.values.same import differing_names
from reconciler.values.times import format_duration


@dataclass(frozen=True, slots=True)
class Disruption:
    """A complete description of the disruption of one workload; `before` and `after` identify its containers
    under each revision ("": none, or unknown).
    """

    what: str
    before: str = ""
    after: str = ""


def disruptions(
    before: Desired | None, after: Desired, memory: Memory, grants: Grants
) -> Mapping[WorkloadId, Disruption]:
    """The workloads that run under `before` and would stop, move or be replaced under `after`; each counts
    once. Compares the resulting deployments, so that no field is left out: a file that is deleted, paused or
    closing, a denied image, an adapter that is disabled, removed, renamed or denied by the host file, another
    adapter, namespace or host, any other specification (a new image replaces the containers, and so do
    settings with which an adapter creates them), or a rule that may pause it.

    `before` is None if the revision in force is no longer known; then the workloads in memory are compared.
    """
    if before is None:
        return _from_memory(_Side(after, grants), memory)
    change = _Change(_Side(before, grants), _Side(after, grants), memory)
    named = before.workloads.keys() if change.concerns_all else change.files
    each = ((name, change.of(old)) for name in named if (old := before.workloads.get(name)) is not None)
    return {subject: found for subject, found in each if found is not None}


def is_served(memory: Memory, subject: WorkloadId) -> bool:
    """Whether its lease is still active: deleting the files of ended leases is no removal. Decides whether a
    revision is held, never what an approval covers, so a tenant who leaves voids no approval.

    A new journal has no leases before the chain is first seen; until then every workload counts.
    """
    known = memory.workloads.get(subject)
    return not memory.height or (known is not None and not known.closed_first)


class _Side:
    """One revision under the grants of the host file: what stops a workload, and where it runs."""

    def __init__(self, desired: Desired, grants: Grants) -> None:
        self.desired = desired
        self._denied = denials(desired, grants)

    def stop_reason(self, workload: Workload, adapter: str) -> str:
        """What stops a workload that has a file; "" if nothing does."""
        if workload.close is not None:
            return f"closes {workload.id} ({workload.close.value})"
        if workload.paused:
            return f"pauses {workload.id}"
        settings = self.desired.adapters.get(adapter)
        if settings is None and adapter:
            return f"leaves {workload.id} without its adapter {adapter}"
        if settings is not None and not settings.enabled:
            return f"disables adapter {adapter} of {workload.id}"
        if adapter in self._denied:
            return f"lets adapter {adapter} of {workload.id} exceed the host file"
        patterns = self.desired.config.images_denied if self.desired.config else ()
        for service in workload.services if patterns else ():
            if denied := denied_by(service.image, patterns):
                return f"denies the image {service.image} of {workload.id} ({denied})"
        return ""

    def identity(self, workload: Workload, adapter: str) -> str:
        """A digest of a workload's specification and placement."""
        settings = self.desired.adapters.get(adapter)
        rendering = settings.rendering if settings else ""
        identity = (workload.lease, workload.services, adapter, self.place(adapter), rendering)
        return hashlib.sha256(repr(identity).encode()).hexdigest()[:16]

    def digest(self, workload: Workload, adapter: str) -> str:
        """The digest with which it is applied."""
        return digest_of(rendered_for(workload, self.desired.adapters.get(adapter)))

    def place(self, adapter: str) -> str:
        """The placement that an adapter file sets for all its workloads."""
        match self.desired.adapters.get(adapter):
            case KubernetesSettings(namespace=namespace, isolation=isolation):
                return f"namespace {namespace}, {isolation}"
            case AnsibleSettings(storage=storage):
                return f"directory {storage}"
            case None:
                return ""

    def hosts(self, adapter: str) -> Mapping[str, object]:
        """Host name -> the settings that cannot change without moving its workloads."""
        settings = self.desired.adapters.get(adapter)
        groups = settings.groups if isinstance(settings, AnsibleSettings) else ()
        return {
            host.name: (host.address, host.port, group.engine) for group in groups for host in group.hosts
        }


class _Change:
    """Two revisions, and the changes between them that affect all workloads."""

    def __init__(self, before: _Side, after: _Side, memory: Memory) -> None:
        self._before, self._after, self._memory = before, after, memory
        self._pausing = _may_pause(before.desired.config or Config(), after.desired.config or Config())
        self._lost = {name: self._lost_hosts(name) for name in before.desired.adapters}

    @property
    def files(self) -> Iterable[WorkloadId]:
        """The workloads whose files differ."""
        return differing_names(self._before.desired.workloads, self._after.desired.workloads)

    @property
    def concerns_all(self) -> bool:
        """Whether it may affect workloads whose own files are the same."""
        before, after = self._before.desired, self._after.desired
        return (before.config, before.adapters) != (after.config, after.adapters)

    def of(self, old: Workload) -> Disruption | None:
        """The disruption of a workload of the earlier revision; None if it keeps running or did not run."""
        known = self._memory.workloads.get(old.id)
        here = old.adapter or (known.adapter if known else "")
        if self._before.stop_reason(old, here):
            return None
        was = self._before.identity(old, here)
        new = self._after.desired.workloads.get(old.id)
        if new is None:
            return Disruption(f"deletes {old.id}", was)
        there = new.adapter or here
        if stop := self._after.stop_reason(new, there):
            return Disruption(stop, was)
        runs = self._after.identity(new, there)
        if was != runs:
            return Disruption(self._move(new, here, there), was, runs)
        if lost := self._lost.get(there):
            return Disruption(f"changes or takes away host {', '.join(lost)} of {new.id}", was, runs)
        return Disruption(f"pauses {new.id} {self._pausing}", was, runs) if self._pausing else None

    def _move(self, new: Workload, here: str, there: str) -> str:
        place = self._after.place(there)
        runs = f"{new.id} (specification {self._after.identity(new, there)})"
        if here != there:
            return f"moves {runs} to adapter {there}"
        return f"moves {runs} to {place}" if self._before.place(here) != place else f"replaces {runs}"

    def _lost_hosts(self, adapter: str) -> list[str]:
        there = self._after.hosts(adapter)
        return sorted(name for name, host in self._before.hosts(adapter).items() if there.get(name) != host)


def _from_memory(after: _Side, memory: Memory) -> Mapping[WorkloadId, Disruption]:
    found: dict[WorkloadId, Disruption] = {}
    for subject, known in memory.workloads.items():
        new = after.desired.workloads.get(subject)
        if new is None:
            found[subject] = Disruption(f"deletes {subject}")
            continue
        adapter = new.adapter or known.adapter
        if stop := after.stop_reason(new, adapter):
            found[subject] = Disruption(stop)
        elif known.adapter not in ("", adapter):
            runs = after.identity(new, adapter)
            what = f"moves {subject} (specification {runs}) to {adapter}"
            found[subject] = Disruption(what, "", runs)
        elif known.digest and known.digest != after.digest(new, adapter):
            runs = after.identity(new, adapter)
            found[subject] = Disruption(f"replaces {subject} by specification {runs}", "", runs)
    return found


def _may_pause(old: Config, new: Config) -> str:
    """When the change pauses workloads for low funds; "" if not sooner than before."""
    rules: Escrow = new.escrow
    paused = old.escrow.on_critical is OnCritical.PAUSE
    if rules.on_critical is not OnCritical.PAUSE:
        return ""
    if paused and rules.critical_seconds <= old.escrow.critical_seconds:
        return ""
    return f"when its funds last less than {format_duration(rules.critical_seconds)}"
