"""The adapters by name; they start, change and end while the daemon runs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, Protocol, TypeVar

from reconciler.ports import Adapter, Inspector, Wake
from reconciler.values.desired import Workload
from reconciler.values.ids import WorkloadId
from reconciler.values.inspection import WorkloadEvents, WorkloadUse
from reconciler.values.observed import AdapterView
from reconciler.values.outcomes import Failed, Outcome
from reconciler.values.readings import Unseen
from reconciler.values.resources import Resources

CLOSE_SECONDS = 30.0
"""How long the end of all adapters may take; each one bounds its own."""
Target = TypeVar("Target")
log = logging.getLogger(__name__)


class StartedAdapter(Adapter, Inspector, Protocol):
    """An adapter with threads of its own."""

    def start(self) -> None:
        """Begin to observe."""

    def close(self) -> None:
        """End its threads and runs, within a bounded time."""


class AdapterSet(Mapping[str, StartedAdapter], Generic[Target]):
    """Adapters by name, each created from its target: settings and credentials. Reading is thread-safe.

    A changed adapter is replaced in a thread: the old one ends first, because both would work on the same
    machines and files. Until the new one has observed its machines, they are Unseen.
    """

    def __init__(
        self,
        create: Callable[[Target], StartedAdapter],
        wake: Wake,
        first_wait_seconds: float | None = None,
    ) -> None:
        self._create = create
        self._wake = wake
        self._first_wait_seconds = first_wait_seconds
        self._slots: dict[str, _Slot[Target]] = {}
        self._targets: Mapping[str, Target] | None = None

    def configure(self, targets: Mapping[str, Target]) -> None:
        """Start, replace and end adapters so that exactly these run; idempotent, for one thread.

        They are created in threads, so that no cycle waits for them; it waits for the first ones, which are
        created at once without `first_wait_seconds`, and else at most so long for all together.
        """
        is_first = self._targets is None
        in_thread = not is_first or self._first_wait_seconds is not None
        for name in targets:
            if name not in self._slots:
                self._slots[name] = _Slot(name, self._create, self._wake)
        self._targets = dict(targets)
        for name, slot in self._slots.items():
            slot.set_target(targets.get(name), in_thread=in_thread)
        deadline = time.monotonic() + (self._first_wait_seconds or 0)
        for slot in self._slots.values() if is_first else ():
            slot.wait(max(deadline - time.monotonic(), 0))

    def close(self) -> None:
        """End all adapters, side by side."""
        self.configure({})
        for slot in self._slots.values():
            slot.wait(CLOSE_SECONDS)

    def __getitem__(self, name: str) -> StartedAdapter:
        if name not in (self._targets or {}):
            raise KeyError(name)
        return self._slots[name].adapter

    def __iter__(self) -> Iterator[str]:
        return iter(self._targets or {})

    def __len__(self) -> int:
        return len(self._targets or {})


class _Slot(Generic[Target]):
    """One adapter, which follows its target; None: it ends."""

    def __init__(self, name: str, create: Callable[[Target], StartedAdapter], wake: Wake) -> None:
        self._name = name
        self._create = create
        self._wake = wake
        self._lock = threading.Lock()
        self._wanted: Target | None = None
        self._current: Target | None = None
        self._thread: threading.Thread | None = None
        self.adapter: StartedAdapter = UnavailableAdapter(f"adapter {name} is starting; retry")

    def set_target(self, target: Target | None, *, in_thread: bool) -> None:
        with self._lock:
            self._wanted = target
            if self._thread is not None or target == self._current:
                return
            old = self._take_out()
            if in_thread:
                name = f"adapter {self._name}"
                self._thread = threading.Thread(target=self._follow, args=(old,), name=name, daemon=True)
                self._thread.start()
                return
        self._replace(old, target)

    def wait(self, seconds: float) -> None:
        """Until it has reached its target, at most so long."""
        if (thread := self._thread) is not None:
            thread.join(seconds)

    def _take_out(self) -> StartedAdapter:
        state = "applies its new settings" if self._current is not None else "is starting"
        old, self.adapter = self.adapter, UnavailableAdapter(f"adapter {self._name} {state}; retry")
        self._current = None
        return old

    def _follow(self, old: StartedAdapter) -> None:
        """Replace the adapter until its target is the one wanted; the next cycle repeats a failure."""
        while True:
            with self._lock:
                wanted = self._wanted
            succeeded = self._replace(old, wanted, observe=True)
            self._wake()
            with self._lock:
                if not succeeded or self._wanted == wanted:
                    self._thread = None
                    return
                old = self._take_out()

    def _replace(self, old: StartedAdapter, target: Target | None, *, observe: bool = False) -> bool:
        """Whether it succeeded; `observe`: wait for the first observation before it is used."""
        new: StartedAdapter | None = None
        try:
            old.close()
            if target is not None:
                new = self._create(target)
                new.start()
                if observe:
                    new.observe()
        except Exception as error:  # one adapter must affect no other
            if new is not None:
                new.close()
            sentence = f"adapter {self._name} cannot start: {error}; retried in the next cycle"
            log.warning("%s", sentence)
            self.adapter = UnavailableAdapter(sentence)
            return False
        self.adapter, self._current = new or self.adapter, target
        return True


class UnavailableAdapter:
    """Takes the place of an adapter that is being replaced: all is Unseen, and effects are retried."""

    def __init__(self, why: str) -> None:
        self._why = why

    def start(self) -> None:
        """It has no threads."""

    def close(self) -> None:
        """It has no threads."""

    def observe(self) -> AdapterView:
        return AdapterView(Unseen(self._why), Unseen(self._why))

    def prepare(self, _quota: Resources) -> Outcome:
        return self._failed()

    def apply(self, _workload: Workload, _digest: str) -> Outcome:
        return self._failed()

    def remove(self, _workload: WorkloadId) -> Outcome:
        return self._failed()

    def logs(self, _workload: WorkloadId, _tail_lines: int) -> Iterator[bytes]:
        raise OSError(self._why)

    def use(self, _workload: WorkloadId) -> WorkloadUse:
        raise OSError(self._why)

    def events(self, _workload: WorkloadId) -> WorkloadEvents:
        raise OSError(self._why)

    def _failed(self) -> Outcome:
        return Failed("Unreachable", self._why, "wait for the next cycle")
