"""The snapshot as Prometheus metrics; totals come from the journal and survive a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from reconciler.api import metrics_cycles, metrics_market
from reconciler.runtime.call_timings import CallTimings
from reconciler.runtime.snapshot_store import SnapshotStore

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Gauges:
    """What is measured: the board, calls to the repository and the chain, when certificates expire (unix
    seconds, by site); `now` gives unix seconds.
    """

    snapshots: SnapshotStore
    now: Callable[[], int]
    calls: CallTimings = field(default_factory=CallTimings)
    certificates: Callable[[], Mapping[str, int]] = dict


class SnapshotCollector(Collector):
    """Reads the snapshot anew at each scrape; no label grows with the count of leases."""

    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        gauges = self._gauges
        snapshot, now = gauges.snapshots.snapshot, gauges.now()
        yield from metrics_market.market(snapshot)
        yield from metrics_market.workloads(snapshot)
        yield from metrics_market.money(snapshot)
        yield from metrics_market.funds(snapshot)
        yield from metrics_market.capacity(snapshot)
        yield from metrics_cycles.cycles(snapshot, gauges.snapshots.history)
        yield from metrics_cycles.readings(snapshot, now)
        yield from metrics_cycles.revisions(snapshot, now)
        yield from metrics_cycles.journal(snapshot)
        yield from metrics_cycles.calls(gauges.calls)
        yield from metrics_cycles.certificates(gauges.certificates())


def metrics_page(gauges: Gauges) -> Callable[[], bytes]:
    """A function that gives the whole page, in the text format of version 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SnapshotCollector(gauges))
    ProcessCollector(registry=registry)
    settled = metrics_market.SETTLED
    untyped, counter = f"# TYPE {settled} untyped".encode(), f"# TYPE {settled} counter".encode()

    def page() -> bytes:
        # The library knows no counter without `_total`; the format does.
        return generate_latest(registry).replace(untyped, counter, 1)

    return page
