"""Work queues of a simulation: nothing runs before the test steps it, so that a seed reproduces a run."""

from __future__ import annotations

from reconciler.runtime.work_queue import Work, WorkQueue
from reconciler.runtime.work_queues import InlineQueues, perform
from reconciler.values.outcomes import Outcome
from reconciler.values.work import InFlight, WorkKey


class SteppedQueues(InlineQueues):
    """`ports.WorkQueues` whose items start and end at the test's request, in any allowed order."""

    def startable(self) -> tuple[WorkKey, ...]:
        """The keys of the items that may start now, by target, oldest first."""
        return tuple(key for target in self.targets() for key in self._queue(target).startable())

    def running(self) -> tuple[InFlight, ...]:
        """Items that were started and have not ended: they hang."""
        return tuple(each for each in self.in_flight() if each.is_running)

    def step(self, key: WorkKey) -> Outcome:
        """Run an item to its end; its outcome."""
        work = self.start(key)
        return self.end(work, perform(work))

    def start(self, key: WorkKey) -> Work:
        """Start an item, which hangs until it is ended."""
        work = self._queue(key.target).take(key)
        assert work is not None, f"{key} cannot start now"
        return work

    def end(self, work: Work, outcome: Outcome) -> Outcome:
        """End an item that was started, with this outcome, whether its effect took place or not."""
        self._queue(work.item.key.target).end(work, outcome)
        return outcome

    def step_all(self) -> None:
        """Run every item, oldest first by target, until none may start."""
        while keys := self.startable():
            self.step(keys[0])

    def _run(self, queue: WorkQueue) -> None:
        """Leave it queued."""
