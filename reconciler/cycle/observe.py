"""Reads every source once; a failing source affects no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from threading import Thread
from typing import TypeVar

from reconciler.cycle.environment import Environment
from reconciler.cycle.exceptions import format_origin, sentence_of
from reconciler.documents.desired import DesiredReader
from reconciler.ports import Adapter, Repo
from reconciler.values.desired import Revision, Revisions
from reconciler.values.ids import LeaseId
from reconciler.values.intents import Intent
from reconciler.values.memory import Memory
from reconciler.values.observed import AdapterView, Market
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.repository import Commit

log = logging.getLogger(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Observed:
    """The views of chain and adapters in one cycle."""

    market: Reading[Market]
    adapters: Mapping[str, AdapterView]


class RevisionReader:
    """Parses the newest commit and the one last applied; remembers files by blob. `address` is our own, None
    where it is not known.

    Parsing runs in a thread of its own, at most `wait_seconds` of which the caller waits for.
    """

    def __init__(self, repo: Repo, address: str | None, wait_seconds: float | None = None) -> None:
        self._repo = repo
        self._newest = DesiredReader(address)
        self._applied = DesiredReader(address)
        self._wait_seconds = wait_seconds
        self._parsing: Future[Revisions] | None = None

    def read(self, commits: Sequence[Commit], memory: Memory, stale: str = "") -> Revisions | None:
        """Both revisions, from the commits of `Repo.fetch`; None while files are being parsed."""
        if self._parsing is not None and not self._parsing.done():
            return None
        parsing, self._parsing = self._parsing, None
        if parsing is not None:
            parsing.result()  # re-raises an exception of the parser; parsed files stay cached
        newest, *older = commits
        wanted = [(self._newest, newest), *((self._applied, each) for each in older[:1])]
        contents = [self._repo.read(reader.unread(commit, memory.good)) for reader, commit in wanted]

        def parse() -> Revisions:
            found = [
                _revision(reader, commit, memory, content)
                for (reader, commit), content in zip(wanted, contents, strict=True)
            ]
            return Revisions(found[0], found[1] if len(found) > 1 else None, stale)

        if not any(contents):
            return parse()
        self._parsing = in_thread(parse)
        try:
            return self._parsing.result(self._wait_seconds)
        except TimeoutError:
            return None


def _revision(
    reader: DesiredReader, commit: Commit, memory: Memory, contents: Mapping[str, bytes]
) -> Revision:
    return Revision(
        reader.desired(commit, memory.good, contents),
        commit.author,
        commit.subject,
        commit.committed_at,
        commit.descends,
        commit.signer,
        commit.reverts,
        commit.superseded,
    )


def in_thread(call: Callable[[], Result]) -> Future[Result]:
    """The call in a daemon thread, which does not keep the process alive."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except Exception as error:  # raised again where the result is taken
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


class Observer:
    """Reads all sources; caches parsed files by blob, and the last revisions for use while the repository is
    unreachable.
    """

    def __init__(self, environment: Environment, address: str) -> None:
        self._environment = environment
        self._revisions = RevisionReader(environment.repo, address, environment.parse_wait_seconds)
        self._last: Revisions | None = None
        self._polled_at = 0
        self._stale = ""

    def observe(self, memory: Memory, intents: tuple[Intent, ...]) -> Observed:
        """Observe the adapters, then the chain, which is queried for the leases that adapters name."""
        adapters = {name: _look(name, adapter) for name, adapter in self._environment.adapters.items()}
        known = tuple(_known(memory, adapters))
        market = self._environment.chain.observe(tuple(i.hash for i in intents), known)
        return Observed(market, adapters)

    def poll_repository(self) -> None:
        """Poll the repository in the next cycle, however recently it was polled."""
        self._polled_at = 0

    def fetch_revisions(self, memory: Memory) -> Reading[Revisions]:
        """The repository's newest commit, which has no effect before it is admitted, and the one last
        applied.
        """
        stale = self._stale
        if self._environment.clock.now() - self._polled_at >= self._environment.poll_seconds:
            self._polled_at = self._environment.clock.now()
            reading = self._environment.repo.fetch(memory.applied)
            stale = self._stale = reading.why if isinstance(reading, Unseen) else ""
        else:
            reading = self._environment.repo.last_fetched(memory.applied)
        if isinstance(reading, Unseen):
            stale = stale or reading.why
            reading = self._environment.repo.last_fetched(memory.applied)
        if isinstance(reading, Unseen):
            return Unseen(stale)
        return self._parsed(reading.view, memory, stale)

    def _parsed(self, commits: Sequence[Commit], memory: Memory, stale: str) -> Reading[Revisions]:
        """The revisions; while a large one is being parsed, the previous ones."""
        revisions = self._revisions.read(commits, memory, stale)
        if revisions is None:
            why = f"commit {commits[0].id[:12]} is being parsed; until then the previous one is used"
            return Seen(replace(self._last, stale=why)) if self._last else Unseen(why)
        self._last = revisions
        return Seen(revisions)


def _look(name: str, adapter: Adapter) -> AdapterView:
    try:
        return adapter.observe()
    except Exception as error:  # an error of one adapter must not affect the others, nor the bid engine
        log.error("adapter %s could not be observed: %s%s", name, sentence_of(error), format_origin(error))
        unseen = Unseen(f"it could not be observed: {sentence_of(error)}")
        return AdapterView(unseen, unseen)


def _known(memory: Memory, adapters: Mapping[str, AdapterView]) -> set[LeaseId]:
    """Leases that memory, adapters or files refer to, closed ones included."""
    leases = {w.lease for w in memory.workloads.values()} | memory.usage.keys()
    for view in adapters.values():
        if isinstance(view.workloads, Seen):
            there = view.workloads.view
            leases |= {r.lease for name, r in there.items() if name not in memory.workloads}
    return leases
