"""The Ansible adapter: what runs is told from memory, what shall run is left to a pool of runs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from reconciler.adapters.ansible.answers import HostWorkloadAnswer, WorkAnswer
from reconciler.adapters.ansible.credentials import HostCredentials
from reconciler.adapters.ansible.host_fleet import HostFleet
from reconciler.adapters.ansible.host_observer import SPARE_SECONDS, HostObserver
from reconciler.adapters.ansible.host_queries import HostQueries
from reconciler.adapters.ansible.host_spec import (
    Order,
    SpecSettings,
    applying,
    host_spec_of,
    removing,
    work_order,
)
from reconciler.adapters.ansible.jobs import Job, Jobs, Key
from reconciler.adapters.ansible.placement import refused
from reconciler.adapters.ansible.placements import Placement, Placements
from reconciler.adapters.ansible.runs import HostAnswer, Play, Player, RunError, Runs
from reconciler.adapters.ansible.troubles import host_trouble
from reconciler.adapters.ansible.workload_view import (
    HOST_GONE,
    FleetObservation,
    RunEnd,
    hosts_of,
    workloads_of,
)
from reconciler.documents.typed_json import decode_json
from reconciler.ports import Wake
from reconciler.values.desired import Workload
from reconciler.values.hosts import AnsibleGroup, AnsibleSettings
from reconciler.values.ids import WorkloadId
from reconciler.values.inspection import WorkloadEvents, WorkloadUse
from reconciler.values.observed import AdapterView, Running, Trouble
from reconciler.values.outcomes import Done, Failed, Outcome
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.resources import Resources

FIRST_LOOK_SECONDS = 10.0
AGAIN_SECONDS, LONGEST_SECONDS = 15.0, 600.0
PLACES = "places.json"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AnsibleEnvironment:
    """Settings from the repository, secrets from the host file, directories of ours: `state` is kept,
    `scratch` is not. `provider` is our address: leases of others are not ours ("": all are).
    """

    settings: AnsibleSettings
    access: HostCredentials
    state: Path
    scratch: Path
    provider: str = ""


class AnsibleAdapter:
    """Implements `ports.Adapter`. `start` it before the first look, `close` it at the end."""

    def __init__(self, site: AnsibleEnvironment, wake: Wake, runs: Player | None = None) -> None:
        self._settings = site.settings
        self._provider = site.provider
        self._wake = wake
        self._runs = runs or Runs(site.settings, site.access, site.scratch)
        self._places = Placements(site.state / PLACES)
        self._sight = HostObserver(self._runs, site.settings, wake)
        self._jobs = Jobs(site.settings.runs, self._work, wake)
        self._asking = HostQueries(self._runs, site.settings)
        self._lock = threading.Lock()
        self._endings: dict[Key, RunEnd] = {}
        self._quota: Resources | None = None
        self._looked = False
        self._groups = {host.name: group for group in site.settings.groups for host in group.hosts}

    def start(self) -> None:
        """Begin to look."""
        self._sight.start()

    def close(self) -> None:
        """End what runs, and whatever it has started."""
        self._runs.close()
        self._sight.close()
        self._jobs.close()

    def look(self) -> AdapterView:
        """From memory; the very first look waits a moment until the hosts have answered or failed to."""
        if not self._looked:
            self._sight.wait(FIRST_LOOK_SECONDS)
            self._looked = True
        estate = self._estate()
        if estate.unseen_whole is not None:
            return AdapterView(Unseen(estate.unseen_whole), Unseen(estate.unseen_whole))
        if not estate.silent and self._places.is_new:
            self._places.settle()
        workloads: Reading[Mapping[WorkloadId, Running]] = Seen(workloads_of(self._scenery(estate)))
        unwell = tuple(estate.silent[name] for name in sorted(estate.silent))
        return AdapterView(workloads, Seen(estate.capacity(self._quota)), unwell)

    def prepare(self, quota: Resources) -> Outcome:
        """The quota is ours to keep: hosts know none. No more than it is placed."""
        self._quota = quota
        return Done(f"quota {quota.show()}")

    def apply(self, workload: Workload, digest: str) -> Outcome:
        """Choose a host once, then leave it to a run there; what came of it is seen by looking."""
        if refusal := refused(workload, self._settings):
            return refusal
        estate = self._estate()
        scenery = self._scenery(estate)
        where = estate.place_of(workload, scenery, self._quota, lost=self._places.is_new)
        if isinstance(where, Failed):
            return where
        order = host_spec_of(workload, digest, SpecSettings(self._settings, estate.gpus(where)))
        place = Placement(where, str(workload.lease), digest, len(order["containers"]))
        try:
            self._places.put(workload.id, place)
        except OSError as why:
            return Failed("PlaceUnwritable", f"{PLACES}: {why.strerror}", "make room in the state directory")
        self._submit(Job(workload.id, where, str(workload.lease), digest, order))
        for other in hosts_of(workload.id, scenery):
            if other != where and other in estate.answering:
                self._submit(Job(workload.id, other, str(workload.lease)))
        return Done()

    def remove(self, workload: WorkloadId) -> Outcome:
        """Everything labelled with this id, wherever it was seen or placed; done again, it does nothing."""
        estate = self._estate()
        scenery = self._scenery(estate)
        hosts = [host for host in hosts_of(workload, scenery) if host in self._groups]
        if not hosts:
            self._places.forget(workload)
            return Done("nothing of it is there")
        for host in hosts:
            if trouble := estate.silent.get(host):
                return Failed(trouble.reason, trouble.message, trouble.advice)
            ending = self._endings.get((workload, host))
            if ending is not None and ending.job.removing and time.monotonic() < ending.due_at:
                return Failed(ending.trouble.reason, ending.trouble.message, ending.trouble.advice)
        for host in hosts:
            self._submit(Job(workload, host))
        return Done("removal asked for")

    def logs(self, workload: WorkloadId, tail_lines: int) -> Iterator[bytes]:
        """The last lines of each of its containers."""
        return self._asking.logs(self._where(workload), workload, tail_lines)

    def use(self, workload: WorkloadId) -> WorkloadUse:
        """As `ports.Inspector`: as the engine measures it."""
        return self._asking.use(self._where(workload), workload)

    def happenings(self, workload: WorkloadId) -> WorkloadEvents:
        """As `ports.Inspector`: what the engine noted within a day."""
        return self._asking.happenings(self._where(workload), workload)

    def _where(self, workload: WorkloadId) -> tuple[AnsibleGroup, str] | None:
        """The host of a workload that something was seen of."""
        estate = self._estate()
        for host in hosts_of(workload, self._scenery(estate)):
            if host not in self._groups:
                continue
            if trouble := estate.silent.get(host):
                raise OSError(f"{trouble.message}; {trouble.advice}")
            return self._groups[host], host
        return None

    def _estate(self) -> HostFleet:
        return HostFleet(self._settings, self._sight.hosts())

    def _scenery(self, estate: HostFleet) -> FleetObservation:
        places = self._places.all()
        gone = {place.host for place in places.values()} - self._groups.keys()
        advice = "its workloads are placed anew; what is left on it is yours to remove"
        unseen = {h: Trouble(HOST_GONE, f"host {h} is not in adapters/ansible.yaml", advice) for h in gone}
        jobs = self._jobs.under_way()
        with self._lock:
            endings = dict(self._endings)
        now = time.monotonic()
        silent = {**unseen, **estate.silent}
        return FleetObservation(estate.workloads, silent, places, jobs, endings, now, self._provider)

    def _submit(self, job: Job) -> None:
        with self._lock:
            ending = self._endings.get((job.workload, job.host))
            if ending is not None and ending.job != job:
                del self._endings[job.workload, job.host]
        if self._jobs.submit(job):
            self._wake()

    def _work(self, jobs: Sequence[Job]) -> None:
        """One run on one host; called by the pool."""
        host = jobs[0].host
        group = self._groups[host]
        parts: list[Order] = [
            applying(j.order) if j.order is not None else removing(j.workload) for j in jobs
        ]
        order = work_order(parts, group.engine, self._settings)
        try:
            play = Play("work", group, {host: order}, self._settings.patience.apply + SPARE_SECONDS)
            answer = self._runs.run(play).get(host) or HostAnswer("failed", "the run said nothing about it")
            found = self._read(answer)
        except RunError as why:
            answer, found = HostAnswer("failed", str(why)), None
        except Exception as why:  # a fault of ours must not be taken for success, nor end the pool
            log.exception("adapter ansible: work on %s", host)
            answer, found = HostAnswer("failed", f"a fault of the daemon's own: {why!r}"), None
        for job in jobs:
            self._finish(job, found, answer)

    def _read(self, answer: HostAnswer) -> Mapping[str, HostWorkloadAnswer | None] | None:
        if answer.state != "ok":
            return None
        try:
            return decode_json(answer.answer, WorkAnswer).workloads
        except msgspec.MsgspecError as why:
            raise RunError(f"the host answered what cannot be read: {why}") from why

    def _finish(
        self, job: Job, found: Mapping[str, HostWorkloadAnswer | None] | None, host: HostAnswer
    ) -> None:
        key, told = (job.workload, job.host), found.get(job.workload) if found is not None else None
        if found is None or (told is not None and told.error):
            words, step = (told.error, told.step) if told is not None else (host.words, host.step)
            trouble = host_trouble(job.host, words, step)
            with self._lock:
                before = self._endings.get(key)
                count = before.count + 1 if before is not None and before.job == job else 1
                pause = min(AGAIN_SECONDS * 2 ** min(count - 1, 10), LONGEST_SECONDS)
                self._endings[key] = RunEnd(job, trouble, count, time.monotonic() + pause)
            self._sight.poke(job.host)
            return
        with self._lock:
            self._endings.pop(key, None)
        self._sight.learn(job.host, job.workload, told)
        if job.removing and told is None:
            place = self._places.all().get(job.workload)
            if place is not None and place.host == job.host:
                self._places.forget(job.workload)
