"""The snapshot as Prometheus metrics; totals come from the journal and survive a restart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from reconciler.values.lifecycle import Phase
from reconciler.values.plans import Reason
from reconciler.values.snapshot import CycleOutcome, Snapshot

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

SETTLED = "virtengine_escrow_settlement_amount"
"""A counter whose name the operator's sheet fixed without `_total`."""


class SnapshotCollector(Collector):
    """Reads the snapshot anew at each scrape; no label grows with the count of leases."""

    def __init__(self, read: Callable[[], Snapshot]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        snapshot = self._read()
        yield from _market(snapshot)
        yield from _workloads(snapshot)
        yield from _money(snapshot)
        yield from _cycles(snapshot)


def metrics_page(read: Callable[[], Snapshot]) -> Callable[[], bytes]:
    """A function that gives the whole page, in the text format of version 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SnapshotCollector(read))
    untyped, counter = f"# TYPE {SETTLED} untyped".encode(), f"# TYPE {SETTLED} counter".encode()

    def page() -> bytes:
        # The library knows no counter without `_total`; the format does.
        return generate_latest(registry).replace(untyped, counter, 1)

    return page


def _market(snapshot: Snapshot) -> Iterator[Metric]:
    counters = snapshot.counters
    yield _gauge("virtengine_provider_active_leases", "Active leases of ours.", len(snapshot.leases))
    yield _gauge("virtengine_provider_open_bids", "Open bids of ours.", len(snapshot.bids))
    yield _gauge("virtengine_provider_open_orders", "Open orders on the market.", snapshot.orders_open)
    yield CounterMetricFamily("virtengine_bid", "Bids that landed on the chain.", counters.bids_placed)
    yield CounterMetricFamily("virtengine_bid_success", "Bids that won their lease.", counters.bids_won)
    yield _gauge("virtengine_provider_chain_height", "Height of the last view of the chain.", snapshot.height)
    yield _gauge(
        "virtengine_provider_open_intents", "Transactions sent and not confirmed.", len(snapshot.intents)
    )


def _workloads(snapshot: Snapshot) -> Iterator[Metric]:
    phases = Counter(w.phase for w in snapshot.workloads)
    states = GaugeMetricFamily("virtengine_provider_workloads", "Workloads by state.", labels=["state"])
    for phase in Phase:
        states.add_metric([phase.value.lower()], phases[phase])
    yield states
    reasons = Counter(h.reason for h in snapshot.holds)
    holds = GaugeMetricFamily("virtengine_provider_holds", "Effects withheld by reason.", labels=["reason"])
    for reason in Reason:
        holds.add_metric([reason.value], reasons[reason])
    yield holds


def _money(snapshot: Snapshot) -> Iterator[Metric]:
    books = snapshot.books
    settled = Metric(SETTLED, "Payments and settlements received, net of the chain's cut, in uve.", "unknown")
    settled.add_sample(SETTLED, {}, books.received)
    yield settled
    yield _gauge("virtengine_provider_balance_uve", "Spendable balance in uve.", books.balance)
    yield _gauge(
        "virtengine_provider_deposits_uve", "Locked in deposits of our bids, in uve.", books.deposits
    )
    yield _gauge("virtengine_provider_accrued_uve", "Accrued on leases and not drawn, in uve.", books.accrued)
    yield _gauge("virtengine_provider_earned_uve", "Earned since the journal began, in uve.", books.earned)
    yield CounterMetricFamily("virtengine_provider_fees_uve", "Fees paid, in uve.", books.fees)


def _cycles(snapshot: Snapshot) -> Iterator[Metric]:
    ended = CounterMetricFamily("virtengine_provider_cycles", "Cycles by how they ended.", labels=["outcome"])
    for outcome in CycleOutcome:
        ended.add_metric([outcome.value], snapshot.counters.cycles.get(outcome, 0))
    yield ended
    seen = GaugeMetricFamily(
        "virtengine_provider_reading_seen_timestamp_seconds",
        "When a source was last seen.",
        labels=["source"],
    )
    for reading in snapshot.readings:
        seen.add_metric([reading.source], reading.seen_at)
    yield seen
    if snapshot.cycle is not None:
        yield _gauge(
            "virtengine_provider_cycle_duration_seconds",
            "How long the last cycle took.",
            snapshot.cycle.duration_seconds,
        )
        yield _gauge(
            "virtengine_provider_cycle_finished_timestamp_seconds",
            "When the last cycle ended.",
            snapshot.cycle.finished_at,
        )


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value)
