"""The workloads that a change of the desired state would stop, move or replace, whichever field causes it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.planning.workloads import digest_of
from reconciler.values.desired import Config, Desired, Escrow, KubernetesSettings, OnCritical, Workload
from reconciler.values.durations import format_duration
from reconciler.values.ids import WorkloadId
from reconciler.values.images import denied_by
from reconciler.values.memory import Memory


@dataclass(frozen=True, slots=True)
class Disruption:
    """A complete description of the disruption of one workload; `before` and `after` identify its containers
    under each revision ("": none, or unknown).
    """

    what: str
    before: str = ""
    after: str = ""


def disruptions(before: Desired | None, after: Desired, memory: Memory) -> Mapping[WorkloadId, Disruption]:
    """The workloads that run under `before` and would stop, move or be replaced under `after`; each counts
    once. Compares the resulting deployments, so that no field is left out: a file that is deleted, paused or
    closing, a denied image, a disabled adapter, another adapter, namespace or host, any other specification
    (a new image replaces the containers), or a rule that may pause it.

    `before` is None if the revision in force is no longer known; then the workloads in memory are compared.
    """
    if before is None:
        return _from_memory(after, memory)
    change = _Change(before, after, memory)
    each = ((subject, change.of(old)) for subject, old in before.workloads.items())
    return {subject: found for subject, found in each if found is not None}


def is_served(memory: Memory, subject: WorkloadId) -> bool:
    """Whether its lease is still active: deleting the files of ended leases is no removal. Decides whether a
    revision is held, never what an approval covers, so a tenant who leaves voids no approval.

    A new journal has no leases before the chain is first seen; until then every workload counts.
    """
    known = memory.workloads.get(subject)
    return not memory.height or (known is not None and not known.closed_first)


class _Change:
    """Two revisions, and the changes between them that affect all workloads."""

    def __init__(self, before: Desired, after: Desired, memory: Memory) -> None:
        self._before, self._after, self._memory = before, after, memory
        self._pausing = _may_pause(before.config or Config(), after.config or Config())
        there = _hosts(after)
        self._lost = sorted(name for name, host in _hosts(before).items() if there.get(name) != host)

    def of(self, old: Workload) -> Disruption | None:
        """The disruption of a workload of the earlier revision; None if it keeps running or did not run."""
        known = self._memory.workloads.get(old.id)
        here = old.adapter or (known.adapter if known else "")
        if _stop_reason(self._before, old, here):
            return None
        was = _identity(self._before, old, here)
        new = self._after.workloads.get(old.id)
        if new is None:
            return Disruption(f"deletes {old.id}", was)
        there = new.adapter or here
        if stop := _stop_reason(self._after, new, there):
            return Disruption(stop, was)
        runs = _identity(self._after, new, there)
        if was != runs:
            return Disruption(self._move(new, here, there), was, runs)
        if there == "ansible" and self._lost:
            return Disruption(f"changes or takes away host {', '.join(self._lost)} of {new.id}", was, runs)
        return Disruption(f"pauses {new.id} {self._pausing}", was, runs) if self._pausing else None

    def _move(self, new: Workload, here: str, there: str) -> str:
        place = _place(self._after, there)
        runs = f"{new.id} (specification {_identity(self._after, new, there)})"
        if here != there:
            return f"moves {runs} to adapter {there}"
        return f"moves {runs} to {place}" if _place(self._before, here) != place else f"replaces {runs}"


def _from_memory(after: Desired, memory: Memory) -> Mapping[WorkloadId, Disruption]:
    found: dict[WorkloadId, Disruption] = {}
    for subject, known in memory.workloads.items():
        new = after.workloads.get(subject)
        if new is None:
            found[subject] = Disruption(f"deletes {subject}")
        elif stop := _stop_reason(after, new, new.adapter or known.adapter):
            found[subject] = Disruption(stop)
        elif known.digest and known.digest != digest_of(replace(new, adapter=new.adapter or known.adapter)):
            runs = _identity(after, new, known.adapter)
            found[subject] = Disruption(f"replaces {subject} by specification {runs}", "", runs)
    return found


def _stop_reason(desired: Desired, workload: Workload, adapter: str) -> str:
    """What stops a workload that has a file; "" if nothing does."""
    if workload.close is not None:
        return f"closes {workload.id} ({workload.close.value})"
    if workload.paused:
        return f"pauses {workload.id}"
    settings = {"kubernetes": desired.kubernetes, "ansible": desired.ansible}.get(adapter)
    if settings is not None and not settings.enabled:
        return f"disables adapter {adapter} of {workload.id}"
    patterns = desired.config.images_denied if desired.config else ()
    for service in workload.services if patterns else ():
        if denied := denied_by(service.image, patterns):
            return f"denies the image {service.image} of {workload.id} ({denied})"
    return ""


def _identity(desired: Desired, workload: Workload, adapter: str) -> str:
    """A digest of a workload's specification and placement."""
    identity = (workload.lease, workload.services, adapter, _place(desired, adapter))
    return hashlib.sha256(repr(identity).encode()).hexdigest()[:16]


def _place(desired: Desired, adapter: str) -> str:
    """The placement that an adapter file sets for all its workloads."""
    if adapter == "kubernetes":
        return f"namespace {(desired.kubernetes or KubernetesSettings()).namespace}"
    if adapter == "ansible" and desired.ansible is not None:
        return f"directory {desired.ansible.storage}"
    return ""


def _hosts(desired: Desired) -> Mapping[str, object]:
    """Host name -> the settings that cannot change without moving its workloads."""
    groups = desired.ansible.groups if desired.ansible else ()
    return {host.name: (host.address, host.port, group.engine) for group in groups for host in group.hosts}


def _may_pause(old: Config, new: Config) -> str:
    """When the change pauses workloads for low funds; "" if not sooner than before."""
    rules: Escrow = new.escrow
    paused = old.escrow.on_critical is OnCritical.PAUSE
    if rules.on_critical is not OnCritical.PAUSE:
        return ""
    if paused and rules.critical_seconds <= old.escrow.critical_seconds:
        return ""
    return f"when its funds last less than {format_duration(rules.critical_seconds)}"
