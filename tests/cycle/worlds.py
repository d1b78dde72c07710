"""Ports in memory, with what a test wants them to answer, and a journal on disk."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from reconciler.cycle.environment import Environment, Store
from reconciler.journal.opening import OpenJournal, open_journal
from reconciler.ports import Intents, Journal, Outbox
from reconciler.runtime.work_queues import InlineQueues
from reconciler.values.desired import CloseReason, Workload
from reconciler.values.ids import LeaseId, WorkloadId
from reconciler.values.intents import FeeTerms, Intent, Prepared
from reconciler.values.limits import Limits
from reconciler.values.messages import CloseBid, Message
from reconciler.values.observed import AdapterView, Market, Transfer
from reconciler.values.outcomes import Done, Outcome
from reconciler.values.readings import Reading, Seen
from reconciler.values.repository import LAST_EVENT_TRAILER, BranchCommit, Commit
from reconciler.values.resources import Resources
from reconciler.values.subjects import Subject
from tests import makers

Calls = list[str]


@dataclass
class MemoryRepo:
    """A repository of one commit; `silent` is what it says while it does not answer."""

    files: dict[str, bytes]
    calls: Calls
    silent: Reading[tuple[Commit, ...]] | None = None
    recalled: Reading[tuple[Commit, ...]] | None = None
    answer: Outcome = field(default_factory=lambda: Done("f" * 40))
    published: list[BranchCommit] = field(default_factory=list)

    @property
    def commit(self) -> Commit:
        sizes = {path: len(content) for path, content in self.files.items()}
        return Commit("c" * 40, "operator", "Prices", 1, {path: path for path in self.files}, sizes)

    def fetch(self, applied: str) -> Reading[tuple[Commit, ...]]:
        self.calls.append("fetch")
        return self.silent or Seen((self.commit,))

    def last_fetched(self, applied: str) -> Reading[tuple[Commit, ...]]:
        return self.recalled or Seen((self.commit,))

    def read(self, blobs: Sequence[str]) -> Mapping[str, bytes]:
        self.calls += [f"read {blob}" for blob in blobs]
        return {blob: self.files[blob] for blob in blobs}

    def published_mark(self, branch: str) -> Reading[str]:
        return Seen(self.marks[-1] if self.marks else "")

    @property
    def marks(self) -> list[str]:
        trailers = [trailer for each in self.published for trailer in each.trailers]
        return [value for name, value in trailers if name == LAST_EVENT_TRAILER]

    def publish(self, commit: BranchCommit) -> Outcome:
        self.calls.append("publish")
        self.published.append(commit)
        return self.answer


@dataclass
class MemoryChain:
    """A chain of one market; it signs everything with nothing."""

    reading: Reading[Market]
    calls: Calls
    asked: tuple[tuple[str, ...], tuple[LeaseId, ...]] = ((), ())
    prepared: Prepared | Outcome | None = None
    answer: Outcome = field(default_factory=Done)
    sent: list[Intent] = field(default_factory=list)
    found: tuple[Transfer, ...] | None = None

    def transfers_between(self, first: int, last: int) -> tuple[Transfer, ...] | None:
        self.calls.append(f"transfers {first} to {last}")
        return self.found

    def forget_height(self) -> None:
        self.calls.append("forget height")

    def observe(
        self, hashes: Sequence[str], known: Sequence[LeaseId], to_confirm: Collection[Subject] = ()
    ) -> Reading[Market]:
        self.asked = tuple(hashes), tuple(known)
        return self.reading

    def prepare(self, messages: Sequence[Message], terms: FeeTerms) -> Prepared | Outcome:
        self.calls.append("prepare")
        return self.prepared or Prepared(intent(*messages))

    def broadcast(self, intent: Intent) -> Outcome:
        self.calls.append(f"broadcast {intent.hash}")
        self.sent.append(intent)
        return self.answer


@dataclass
class MemoryAdapter:
    """An adapter that shows one view; `broken` is raised by whatever it is asked to do."""

    view: AdapterView
    calls: Calls
    broken: BaseException | None = None

    def observe(self) -> AdapterView:
        return self.view

    def prepare(self, quota: Resources) -> Outcome:
        return self._do("prepare adapter")

    def apply(self, workload: Workload, digest: str) -> Outcome:
        return self._do(f"apply {workload.id}")

    def remove(self, workload: WorkloadId) -> Outcome:
        return self._do(f"remove {workload}")

    def logs(self, workload: WorkloadId, tail_lines: int) -> Iterator[bytes]:
        yield from ()

    def _do(self, what: str) -> Outcome:
        self.calls.append(what)
        if self.broken is not None:
            raise self.broken
        return Done()


@dataclass
class StillClock:
    """A clock that a test sets; waiting is noted and takes no time."""

    seconds: int = makers.NOW
    waits: list[float] = field(default_factory=list)

    def now(self) -> int:
        return self.seconds

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)


CLOSING = CloseBid(makers.lease_id(), CloseReason.UNSPECIFIED)


def intent(*messages: Message, **changes: Any) -> Intent:
    """A signed transaction, as far as the cycle looks at it."""
    height = makers.HEIGHT
    made = Intent("AB" * 32, b"signed", messages or (CLOSING,), 3000, 7, height + 20, height)
    return replace(made, **changes)


@dataclass
class Scenery:
    """A world of ports in memory, each to be changed by a test; `calls` are theirs, in order."""

    repo: MemoryRepo
    chain: MemoryChain
    adapter: MemoryAdapter
    clock: StillClock
    journal: OpenJournal
    calls: Calls

    @property
    def world(self) -> Environment:
        """The ports, gathered."""
        store = Store(
            cast("Journal", Noted(self.journal.journal, self.calls)),
            cast("Intents", Noted(self.journal.intents, self.calls)),
            cast("Outbox", Noted(self.journal.outbox, self.calls)),
            self.journal.inbox,
            self.journal.records,
        )
        adapters = {"kubernetes": self.adapter}
        queues = InlineQueues(self.clock.now)
        return Environment("p", self.repo, self.chain, adapters, store, queues, self.clock, Limits)


class Noted:
    """A face of the journal whose writes are among the calls."""

    def __init__(self, face: object, calls: Calls) -> None:
        self._face, self._calls = face, calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._face, name)
        if name not in ("remember", "record", "record_intent", "record_end", "mark_published"):
            return found

        def noted(*args: object, **kwargs: object) -> object:
            self._calls.append(name)
            return found(*args, **kwargs)

        return noted


FILES = {
    "config.yaml": b"publishing: {quiet: 5s, at_most: 30s}\n",
    "pricing.yaml": b"pricing:\n  cpu_millicores: 1uve\n  memory_mb: 1uve\n  storage_mb: 0.1uve\n"
    b"  gpu: 1000uve\n  profit_margin: 0.15\n",
}


def scenery(directory: Path, market: Market | None = None) -> Scenery:
    """A market in which nothing is to do, on a machine with room."""
    calls: Calls = []
    view = makers.adapter()["kubernetes"]
    return Scenery(
        MemoryRepo(dict(FILES), calls),
        MemoryChain(Seen(market or makers.market()), calls),
        MemoryAdapter(view, calls),
        StillClock(),
        open_journal(directory / "state"),
        calls,
    )
