"""Metrics of the daemon itself: cycles, readings, revisions, the journal, calls, certificates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from reconciler.runtime.call_timings import CallTimings
from reconciler.runtime.metrics_history import MetricsHistory
from reconciler.values.intents import IntentOutcome
from reconciler.values.snapshot import Snapshot
from reconciler.values.views import CycleOutcome
from reconciler.values.work import QueueStatistics


def cycles(snapshot: Snapshot, history: MetricsHistory) -> Iterator[Metric]:
    """Cycles by outcome, and their durations."""
    ended = CounterMetricFamily("virtengine_provider_cycles", "Cycles by outcome.", labels=["outcome"])
    for outcome in CycleOutcome:
        ended.add_metric([outcome.value], snapshot.counters.cycles.get(outcome, 0))
    yield ended
    took = history.durations
    yield HistogramMetricFamily(
        "virtengine_provider_cycle_seconds", "How long cycles took.", list(took.cumulative()), took.seconds
    )
    if snapshot.cycle is None:
        return
    yield GaugeMetricFamily(
        "virtengine_provider_cycle_duration_seconds",
        "How long the last cycle took.",
        snapshot.cycle.duration_seconds,
    )
    yield GaugeMetricFamily(
        "virtengine_provider_cycle_finished_timestamp_seconds",
        "When the last cycle ended.",
        snapshot.cycle.finished_at,
    )
    yield GaugeMetricFamily(
        "virtengine_provider_consecutive_failed_cycles",
        "Consecutive failed cycles; 0: the last one succeeded.",
        snapshot.cycle.failures,
    )
    yield GaugeMetricFamily(
        "virtengine_provider_failed_threads",
        "Background threads ended by an exception.",
        len(snapshot.failed_threads),
    )


def readings(snapshot: Snapshot, now: int) -> Iterator[Metric]:
    """Each source: when it was last seen, its age, and whether it is seen now."""
    seen = GaugeMetricFamily(
        "virtengine_provider_reading_seen_timestamp_seconds",
        "When a source was last seen.",
        labels=["source"],
    )
    age = GaugeMetricFamily(
        "virtengine_provider_reading_age_seconds", "How long ago a source was last seen.", labels=["source"]
    )
    good = GaugeMetricFamily(
        "virtengine_provider_reading_good", "1: the last cycle saw the source.", labels=["source"]
    )
    for reading in snapshot.readings:
        seen.add_metric([reading.source], reading.seen_at)
        good.add_metric([reading.source], 0 if reading.why else 1)
        if reading.seen_at:
            age.add_metric([reading.source], max(now - reading.seen_at, 0))
    yield seen
    yield age
    yield good


def revisions(snapshot: Snapshot, now: int) -> Iterator[Metric]:
    """When commits were last seen, applied and published, and how long they wait for that."""
    times = snapshot.times
    last = GaugeMetricFamily(
        "virtengine_provider_revision_timestamp_seconds",
        "When a commit was last seen, applied and published.",
        labels=["stage"],
    )
    for stage, at in (("seen", times.seen), ("applied", times.applied), ("published", times.published)):
        if at:
            last.add_metric([stage], at)
    yield last
    lag = GaugeMetricFamily(
        "virtengine_provider_revision_lag_seconds",
        "How long the newest commit waits to be applied, and events wait to be published; 0: none waits.",
        labels=["stage"],
    )
    for stage, since in (("applied", times.unapplied_since), ("published", times.unpublished_since)):
        lag.add_metric([stage], max(now - since, 0) if since else 0)
    yield lag


def journal(snapshot: Snapshot) -> Iterator[Metric]:
    """Open and ended transactions, and unpublished events."""
    yield GaugeMetricFamily(
        "virtengine_provider_open_intents", "Transactions sent and not yet confirmed.", len(snapshot.intents)
    )
    ended = CounterMetricFamily(
        "virtengine_provider_transactions", "Transactions by outcome.", labels=["fate"]
    )
    for fate in IntentOutcome:
        ended.add_metric([fate.value], snapshot.counters.ended.get(fate, 0))
    yield ended
    yield GaugeMetricFamily(
        "virtengine_provider_unpublished_events",
        "Events that no pushed status commit covers yet.",
        snapshot.unpublished,
    )


def manifests(snapshot: Snapshot, now: float) -> Iterator[Metric]:
    """Tenants' manifests, and how long the oldest waits for its push."""
    totals = snapshot.manifests
    yield GaugeMetricFamily(
        "virtengine_provider_manifests", "Manifests of tenants that are stored.", totals.accepted
    )
    yield GaugeMetricFamily(
        "virtengine_provider_unpushed_manifests",
        "Manifests that were accepted and are not in the repository yet.",
        totals.unpushed,
    )
    yield GaugeMetricFamily(
        "virtengine_provider_unpushed_manifest_age_seconds",
        "How long the oldest of them waits; 0: none waits.",
        max(now - totals.unpushed_since, 0) if totals.unpushed_since else 0,
    )


def calls(timings: CallTimings) -> Iterator[Metric]:
    """How long calls to the repository and the chain take."""
    family = HistogramMetricFamily(
        "virtengine_provider_call_seconds",
        "How long calls to a source took.",
        labels=["source", "call"],
    )
    for (source, call), took in sorted(timings.durations().items()):
        family.add_metric([source, call], list(took.cumulative()), took.seconds)
    yield family


def queues(found: Iterable[QueueStatistics], now: int) -> Iterator[Metric]:
    """Effects in flight on each target, how long they take, and how often they are tried again."""
    depth = GaugeMetricFamily(
        "virtengine_provider_queue_depth", "Effects in flight on a target.", labels=["target", "state"]
    )
    age = GaugeMetricFamily(
        "virtengine_provider_queue_oldest_age_seconds",
        "How long ago the oldest effect in flight was queued; 0: none is.",
        labels=["target"],
    )
    latency = HistogramMetricFamily(
        "virtengine_provider_effect_seconds",
        "How long effects take from being queued to their end.",
        labels=["target"],
    )
    retries = CounterMetricFamily(
        "virtengine_provider_effect_retries", "Effects tried again after a failure.", labels=["target"]
    )
    for queue in found:
        depth.add_metric([queue.target, "queued"], queue.queued)
        depth.add_metric([queue.target, "running"], queue.running)
        age.add_metric([queue.target], max(now - queue.oldest_since, 0) if queue.oldest_since else 0)
        if queue.latencies:
            latency.add_metric([queue.target], list(queue.latencies), queue.latency_seconds)
        retries.add_metric([queue.target], queue.retries)
    yield from (depth, age, latency, retries)


def certificates(expire: Mapping[str, int]) -> Iterator[Metric]:
    """When the certificates of servers expire."""
    if not expire:
        return
    family = GaugeMetricFamily(
        "virtengine_provider_certificate_expiry_timestamp_seconds",
        "When the certificate of a remote server expires.",
        labels=["site"],
    )
    for site, at in sorted(expire.items()):
        family.add_metric([site], at)
    yield family
