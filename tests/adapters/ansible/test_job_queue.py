"""The work queue of hosts."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from reconciler.adapters.ansible.job_queue import BATCH_MAX, Job, JobQueue
from reconciler.values.ids import WorkloadId
from tests.adapters.ansible.makers import host_spec
from tests.contracts.adapter_backends import eventually


class Harness:
    """A queue whose jobs start at once, and end when the gate opens."""

    def __init__(self, size: int) -> None:
        self.started: list[Sequence[Job]] = []
        self.ended = 0
        self.gate = threading.Event()
        self.jobs = JobQueue(size, self._work, self._end)

    def _work(self, jobs: Sequence[Job]) -> None:
        self.started.append(jobs)
        assert self.gate.wait(10)

    def _end(self) -> None:
        self.ended += 1


@pytest.fixture
def harness() -> Iterator[Harness]:
    made = Harness(2)
    yield made
    made.gate.set()
    made.jobs.close()


def job(number: int, host: str = "one", digest: str = "d") -> Job:
    return Job(WorkloadId(f"w{number}"), host, "lease", digest, host_spec())


def test_concurrency_is_bounded(harness: Harness) -> None:
    for number in range(4):
        assert harness.jobs.submit(job(number, host=f"h{number}"))
    eventually(lambda: len(harness.started) == 2, "two of them")
    assert len(harness.jobs.in_flight()) == 4
    harness.gate.set()
    eventually(lambda: harness.ended == 4, "all")
    assert harness.jobs.in_flight() == {}


def test_equal_jobs_run_once_and_a_newer_one_follows(harness: Harness) -> None:
    harness.jobs.submit(job(1))
    eventually(lambda: harness.started, "it")
    assert not harness.jobs.submit(job(1))
    assert harness.jobs.submit(job(1, digest="e"))
    assert harness.jobs.submit(job(1, digest="f"))
    assert [each.digest for each in harness.jobs.in_flight().values()] == ["f"]
    assert len(harness.started) == 1, "one at a time for each workload"
    harness.gate.set()
    eventually(lambda: harness.ended == 2, "both")
    assert [each[0].digest for each in harness.started] == ["d", "f"]


def test_many_waiting_jobs_of_one_host_share_a_run(harness: Harness) -> None:
    harness.jobs.submit(job(1, host="x"))
    harness.jobs.submit(job(2, host="y"))
    eventually(lambda: len(harness.started) == 2, "two")
    for number in range(3, 3 + BATCH_MAX + 1):
        harness.jobs.submit(job(number))
    harness.gate.set()
    eventually(lambda: harness.ended == 4, "all")
    assert sorted(len(each) for each in harness.started) == [1, 1, 1, BATCH_MAX]
    assert all(len({each.host for each in jobs}) == 1 for jobs in harness.started)


def test_closing_starts_no_further_job(harness: Harness) -> None:
    for number in range(4):
        harness.jobs.submit(job(number, host=f"h{number}"))
    eventually(lambda: len(harness.started) == 2, "two")
    harness.gate.set()
    harness.jobs.close()
    assert len(harness.started) <= 4
    assert harness.jobs.in_flight() == {}


def test_an_exception_ends_no_thread_of_the_pool() -> None:
    done: list[str] = []

    def work(jobs: Sequence[Job]) -> None:
        if jobs[0].host.startswith("bad"):
            raise RuntimeError("odd")
        done.append(jobs[0].host)

    jobs = JobQueue(2, work, lambda: None)
    for number in range(4):
        jobs.submit(job(number, host=f"bad{number}"))
    eventually(lambda: not jobs.in_flight(), "all that raise")
    jobs.submit(job(9, host="good"))
    eventually(lambda: done == ["good"], "what follows")
    jobs.close()


def test_a_host_that_hangs_leaves_a_thread_to_the_others(harness: Harness) -> None:
    for number in range(20):
        harness.jobs.submit(job(number, host="hangs"))
    harness.jobs.submit(job(21, host="other"))
    eventually(lambda: len(harness.started) == 2, "a run of each host")
    assert {jobs[0].host for jobs in harness.started} == {"hangs", "other"}
