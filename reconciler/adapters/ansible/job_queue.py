"""A work queue for hosts: bounded concurrency, one job at a time for each workload on a host."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.adapters.ansible.host_spec import HostSpec
from reconciler.values.ids import WorkloadId

BATCH_MAX = 8
"""Jobs of one host that share a run when more jobs wait than can run at once."""
RUNS_PER_HOST = 2
"""Runs of one host at once, and never all: a host that hangs leaves threads to the others, and a workload
that hangs leaves one to the others of its host.
"""

JOIN_SECONDS = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Apply a workload on a host, or (without a specification) remove it. The digest stands for the
    specification in comparisons.
    """

    workload: WorkloadId
    host: str
    lease: str = ""
    digest: str = ""
    spec: HostSpec | None = field(default=None, compare=False)

    @property
    def key(self) -> JobKey:
        """Jobs of one key replace one another."""
        return self.workload, self.host

    @property
    def is_removal(self) -> bool:
        """Whether it removes the workload."""
        return self.spec is None


JobKey = tuple[WorkloadId, str]


class JobQueue:
    """A pool of `size` threads. `work` gets a batch of jobs of one host and records their results itself,
    failures too; `ended` is called when the batch is no longer in flight.
    """

    def __init__(self, size: int, work: Callable[[Sequence[Job]], None], ended: Callable[[], None]) -> None:
        self._work = work
        self._ended = ended
        self._size = size
        self._changed = threading.Condition()
        self._waiting: dict[JobKey, Job] = {}
        self._running: dict[JobKey, Job] = {}
        self._runs: Counter[str] = Counter()
        self._runs_per_host = max(min(RUNS_PER_HOST, size - 1), 1)
        self._closed = False
        self._threads: list[threading.Thread] = []

    def submit(self, job: Job) -> bool:
        """Queue a job; False if an equal one is in flight. Replaces a waiting job of the same key."""
        with self._changed:
            if (self._waiting.get(job.key) or self._running.get(job.key)) == job:
                return False
            self._waiting[job.key] = job
            if len(self._threads) < self._size:
                name = f"ansible work {len(self._threads)}"
                self._threads.append(threading.Thread(target=self._run, name=name, daemon=True))
                self._threads[-1].start()
            self._changed.notify()
            return True

    def in_flight(self) -> Mapping[JobKey, Job]:
        """Waiting and running jobs; of two with one key, the later."""
        with self._changed:
            return {**self._running, **self._waiting}

    def close(self) -> None:
        """Start nothing more, and wait briefly for running jobs."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        while batch := self._take():
            try:
                self._work(batch)
            except Exception:  # the planner repeats a job without a result; the thread continues
                _log.exception("adapter: work on host %s", batch[0].host)
            finally:
                with self._changed:
                    self._runs[batch[0].host] -= 1
                    for job in batch:
                        del self._running[job.key]
                    self._changed.notify_all()
                self._ended()

    def _take(self) -> list[Job]:
        """The oldest waiting job, with others of its host if many jobs wait; empty when closed."""
        with self._changed:
            while not self._closed:
                ready = [job for job in self._waiting.values() if self._may_start(job)]
                if ready:
                    same_host = [job for job in ready if job.host == ready[0].host]
                    batch = same_host[: BATCH_MAX if len(ready) > self._size else 1]
                    self._runs[ready[0].host] += 1
                    for job in batch:
                        self._running[job.key] = self._waiting.pop(job.key)
                    return batch
                self._changed.wait()
            return []

    def _may_start(self, job: Job) -> bool:
        return job.key not in self._running and self._runs[job.host] < self._runs_per_host
