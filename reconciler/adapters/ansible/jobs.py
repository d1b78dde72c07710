"""Work on hosts: a bounded number of runs at once, one at a time for each workload."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.adapters.ansible.host_spec import Order
from reconciler.values.ids import WorkloadId

TOGETHER_MAX = 8
"""So many workloads of one host share a run when more are waiting than can run at once."""
END_SECONDS = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A workload to apply on a host, or (without an order) to remove from it."""

    workload: WorkloadId
    host: str
    lease: str = ""
    digest: str = ""
    order: Order | None = field(default=None, compare=False)

    @property
    def removing(self) -> bool:
        """Nothing of it shall be left."""
        return self.order is None


Key = tuple[WorkloadId, str]
Do = Callable[[Sequence[Job]], None]


class Jobs:
    """A pool of threads. `do` gets jobs of one host and tells itself what came of them, failures too; `ended`
    is called when they are no longer under way.
    """

    def __init__(self, size: int, do: Do, ended: Callable[[], None]) -> None:
        self._do = do
        self._ended = ended
        self._size = size
        self._changed = threading.Condition()
        self._waiting: dict[Key, Job] = {}
        self._running: dict[Key, Job] = {}
        self._closed = False
        self._threads: list[threading.Thread] = []

    def submit(self, job: Job) -> bool:
        """Have it done; False where the very same is under way. A later one replaces one that waits."""
        key = (job.workload, job.host)
        with self._changed:
            waiting = self._waiting.get(key)
            if (waiting or self._running.get(key)) == job:
                return False
            self._waiting[key] = job
            if len(self._threads) < self._size:
                name = f"ansible work {len(self._threads)}"
                self._threads.append(threading.Thread(target=self._run, name=name, daemon=True))
                self._threads[-1].start()
            self._changed.notify()
            return True

    def under_way(self) -> Mapping[Key, Job]:
        """Waiting and running; of two for one workload, the later."""
        with self._changed:
            return {**self._running, **self._waiting}

    def close(self) -> None:
        """Begin nothing more, and wait a little for what runs."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(END_SECONDS)

    def _run(self) -> None:
        while jobs := self._take():
            try:
                self._do(jobs)
            except Exception:  # a job that is not ended well is planned again; the thread goes on
                _log.exception("adapter ansible: work on %s", jobs[0].host)
            finally:
                with self._changed:
                    for job in jobs:
                        del self._running[job.workload, job.host]
                    self._changed.notify_all()
                self._ended()

    def _take(self) -> list[Job]:
        """The oldest that waits, and more of its host where many wait."""
        with self._changed:
            while not self._closed:
                free = [job for key, job in self._waiting.items() if key not in self._running]
                if free:
                    beside = [job for job in free if job.host == free[0].host]
                    crowded = len(free) > self._size
                    taken = beside[:TOGETHER_MAX] if crowded else beside[:1]
                    for job in taken:
                        self._running[job.workload, job.host] = self._waiting.pop((job.workload, job.host))
                    return taken
                self._changed.wait()
            return []
