"""The metrics, by their exact names, over a real socket."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from reconciler.api.metrics import MetricSources, metrics_page
from reconciler.api.startup import Started
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.funding import Funding, TimeLeft
from reconciler.values.ids import LeaseId
from reconciler.values.intents import IntentOutcome
from reconciler.values.plans import Reason
from reconciler.values.resources import Resources
from reconciler.values.snapshot import Counters, RevisionTimes, Snapshot
from reconciler.values.views import CapacityView, WalletView
from reconciler.values.work import QueueStatistics
from tests.api.http_client import http_request
from tests.api.snapshots import FULL, NOON, cycle_at, hold_view, lease, workload_of

SHEET = {
    "virtengine_provider_active_leases": 2,
    "virtengine_bid_total": 5,
    "virtengine_bid_success_total": 2,
    'virtengine_provider_workloads{state="running"}': 1,
    "virtengine_escrow_settlement_amount": 330_000,
}


def page(servers: Started) -> str:
    """One scrape."""
    response = http_request(servers.ports.metrics, "/metrics")
    assert (response.code, response.type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return response.body.decode()


def values(text: str) -> dict[str, float]:
    """The samples by name and labels."""
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


@pytest.mark.parametrize(("name", "value"), SHEET.items())
def test_metrics_have_their_exact_names(servers: Started, name: str, value: float) -> None:
    assert values(page(servers))[name] == value


def test_metric_types(servers: Started) -> None:
    text = page(servers)
    types = {line.split()[2]: line.split()[3] for line in text.splitlines() if line.startswith("# TYPE")}
    assert types["virtengine_escrow_settlement_amount"] == "counter"
    assert types["virtengine_bid_total"] == "counter"
    assert types["virtengine_bid_success_total"] == "counter"
    assert types["virtengine_provider_active_leases"] == "gauge"
    assert types["virtengine_provider_workloads"] == "gauge"
    assert len(list(text_string_to_metric_families(text))) == len(types)


def test_every_state_and_reason_has_a_sample_from_the_start(
    snapshots: SnapshotStore, servers: Started
) -> None:
    snapshots.publish(Snapshot())
    found = values(page(servers))
    states = {name.split('"')[1] for name in found if name.startswith("virtengine_provider_workloads{")}
    assert states == {
        "pending",
        "deploying",
        "running",
        "paused",
        "stopping",
        "stopped",
        "terminated",
        "failed",
    }
    assert found['virtengine_provider_holds{reason="PriceTooLow"}'] == 0
    assert found["virtengine_bid_total"] == 0
    assert found['virtengine_provider_cycles_total{outcome="quiet"}'] == 0


def test_a_scrape_follows_the_snapshot(snapshots: SnapshotStore, servers: Started) -> None:
    page(servers)
    snapshots.publish(replace(FULL, counters=Counters(9, 3), wallet=WalletView(received_uve=1), leases=()))
    found = values(page(servers))
    assert found["virtengine_bid_total"] == 9
    assert found["virtengine_escrow_settlement_amount"] == 1
    assert found["virtengine_provider_active_leases"] == 0


def test_cycles_holds_and_money(servers: Started) -> None:
    found = values(page(servers))
    assert found['virtengine_provider_cycles_total{outcome="acted"}'] == 7
    assert found["virtengine_provider_cycle_duration_seconds"] == 0.25
    assert found['virtengine_provider_holds{reason="PriceTooLow"}'] == 1
    assert found["virtengine_provider_balance_uve"] == 9_000_000
    assert found["virtengine_provider_fees_uve_total"] == 59_000


def test_money_has_no_samples_before_the_chain_was_seen(snapshots: SnapshotStore, servers: Started) -> None:
    snapshots.publish(Snapshot(counters=Counters(5, 2)))
    found = values(page(servers))
    assert found["virtengine_bid_total"] == 5, "the journal knows it from the start"
    assert not [name for name in found if name.startswith("virtengine_escrow_settlement")]


def test_escrow_by_state_and_shortest_time_left(snapshots: SnapshotStore, servers: Started) -> None:
    times = [
        (Funding.HEALTHY, None),
        (Funding.HEALTHY, 90_000),
        (Funding.LOW, 21_600),
        (Funding.EXHAUSTED, -5),
    ]
    leases = tuple(
        replace(FULL.leases[0], id=str(lease(n)), funding=TimeLeft(state, seconds, seconds))
        for n, (state, seconds) in enumerate(times)
    )
    snapshots.publish(replace(FULL, leases=leases))
    found = values(page(servers))
    assert found['virtengine_provider_escrow_leases{state="healthy"}'] == 2
    assert found['virtengine_provider_escrow_leases{state="critical"}'] == 0
    assert found["virtengine_provider_escrow_seconds_left_min"] == -5
    ending = {name.split('"')[1]: n for name, n in found.items() if "escrow_leases_ending" in name}
    assert ending == {"1h": 1, "6h": 2, "1d": 2, "7d": 3, "30d": 3}


def test_capacity(snapshots: SnapshotStore, servers: Started) -> None:
    whole = Resources(64_000, 1 << 38, 1 << 41, 4)
    snapshots.publish(replace(FULL, capacity=CapacityView(whole, Resources(32_000), Resources(2_000))))
    found = values(page(servers))
    assert found['virtengine_provider_cpu_milli{kind="offered"}'] == 64_000
    assert found['virtengine_provider_cpu_milli{kind="sellable"}'] == 32_000
    assert found['virtengine_provider_cpu_milli{kind="promised"}'] == 2_000
    assert found['virtengine_provider_gpus{kind="offered"}'] == 4


def test_the_cycle_histogram_counts_each_cycle_once(snapshots: SnapshotStore, servers: Started) -> None:
    for n, seconds in enumerate((0.02, 0.3, 7.0)):
        record = replace(cycle_at(n), duration_seconds=seconds)
        snapshots.publish(replace(FULL, cycle=record))
        snapshots.publish(replace(FULL, cycle=record))
    found = values(page(servers))
    assert found["virtengine_provider_cycle_seconds_count"] == 3
    assert found["virtengine_provider_cycle_seconds_sum"] == pytest.approx(7.32)
    assert found['virtengine_provider_cycle_seconds_bucket{le="0.5"}'] == 2


def test_ages_of_revisions_readings_and_events(snapshots: SnapshotStore, servers: Started) -> None:
    times = RevisionTimes(NOON - 50, NOON - 400, NOON - 60, NOON - 50, NOON - 7)
    counters = replace(FULL.counters, ended={IntentOutcome.LANDED: 9, IntentOutcome.REFUSED: 1})
    snapshots.publish(replace(FULL, times=times, counters=counters, unpublished=3))
    found = values(page(servers))
    assert found['virtengine_provider_revision_timestamp_seconds{stage="applied"}'] == NOON - 400
    assert found['virtengine_provider_revision_lag_seconds{stage="applied"}'] == 50
    assert found['virtengine_provider_revision_lag_seconds{stage="published"}'] == 7
    assert found['virtengine_provider_reading_age_seconds{source="repository"}'] == 90
    assert found['virtengine_provider_reading_good{source="repository"}'] == 0
    assert found['virtengine_provider_reading_good{source="chain"}'] == 1
    assert found['virtengine_provider_transactions_total{fate="refused"}'] == 1
    assert found['virtengine_provider_transactions_total{fate="expired"}'] == 0
    assert found["virtengine_provider_unpublished_events"] == 3


def test_the_number_of_series_is_bounded(snapshots: SnapshotStore, servers: Started) -> None:
    def names(count: int) -> set[str]:
        leases = tuple(replace(FULL.leases[0], id=str(lease(n))) for n in range(count))
        works = tuple(workload_of(LeaseId.parse(x.id)) for x in leases)
        holds = tuple(hold_view(x.id, Reason.PRICE_TOO_LOW, "low") for x in leases)
        snapshots.publish(replace(FULL, leases=leases, workloads=works, holds=holds))
        return set(values(page(servers)))

    assert names(2) == names(500)


def test_each_work_queue_shows_its_depth_age_latencies_and_retries(snapshots: SnapshotStore) -> None:
    queue = QueueStatistics(
        "kubernetes", 3, 2, NOON - 40, 5, latencies=(("0.5", 7), ("+Inf", 9)), latency_seconds=12.5
    )
    idle = QueueStatistics("git/status")
    found = values(
        metrics_page(MetricSources(snapshots, lambda: NOON, queues=lambda: (queue, idle)))().decode()
    )
    assert found['virtengine_provider_queue_depth{state="queued",target="kubernetes"}'] == 3
    assert found['virtengine_provider_queue_depth{state="running",target="kubernetes"}'] == 2
    assert found['virtengine_provider_queue_oldest_age_seconds{target="kubernetes"}'] == 40
    assert found['virtengine_provider_queue_oldest_age_seconds{target="git/status"}'] == 0
    assert found['virtengine_provider_effect_seconds_bucket{le="0.5",target="kubernetes"}'] == 7
    assert found['virtengine_provider_effect_seconds_sum{target="kubernetes"}'] == 12.5
    assert found['virtengine_provider_effect_retries_total{target="kubernetes"}'] == 5
