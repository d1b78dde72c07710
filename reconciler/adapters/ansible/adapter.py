"""The Ansible adapter: observations come from memory, changes go to a work queue of runs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.adapters.ansible.credentials import HostCredentials
from reconciler.adapters.ansible.host_fleet import HostFleet
from reconciler.adapters.ansible.host_observer import HostObserver
from reconciler.adapters.ansible.host_queries import HostQueries, Location
from reconciler.adapters.ansible.host_spec import apply_request, apply_task, host_spec_of, remove_task
from reconciler.adapters.ansible.job_queue import Job, JobKey, JobQueue
from reconciler.adapters.ansible.placements import Placement, Placements
from reconciler.adapters.ansible.responses import AppliedWorkloads, ReportedWorkload
from reconciler.adapters.ansible.runner import (
    MISSING,
    SPARE_SECONDS,
    AnsibleRunner,
    HostResult,
    Play,
    PlayRunner,
    RunError,
)
from reconciler.adapters.ansible.scheduling import validate_ports
from reconciler.adapters.ansible.troubles import host_trouble
from reconciler.adapters.ansible.workload_view import HOST_GONE, FailedJob, FleetObservation, workloads_of
from reconciler.ports import Wake
from reconciler.values.adapters import adapter_path
from reconciler.values.desired import Workload
from reconciler.values.hosts import AnsibleSettings
from reconciler.values.ids import WorkloadId
from reconciler.values.inspection import WorkloadEvents, WorkloadUse
from reconciler.values.observed import AdapterView, Trouble
from reconciler.values.outcomes import Done, Failed, Outcome
from reconciler.values.readings import Seen, Unseen
from reconciler.values.resources import Resources

FIRST_OBSERVATION_SECONDS = 10.0
BACKOFF_FIRST_SECONDS, BACKOFF_MAX_SECONDS = 15.0, 600.0
PLACEMENTS = "places.json"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AnsibleEnvironment:
    """Settings from the repository, credentials from the host file; the directory `state` is kept, `scratch`
    is not. Leases of another `provider` than our address are not ours ("": all are).
    """

    settings: AnsibleSettings
    credentials: HostCredentials
    state: Path
    scratch: Path
    provider: str = ""


class AnsibleAdapter:
    """Implements `ports.Adapter` and `ports.Inspector`. `start` it before the first look, `close` it at the
    end.
    """

    def __init__(self, environment: AnsibleEnvironment, wake: Wake, runner: PlayRunner | None = None) -> None:
        settings = self._settings = environment.settings
        self._provider = environment.provider
        self._name = environment.credentials.name
        self._wake = wake
        self._runner = runner or AnsibleRunner(settings, environment.credentials, environment.scratch)
        self._placements = Placements(environment.state / PLACEMENTS)
        self._observer = HostObserver(self._runner, settings, wake, self._name)
        self._jobs = JobQueue(settings.concurrent_runs, self._work, wake)
        self._queries = HostQueries(self._runner, settings)
        self._lock = threading.Lock()
        self._failed: dict[JobKey, FailedJob] = {}
        self._quota: Resources | None = None
        self._is_first_look = True
        self._groups = {host.name: group for group in settings.groups for host in group.hosts}

    def start(self) -> None:
        """Begin to observe."""
        self._observer.start()

    def close(self) -> None:
        """End all runs and threads."""
        self._runner.close()
        self._observer.close()
        self._jobs.close()

    def observe(self) -> AdapterView:
        """From memory; the first look waits up to 10 seconds for the first observation of each group."""
        if self._is_first_look:
            self._observer.wait(FIRST_OBSERVATION_SECONDS)
            self._is_first_look = False
        fleet = self._fleet()
        if (why := fleet.unseen_reason) is not None:
            return AdapterView(Unseen(why), Unseen(why))
        if not fleet.unreachable and self._placements.is_new:
            self._placements.settle()
        unreachable = tuple(fleet.unreachable[name] for name in sorted(fleet.unreachable))
        observation = self._observation(fleet)
        capacity = fleet.capacity(observation, self._quota)
        return AdapterView(Seen(workloads_of(observation)), capacity, unreachable)

    def prepare(self, quota: Resources) -> Outcome:
        """Keep the quota here, because hosts have none; placement respects it."""
        self._quota = quota
        return Done(f"quota {quota.describe()}")

    def apply(self, workload: Workload, digest: str) -> Outcome:
        """Select a host, store the placement, queue the job; the result shows in later looks."""
        if refusal := validate_ports(workload, self._settings):
            return refusal
        fleet = self._fleet()
        observation = self._observation(fleet)
        lost = self._placements.is_new
        host = fleet.select_host(workload, observation, self._quota, placements_lost=lost)
        if isinstance(host, Failed):
            return host
        lease, spec = str(workload.lease), host_spec_of(workload, digest, self._settings, fleet.gpus(host))
        try:
            self._placements.put(workload.id, Placement(host, lease, digest, len(spec["containers"])))
        except OSError as error:
            return Failed(
                "PlaceUnwritable", f"{PLACEMENTS}: {error.strerror}", "free disk space in the state directory"
            )
        self._submit(Job(workload.id, host, lease, digest, spec))
        for other in observation.hosts_of(workload.id):
            if other != host and other in fleet.reachable:
                self._submit(Job(workload.id, other, lease))
        return Done()

    def remove(self, workload: WorkloadId) -> Outcome:
        """Queue its removal from every host where it was observed or placed; idempotent."""
        fleet = self._fleet()
        hosts = [host for host in self._observation(fleet).hosts_of(workload) if host in self._groups]
        if not hosts:
            self._placements.delete(workload)
            return Done("nothing of it exists")
        for host in hosts:
            trouble = fleet.unreachable.get(host)
            failed = self._failed.get((workload, host))
            if failed is not None and failed.job.is_removal and time.monotonic() < failed.retry_at:
                trouble = trouble or failed.trouble
            if trouble is not None:
                return Failed(trouble.reason, trouble.message, trouble.advice)
        for host in hosts:
            self._submit(Job(workload, host))
        return Done("removal queued")

    def logs(self, workload: WorkloadId, tail_lines: int) -> Iterator[bytes]:
        """The last lines of each of its containers."""
        return self._queries.logs(self._location(workload), workload, tail_lines)

    def use(self, workload: WorkloadId) -> WorkloadUse:
        """As the engine measures it."""
        return self._queries.use(self._location(workload), workload)

    def events(self, workload: WorkloadId) -> WorkloadEvents:
        """The engine's events of one day."""
        return self._queries.events(self._location(workload), workload)

    def _location(self, workload: WorkloadId) -> Location:
        """OSError if its host is unreachable."""
        fleet = self._fleet()
        for host in self._observation(fleet).hosts_of(workload):
            if host not in self._groups:
                continue
            if trouble := fleet.unreachable.get(host):
                raise OSError(f"{trouble.message}; {trouble.advice}")
            return self._groups[host], host
        return None

    def _fleet(self) -> HostFleet:
        return HostFleet(self._settings, self._observer.readings())

    def _observation(self, fleet: HostFleet) -> FleetObservation:
        """Hosts that hold workloads but are no longer configured count as unreachable."""
        placements = self._placements.all()
        gone = {each.host for each in placements.values()} - self._groups.keys()
        advice = "its workloads are placed on other hosts; remove what is left on it"
        path = adapter_path(self._name)
        troubles = {h: Trouble(HOST_GONE, f"host {h} is not in {path}", advice) for h in gone}
        jobs = self._jobs.in_flight()
        with self._lock:
            failed = dict(self._failed)
        unreachable = {**troubles, **fleet.unreachable}
        now = time.monotonic()
        return FleetObservation(fleet.workloads, unreachable, placements, jobs, failed, now, self._provider)

    def _submit(self, job: Job) -> None:
        with self._lock:
            failed = self._failed.get(job.key)
            if failed is not None and failed.job != job:
                del self._failed[job.key]
        if self._jobs.submit(job):
            self._wake()

    def _work(self, batch: Sequence[Job]) -> None:
        """One run for jobs of one host; the queue calls it."""
        host = batch[0].host
        group = self._groups[host]
        tasks = [apply_task(job.spec) if job.spec is not None else remove_task(job.workload) for job in batch]
        request = apply_request(tasks, group.engine, self._settings)
        applied: Mapping[str, ReportedWorkload | None] | None = None
        try:
            play = Play("apply", group, {host: request}, self._settings.timeouts.apply + SPARE_SECONDS)
            result = self._runner.run(play).get(host, MISSING)
            if result.state == "ok":
                applied = result.decode(AppliedWorkloads).workloads
        except RunError as error:
            result = HostResult("failed", str(error))
        except Exception as error:  # an internal error must neither count as success nor end the pool
            log.exception("adapter %s: work on %s", self._name, host)
            result = HostResult("failed", f"internal error of the daemon: {error!r}")
        for job in batch:
            observed = applied.get(job.workload) if applied is not None else None
            if applied is None:
                self._fail(job, host_trouble(host, result.message, result.step))
            elif observed is not None and observed.error:
                self._fail(job, host_trouble(host, observed.error, observed.step))
            else:
                self._succeed(job, observed)

    def _fail(self, job: Job, trouble: Trouble) -> None:
        """Retry with exponential backoff; observe the host now."""
        with self._lock:
            before = self._failed.get(job.key)
            attempts = before.attempts + 1 if before is not None and before.job == job else 1
            pause = min(BACKOFF_FIRST_SECONDS * 2 ** min(attempts - 1, 10), BACKOFF_MAX_SECONDS)
            self._failed[job.key] = FailedJob(job, trouble, attempts, time.monotonic() + pause)
        self._observer.trigger(job.host)

    def _succeed(self, job: Job, observed: ReportedWorkload | None) -> None:
        with self._lock:
            self._failed.pop(job.key, None)
        self._observer.record(job.host, job.workload, observed)
        if job.is_removal and observed is None:
            placement = self._placements.all().get(job.workload)
            if placement is not None and placement.host == job.host:
                self._placements.delete(job.workload)
