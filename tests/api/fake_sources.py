"""Fake sources of the API, and servers that read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.api.api import Sources
from reconciler.api.startup import Serving, Started, start_servers
from reconciler.ports import History
from reconciler.runtime.call_timings import CallTimings
from reconciler.runtime.rate_limit import Rate, Rates
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.ids import WorkloadId
from reconciler.values.inspection import ContainerUse, UseSource, WorkloadEvent, WorkloadEvents, WorkloadUse
from reconciler.values.intents import Confirmation, Intent, IntentOutcome
from reconciler.values.ledger import EntryKind, LedgerEntry, LedgerPage
from reconciler.values.lifecycle import Phase
from reconciler.values.listen_address import ListenAddress
from reconciler.values.messages import WithdrawLease
from reconciler.values.outcomes import Done
from reconciler.values.plans import Transition
from reconciler.values.records import (
    Decision,
    EffectResult,
    JournalCounts,
    JournalPage,
    PastTransaction,
    RecordedEvent,
)
from reconciler.values.subjects import EffectKey, Subject
from tests.api.snapshots import FULL, HEALTHY, NOON, RUNNING, after

ANY = ListenAddress("127.0.0.1", 0)
WITHOUT_LIMITS = Rate(1e9, 1e9)
UNLIMITED = Rates(WITHOUT_LIMITS, WITHOUT_LIMITS, WITHOUT_LIMITS, WITHOUT_LIMITS)


@dataclass
class FakeInspector:
    """An adapter whose logs and errors a test sets."""

    lines: Callable[[WorkloadId, int], Iterator[bytes]] | None = None
    fails: Exception | None = None

    def logs(self, workload: WorkloadId, tail_lines: int) -> Iterator[bytes]:
        if self.lines is not None:
            yield from self.lines(workload, tail_lines)
            return
        self._fail()
        yield f"web: {workload}\n".encode()
        yield f"web: {tail_lines} lines\n".encode()

    def use(self, workload: WorkloadId) -> WorkloadUse:
        self._fail()
        used = (ContainerUse(f"web-{workload}-a", "web", 12, 1 << 20), ContainerUse("b", "web", 30, 2 << 20))
        return WorkloadUse(UseSource.METRICS, used, at=after(-10))

    def events(self, workload: WorkloadId) -> WorkloadEvents:
        self._fail()
        event = WorkloadEvent(after(-5), after(-60), True, "BackOff", f"pod/web-{workload}-a", "back-off", 7)
        return WorkloadEvents((event,))

    def _fail(self) -> None:
        if self.fails is not None:
            raise self.fails


INTENT = Intent("CD" * 32, b"", (WithdrawLease(RUNNING, 120_000),), 4_600, 7, 100, 80)


@dataclass
class FakeHistory:
    """A journal with two transactions and two decisions."""

    fails: Exception | None = None
    record: tuple[Decision, ...] = (
        Decision(
            Subject.parse(str(RUNNING)),
            "CreateBid",
            False,
            "bid 2446uve a block: done",
            after(-900),
            after(-900),
            True,
        ),
        Decision(
            Subject.parse(HEALTHY.id),
            "ApplyWorkload",
            False,
            "apply workload: done",
            after(-800),
            after(-800),
            True,
        ),
        Decision(Subject.parse(HEALTHY.id), "NotWorthItsFee", True, "waits for more", after(-600), NOON),
        Decision(
            Subject.parse("ve1tenant/1000004/1/1"), "PriceTooLow", True, "asks 100uve", after(-700), NOON
        ),
        Decision(
            Subject.parse("ve1tenant/1000009/1/1"),
            "NoCapacity",
            True,
            "asks too much",
            after(-9_000),
            after(-8_000),
        ),
    )
    requested: list[tuple[int, int]] = field(default_factory=list)
    rows_read: list[int] = field(default_factory=list)
    deletions: int = 0

    def counts(self) -> JournalCounts:
        return JournalCounts(1, {IntentOutcome.LANDED: 9}, 2)

    def page(self, before: int, at_most: int) -> JournalPage:
        self._fail()
        self.requested.append((before, at_most))
        end = Confirmation(INTENT, IntentOutcome.REFUSED, 84, after(-300), 5, "sdk", "insufficient funds")
        listed = (
            PastTransaction(12, replace(INTENT, hash="AB" * 32), None),
            PastTransaction(11, INTENT, end),
        )
        return JournalPage(self.counts(), listed, has_older=True, decisions=self.record)

    def ledger_after(self, row: int) -> LedgerPage:
        """The balance with which it began, a fee, and the income of a lease."""
        self._fail()
        self.rows_read.append(row)
        opening = LedgerEntry(1, NOON - 900, EntryKind.OPENING, 1_000)
        fee = LedgerEntry(2, NOON - 800, EntryKind.FEE, -30, "F0" * 32)
        paid = LedgerEntry(3, NOON - 700, EntryKind.LEASE, 700, lease=RUNNING)
        return LedgerPage((opening, fee, paid)[row:], 3, self.deletions)

    def events(self, since: int, at_most: int) -> tuple[RecordedEvent, ...]:
        self._fail()
        done = EffectResult(
            EffectKey("ApplyWorkload", Subject.parse(HEALTHY.id)), "apply workload x", Done(), after(-800)
        )
        step = Transition(HEALTHY.id, RUNNING, Phase.PENDING, Phase.DEPLOYING, "Lease accepted")
        return (RecordedEvent(1, after(-800), done), RecordedEvent(2, after(-790), step))[:at_most]

    def decisions(self, subject: Subject) -> tuple[Decision, ...]:
        self._fail()
        return tuple(
            d
            for d in self.record
            if d.subject == subject or (d.subject.order and d.subject.order == subject.id)
        )

    def _fail(self) -> None:
        if self.fails is not None:
            raise self.fails


@dataclass
class WakeCounter:
    """Counts how often the loop was woken."""

    count: int = 0
    fails: Exception | None = None

    def __call__(self) -> None:
        if self.fails is not None:
            raise self.fails
        self.count += 1


def serve(
    snapshots: SnapshotStore | None = None,
    inspector: FakeInspector | None = None,
    history: History | None = None,
    wake: Callable[[], None] | None = None,
    **serving: Any,
) -> Started:
    """Servers on free ports, without rate limits unless a test sets them; `now` is noon."""
    now = serving.pop("now", lambda: NOON)
    sources = Sources(
        snapshots or SnapshotStore(FULL),
        {"kubernetes": inspector or FakeInspector()},
        history or FakeHistory(),
        wake or WakeCounter(),
        now,
    )
    given: dict[str, Any] = {"api": ANY, "metrics": ANY, "rates": UNLIMITED} | serving
    return start_servers(sources, Serving(**given), CallTimings())
