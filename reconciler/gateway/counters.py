"""What the tenants' listener counts, as Prometheus metrics."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

PREFIX = "virtengine_provider_gateway"
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds in seconds."""

SUBMISSION_OUTCOMES = ("accepted", "refused", "unavailable")


@dataclass(slots=True)
class GatewayCounters:
    """Totals since the start; any thread may count."""

    responses: Counter[tuple[str, int]] = field(default_factory=Counter)
    """By route and status."""
    submissions: Counter[str] = field(default_factory=Counter)
    """By outcome."""
    streams: int = 0
    """Websockets that are open."""
    _seconds: float = 0.0
    _buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count_response(self, route: str, status: int) -> None:
        """A request has ended."""
        with self._lock:
            self.responses[route, status] += 1

    def count_submission(self, status: int, seconds: float) -> None:
        """A manifest was answered after so many seconds."""
        outcome = "accepted" if status == 200 else "unavailable" if status >= 500 else "refused"
        with self._lock:
            self.submissions[outcome] += 1
            self._seconds += seconds
            self._buckets[bisect_left(BUCKETS, seconds)] += 1

    def histogram(self) -> tuple[list[tuple[str, float]], float]:
        """Cumulative buckets, and the sum in seconds."""
        with self._lock:
            total, found = 0, []
            for bound, count in zip((*map(str, BUCKETS), "+Inf"), self._buckets, strict=True):
                total += count
                found.append((bound, float(total)))
            return found, self._seconds


@dataclass(frozen=True, eq=False)
class GatewayCollector(Collector):
    """Reads the counters at each scrape; `connections` are open ones, `chain_queries` a total."""

    counters: GatewayCounters
    connections: Callable[[], int]
    chain_queries: Callable[[], int]

    def collect(self) -> Iterator[Metric]:
        """All metrics of the listener."""
        counters = self.counters
        responses = CounterMetricFamily(
            f"{PREFIX}_responses", "Responses to tenants by route and status.", labels=["route", "status"]
        )
        for (route, status), count in sorted(counters.responses.copy().items()):
            responses.add_metric([route, str(status)], count)
        yield responses
        submissions = CounterMetricFamily(
            f"{PREFIX}_submissions", "Manifests that tenants sent, by outcome.", labels=["outcome"]
        )
        for outcome in SUBMISSION_OUTCOMES:
            submissions.add_metric([outcome], counters.submissions[outcome])
        yield submissions
        buckets, seconds = counters.histogram()
        yield HistogramMetricFamily(
            f"{PREFIX}_submission_seconds", "How long answers to manifests took.", buckets, seconds
        )
        yield GaugeMetricFamily(f"{PREFIX}_connections", "Open connections.", self.connections())
        yield GaugeMetricFamily(f"{PREFIX}_streams", "Open websockets.", counters.streams)
        yield CounterMetricFamily(
            f"{PREFIX}_chain_queries", "Queries for keys and certificates.", self.chain_queries()
        )
