"""A bounded number of runs at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from reconciler.adapters.ansible.jobs import TOGETHER_MAX, Job, Jobs
from reconciler.values.ids import WorkloadId
from tests.adapters.ansible.makers import order
from tests.contracts.adapter_worlds import eventually


class Stage:
    """Where jobs are done: they begin, and end when they are let."""

    def __init__(self, size: int) -> None:
        self.begun: list[Sequence[Job]] = []
        self.ended = 0
        self.gate = threading.Event()
        self.jobs = Jobs(size, self._do, self._end)

    def _do(self, jobs: Sequence[Job]) -> None:
        self.begun.append(jobs)
        assert self.gate.wait(10)

    def _end(self) -> None:
        self.ended += 1


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage(2)
    yield made
    made.gate.set()
    made.jobs.close()


def job(number: int, host: str = "one", digest: str = "d") -> Job:
    return Job(WorkloadId(f"w{number}"), host, "lease", digest, order())


def test_no_more_at_once_than_allowed(stage: Stage) -> None:
    for number in range(4):
        assert stage.jobs.submit(job(number, host=f"h{number}"))
    eventually(lambda: len(stage.begun) == 2, "two of them")
    assert len(stage.jobs.under_way()) == 4
    stage.gate.set()
    eventually(lambda: stage.ended == 4, "all")
    assert stage.jobs.under_way() == {}


def test_the_very_same_is_not_done_twice_and_a_later_one_follows(stage: Stage) -> None:
    stage.jobs.submit(job(1))
    eventually(lambda: stage.begun, "it")
    assert not stage.jobs.submit(job(1))
    assert stage.jobs.submit(job(1, digest="e"))
    assert stage.jobs.submit(job(1, digest="f"))
    assert [each.digest for each in stage.jobs.under_way().values()] == ["f"]
    assert len(stage.begun) == 1, "never two at once for one workload"
    stage.gate.set()
    eventually(lambda: stage.ended == 2, "both")
    assert [each[0].digest for each in stage.begun] == ["d", "f"]


def test_where_many_wait_those_of_one_host_share_a_run(stage: Stage) -> None:
    stage.jobs.submit(job(1, host="x"))
    stage.jobs.submit(job(2, host="y"))
    eventually(lambda: len(stage.begun) == 2, "two")
    for number in range(3, 3 + TOGETHER_MAX + 1):
        stage.jobs.submit(job(number))
    stage.gate.set()
    eventually(lambda: stage.ended == 4, "all")
    assert sorted(len(each) for each in stage.begun) == [1, 1, 1, TOGETHER_MAX]
    assert all(len({each.host for each in jobs}) == 1 for jobs in stage.begun)


def test_closing_begins_nothing_more(stage: Stage) -> None:
    for number in range(4):
        stage.jobs.submit(job(number, host=f"h{number}"))
    eventually(lambda: len(stage.begun) == 2, "two")
    stage.gate.set()
    stage.jobs.close()
    assert len(stage.begun) <= 4
    assert stage.jobs.under_way() == {}


def test_work_that_raises_ends_no_thread_of_the_pool() -> None:
    done: list[str] = []

    def work(jobs: Sequence[Job]) -> None:
        if jobs[0].host.startswith("bad"):
            raise RuntimeError("odd")
        done.append(jobs[0].host)

    jobs = Jobs(2, work, lambda: None)
    for number in range(4):
        jobs.submit(job(number, host=f"bad{number}"))
    eventually(lambda: not jobs.under_way(), "all that raise")
    jobs.submit(job(9, host="good"))
    eventually(lambda: done == ["good"], "what follows")
    jobs.close()
