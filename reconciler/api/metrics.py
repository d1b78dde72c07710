"""The snapshot as Prometheus metrics; totals come from the journal and survive restarts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from reconciler.api import metrics_cycles, metrics_market
from reconciler.runtime.call_timings import CallTimings
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.work import QueueStatistics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class MetricSources:
    """Snapshots, timings of calls to repository and chain, when certificates expire (unix seconds, by
    server), work queues, and what other servers collect; `now` gives unix seconds.
    """

    snapshots: SnapshotStore
    now: Callable[[], int]
    calls: CallTimings = field(default_factory=CallTimings)
    certificates: Callable[[], Mapping[str, int]] = dict
    queues: Callable[[], Iterable[QueueStatistics]] = tuple
    collectors: tuple[Collector, ...] = ()


class SnapshotCollector(Collector):
    """Reads the snapshot at each scrape; no label grows with the number of leases."""

    def __init__(self, sources: MetricSources) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        sources = self._sources
        snapshot, now = sources.snapshots.snapshot, sources.now()
        yield from metrics_market.market(snapshot)
        yield from metrics_market.workloads(snapshot)
        yield from metrics_market.money(snapshot)
        yield from metrics_market.funds(snapshot)
        yield from metrics_market.capacity(snapshot)
        yield from metrics_cycles.cycles(snapshot, sources.snapshots.history)
        yield from metrics_cycles.readings(snapshot, now)
        yield from metrics_cycles.revisions(snapshot, now)
        yield from metrics_cycles.journal(snapshot)
        yield from metrics_cycles.manifests(snapshot, now)
        yield from metrics_cycles.calls(sources.calls)
        yield from metrics_cycles.queues(sources.queues(), now)
        yield from metrics_cycles.certificates(sources.certificates())


def metrics_page(sources: MetricSources) -> Callable[[], bytes]:
    """A function that renders all metrics in text format 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SnapshotCollector(sources))
    for collector in sources.collectors:
        registry.register(collector)
    ProcessCollector(registry=registry)
    name = metrics_market.SETTLED
    untyped, counter = f"# TYPE {name} untyped".encode(), f"# TYPE {name} counter".encode()

    def page() -> bytes:
        # The library supports no counter without `_total`; the format does.
        return generate_latest(registry).replace(untyped, counter, 1)

    return page
