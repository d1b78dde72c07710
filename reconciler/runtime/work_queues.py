"""The work queues of all targets: with threads for the daemon, inline for commands and tests."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from reconciler.cycle.exceptions import failure_of
from reconciler.ports import Effect, Wake
from reconciler.runtime.work_queue import DEFAULT_BOUNDS, QueueBounds, Work, WorkQueue
from reconciler.values.outcomes import Outcome, Unknown
from reconciler.values.work import InFlight, QueueStatistics, WorkItem, WorkResult

log = logging.getLogger(__name__)


class InlineQueues:
    """`ports.WorkQueues` that run each item when it is submitted, in the caller's thread."""

    def __init__(self, now: Callable[[], int], bounds: QueueBounds = DEFAULT_BOUNDS) -> None:
        self._now, self._bounds = now, bounds
        self._queues: dict[str, WorkQueue] = {}

    def submit(self, item: WorkItem, effect: Effect) -> bool:
        """Queue an item."""
        queue = self._queue(item.key.target)
        taken = queue.submit(item, effect)
        self._run(queue)
        return taken

    def targets(self) -> tuple[str, ...]:
        """The targets of all items so far."""
        return tuple(sorted(self._queues))

    def collect(self, target: str) -> tuple[WorkResult, ...]:
        """The target's results since the last call, oldest first."""
        return self._queues[target].collect() if target in self._queues else ()

    def in_flight(self) -> tuple[InFlight, ...]:
        """What was submitted and has not ended."""
        return tuple(each for target in self.targets() for each in self._queues[target].in_flight())

    def statistics(self) -> tuple[QueueStatistics, ...]:
        """Each queue's, by target."""
        return tuple(self._queues[target].statistics() for target in self.targets())

    def drain(self, grace_seconds: float) -> tuple[InFlight, ...]:
        """Take no further item; those that have not ended within the grace period are abandoned."""
        del grace_seconds
        return tuple(each for target in self.targets() for each in self._queues[target].abandon())

    def _queue(self, target: str) -> WorkQueue:
        if target not in self._queues:
            # a copy, as threads of the servers iterate over it
            self._queues = {**self._queues, target: WorkQueue(target, self._bounds, self._now)}
        return self._queues[target]

    def _run(self, queue: WorkQueue) -> None:
        while (work := queue.take()) is not None:
            queue.end(work, perform(work))


class ThreadedQueues(InlineQueues):
    """`ports.WorkQueues` with up to `concurrency` threads per target, started when they are needed. `wake` is
    called when an item ended with a result.
    """

    def __init__(self, now: Callable[[], int], wake: Wake, bounds: QueueBounds = DEFAULT_BOUNDS) -> None:
        super().__init__(now, bounds)
        self._wake = wake
        self._threads: dict[str, int] = {}

    def drain(self, grace_seconds: float) -> tuple[InFlight, ...]:
        """Take no further item; those that have not ended within the grace period are abandoned."""
        deadline = time.monotonic() + grace_seconds
        queues = [self._queues[target] for target in self.targets()]
        for queue in queues:
            queue.close()
        for queue in queues:
            with queue.changed:
                queue.changed.wait_for(
                    lambda queue=queue: not queue.depth,  # type: ignore[misc]  # bound per iteration
                    max(deadline - time.monotonic(), 0),
                )
        return super().drain(0)

    def _run(self, queue: WorkQueue) -> None:
        """Start a thread unless there are enough for what is in flight."""
        have = self._threads.get(queue.target, 0)
        if have < min(self._bounds.concurrency, queue.depth):
            self._threads[queue.target] = have + 1
            name = f"{queue.target} work {have}"
            threading.Thread(target=self._work, args=(queue,), name=name, daemon=True).start()

    def _work(self, queue: WorkQueue) -> None:
        while (work := self._next(queue)) is not None:
            outcome: Outcome = Unknown("it did not end")
            try:
                outcome = perform(work)
            finally:
                queue.end(work, outcome)
            if not isinstance(outcome, Unknown):
                self._wake()

    def _next(self, queue: WorkQueue) -> Work | None:
        """Wait for an item that may start; None once the queue is closed and empty."""
        with queue.changed:
            while (work := queue.take()) is None:
                if queue.is_closed and not queue.depth:
                    return None
                queue.changed.wait()
            return work


def perform(work: Work) -> Outcome:
    """The outcome of an effect; an exception is a failure."""
    try:
        return work.effect()
    except Exception as error:  # an error of one effect must not end the thread that runs the others
        return failure_of(work.item.description, error)
