"""Work queues: keyed, bounded, the newest specification wins; inline, in threads, and stepped."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from reconciler.runtime.work_queue import QueueBounds
from reconciler.runtime.work_queues import InlineQueues, ThreadedQueues
from reconciler.values.outcomes import Done, Failed, Outcome, Unknown
from reconciler.values.plans import ApplyWorkload, PrepareAdapter, RemoveWorkload
from reconciler.values.work import GIT, WorkItem, WorkKey, latest_actions, work_key
from tests import makers
from tests.stepped_queues import SteppedQueues
from tests.waiting import wait_until

TARGET = "kubernetes"
KEY = WorkKey(TARGET, makers.workload(1).id)


def apply(number: int = 1, digest: str = "a") -> WorkItem:
    action = ApplyWorkload(makers.workload(number), digest, "leased, not deployed")
    return WorkItem(WorkKey(TARGET, action.workload.id), digest, action)


def remove(number: int = 1) -> WorkItem:
    action = RemoveWorkload(TARGET, makers.workload(number).id, "its lease is closed")
    return WorkItem(WorkKey(TARGET, action.id), "remove", action)


def prepare() -> WorkItem:
    return WorkItem(WorkKey(TARGET, ""), "prepare", PrepareAdapter(TARGET, makers.ROOM))


def stepped(concurrency: int = 8, depth: int = 100) -> SteppedQueues:
    return SteppedQueues(lambda: makers.NOW, QueueBounds(concurrency, depth))


def submit(queues: InlineQueues, item: WorkItem, outcome: Outcome = Done()) -> bool:  # noqa: B008  # frozen
    return queues.submit(item, lambda: outcome)


def described(queues: InlineQueues) -> list[str]:
    return [each.item.description for each in queues.in_flight()]


def test_an_inline_item_has_ended_when_it_is_submitted() -> None:
    queues = InlineQueues(lambda: makers.NOW)
    assert submit(queues, apply(), Failed("No", "no"))
    [result] = queues.collect(TARGET)
    assert (result.item, result.outcome, result.ended_at) == (apply(), Failed("No", "no"), makers.NOW)
    assert queues.collect(TARGET) == ()
    assert queues.in_flight() == ()


def test_a_newer_specification_replaces_a_queued_one_in_its_place() -> None:
    queues = stepped()
    submit(queues, apply(1, "old"))
    submit(queues, apply(2, "other"))
    submit(queues, apply(1, "new"))
    assert described(queues) == ["new", "other"]


def test_a_newer_specification_follows_the_running_one() -> None:
    queues = stepped()
    submit(queues, apply(1, "old"))
    old = queues.start(KEY)
    submit(queues, apply(1, "new"))
    assert described(queues) == ["old", "new"]
    assert queues.startable() == ()
    found = latest_actions(queues.in_flight())[KEY]
    assert isinstance(found, ApplyWorkload)
    assert found.digest == "new"

    queues.end(old, Done())
    assert queues.startable() == (KEY,)


def test_only_a_removal_replaces_a_queued_removal() -> None:
    queues = stepped()
    submit(queues, apply())
    assert submit(queues, remove())
    assert described(queues) == ["remove"]
    assert not submit(queues, apply())
    assert submit(queues, remove())
    assert described(queues) == ["remove"]


def test_concurrency_is_bounded_and_a_hanging_item_occupies_one_slot() -> None:
    queues = stepped(concurrency=2)
    for number in range(1, 5):
        submit(queues, apply(number, str(number)))
    hanging = queues.start(KEY)
    for _ in range(3):
        queues.step(queues.startable()[0])
    assert described(queues) == ["1"]
    queues.end(hanging, Unknown("no answer"))
    assert described(queues) == []


def test_a_full_queue_takes_nothing_new_and_loses_nothing() -> None:
    queues = stepped(depth=2)
    assert submit(queues, apply(1, "1"))
    assert submit(queues, apply(2, "2"))
    assert not submit(queues, apply(3, "3"))
    assert submit(queues, apply(2, "newer"))
    assert described(queues) == ["1", "newer"]
    [found] = queues.statistics()
    assert (found.queued, found.running, found.refused) == (2, 0, 1)


def test_what_a_preparation_creates_exists_before_later_items_start() -> None:
    queues = stepped()
    submit(queues, apply(1))
    submit(queues, prepare())
    submit(queues, apply(2))
    assert queues.startable() == (KEY, WorkKey(TARGET, ""))
    preparing = queues.start(WorkKey(TARGET, ""))
    assert queues.startable() == ()
    queues.end(preparing, Done())
    assert len(queues.startable()) == 2


def test_statistics_count_retries_and_latencies() -> None:
    queues = InlineQueues(lambda: makers.NOW)
    submit(queues, apply(), Failed("No", "no"))
    submit(queues, apply())
    submit(queues, apply())
    [found] = queues.statistics()
    assert (found.target, found.retries, found.oldest_since) == (TARGET, 1, 0)
    assert found.latencies[-1] == ("+Inf", 3)


@pytest.mark.parametrize(
    "error", [OSError("refused"), RuntimeError("odd\x1b[2J"), MemoryError()], ids=lambda x: type(x).__name__
)
def test_an_exception_is_a_failure_of_its_item_alone(error: Exception) -> None:
    def effect() -> Outcome:
        raise error

    queues = InlineQueues(lambda: makers.NOW)
    queues.submit(apply(1), effect)
    submit(queues, apply(2))
    failed, done = queues.collect(TARGET)
    assert isinstance(failed.outcome, Failed)
    assert failed.outcome.why.isprintable()
    assert done.outcome == Done()


def test_each_action_but_a_transaction_has_a_key() -> None:
    action = remove().action
    assert action is not None
    assert work_key(action) == KEY


@pytest.fixture
def woken() -> threading.Event:
    return threading.Event()


@pytest.fixture
def hanging() -> Iterator[threading.Event]:
    """Set at the end of the test, so that no thread outlives it."""
    release = threading.Event()
    yield release
    release.set()


def wait_for(release: threading.Event) -> Outcome:
    release.wait(60)
    return Done()


def test_threads_run_other_items_and_other_targets_beside_a_hanging_one(
    woken: threading.Event, hanging: threading.Event
) -> None:
    queues = ThreadedQueues(lambda: makers.NOW, woken.set, QueueBounds(concurrency=2))
    began = time.monotonic()
    queues.submit(apply(1, "hangs"), lambda: wait_for(hanging))
    for number in range(2, 10):
        submit(queues, apply(number))
    submit(queues, WorkItem(WorkKey(GIT, "status/p"), "publish"))
    assert time.monotonic() - began < 1, "submitting never waits"
    wait_until(lambda: described(queues) == ["hangs"], "all but the hanging item ended")
    assert woken.is_set()
    assert len(queues.collect(TARGET)) == 8
    assert len(queues.collect(GIT)) == 1


def test_items_of_one_key_never_run_at_once(woken: threading.Event) -> None:
    running, most = [0], [0]
    lock = threading.Lock()

    def effect() -> Outcome:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.005)
        with lock:
            running[0] -= 1
        return Done()

    queues = ThreadedQueues(lambda: makers.NOW, woken.set)
    for number in range(20):
        queues.submit(apply(1, str(number)), effect)
        time.sleep(0.002)
    wait_until(lambda: not queues.in_flight(), "all ended")
    assert most == [1]
    assert queues.collect(TARGET)[-1].item.description == "19"


def test_an_unknown_outcome_wakes_nobody(woken: threading.Event) -> None:
    queues = ThreadedQueues(lambda: makers.NOW, woken.set)
    submit(queues, apply(), Unknown("during a back-off"))
    wait_until(lambda: not queues.in_flight(), "it ended")
    time.sleep(0.05)
    assert not woken.is_set()


def test_draining_waits_for_what_ends_and_abandons_the_rest(
    woken: threading.Event, hanging: threading.Event
) -> None:
    queues = ThreadedQueues(lambda: makers.NOW, woken.set, QueueBounds(concurrency=1))
    queues.submit(apply(1, "hangs"), lambda: wait_for(hanging))
    wait_until(lambda: any(each.is_running for each in queues.in_flight()), "it runs")
    submit(queues, apply(2, "behind it"))
    submit(queues, WorkItem(WorkKey(GIT, "status/p"), "publish"))
    began = time.monotonic()
    left = queues.drain(0.3)
    assert 0.25 < time.monotonic() - began < 5
    assert [(each.item.description, each.is_running) for each in left] == [
        ("hangs", True),
        ("behind it", False),
    ]
    assert len(queues.collect(GIT)) == 1
    assert not submit(queues, apply(3))
