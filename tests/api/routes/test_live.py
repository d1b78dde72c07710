"""Routes that wait on an adapter or the journal."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from reconciler.api.startup import Started
from reconciler.journal.errors import JournalError
from reconciler.reports.journal_view import JournalView
from reconciler.reports.ledger import LedgerSumsView
from reconciler.reports.market_view import OrderDecisionView
from reconciler.reports.workload_view import ExplanationView, UseView, WorkloadEventsView
from reconciler.runtime import bounded_executor
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.ids import WorkloadId
from tests.api.fake_sources import FakeHistory, FakeInspector, serve
from tests.api.http_client import http_request
from tests.api.snapshots import FAILING, FULL, HEALTHY, RUNNING

LOGS = f"/api/v1/workloads/{HEALTHY.id}/logs"


def test_logs_are_plain_text(servers: Started) -> None:
    response = http_request(servers.ports.api, LOGS)
    assert (response.code, response.type) == (200, "text/plain; charset=utf-8")
    assert response.body == f"web: {HEALTHY.id}\nweb: 1000 lines\n".encode()
    assert http_request(servers.ports.api, f"{LOGS}?tail=7").body.endswith(b"web: 7 lines\n")


@pytest.mark.parametrize("tail", ["0", "-1", "x", "", "10001", "99999999999999999999", "%C2%B2"])
def test_an_invalid_tail_is_refused(servers: Started, tail: str) -> None:
    response = http_request(servers.ports.api, f"{LOGS}?tail={tail}")
    assert (response.code, response.tree["advice"]) == (400, "use 1 to 10000")


def test_long_logs_are_truncated(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(_: WorkloadId, __: int) -> Iterator[bytes]:
        while True:
            yield b"x" * 100

    monkeypatch.setattr(bounded_executor, "LOG_BYTES_MAX", 1000)
    servers = serve(inspector=FakeInspector(endless))
    response = http_request(servers.ports.api, LOGS)
    servers.stop()
    assert response.body == b"x" * 1000 + b"\n(truncated: request fewer lines with ?tail=)\n"


@pytest.mark.parametrize("what", ["logs", "metrics", "events"])
def test_an_adapter_failure_is_reported(servers: Started, inspector: FakeInspector, what: str) -> None:
    inspector.fails = OSError("no pod of it has started")
    response = http_request(servers.ports.api, f"/api/v1/workloads/{HEALTHY.id}/{what}")
    assert response.code == 502
    assert response.tree["error"] == f"the {what} of {HEALTHY.id} cannot be read: no pod of it has started"


def test_hanging_adapter_reads_do_not_block_other_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = threading.Event()

    def hanging(_: WorkloadId, __: int) -> Iterator[bytes]:
        wait.wait(20)
        yield b"late\n"

    monkeypatch.setattr(bounded_executor, "TIMEOUT_SECONDS", 0.2)
    servers = serve(inspector=FakeInspector(hanging))
    try:
        codes = [http_request(servers.ports.api, LOGS).code for _ in range(bounded_executor.THREADS + 1)]
        assert codes == [504] * bounded_executor.THREADS + [503]
        assert http_request(servers.ports.api, "/api/v1/status").code == 200
        assert http_request(servers.ports.api, "/api/v1/journal").code == 200
        wait.set()
        for _ in range(100):
            if (response := http_request(servers.ports.api, LOGS)).code == 200:
                break
        assert response.body == b"late\n"
    finally:
        wait.set()
        servers.stop()


def test_metrics_state_whether_they_were_measured(servers: Started) -> None:
    response = http_request(servers.ports.api, f"/api/v1/workloads/{HEALTHY.id}/metrics")
    response.view(UseView)
    assert (response.tree["source"], response.tree["why"], response.tree["at"]) == (
        "metrics",
        "",
        "2027-01-15T07:59:50Z",
    )
    assert (response.tree["cpu_milli"], response.tree["memory_bytes"]) == (42, 3 << 20)


def test_events_are_those_of_the_adapter(servers: Started) -> None:
    response = http_request(servers.ports.api, f"/api/v1/workloads/{HEALTHY.id}/events")
    response.view(WorkloadEventsView)
    assert response.tree["events"][0]["reason"] == "BackOff"
    assert response.tree["events"][0]["count"] == 7
    assert response.tree["complete"]


def test_a_workload_of_an_unknown_adapter_is_an_error(snapshots: SnapshotStore, servers: Started) -> None:
    snapshots.publish(replace(FULL, workloads=(replace(HEALTHY, adapter="ansible"),)))
    response = http_request(servers.ports.api, LOGS)
    assert (response.code, response.tree["error"]) == (502, "there is no adapter ansible")


def test_the_explanation_goes_from_the_order_to_the_holds(servers: Started) -> None:
    response = http_request(servers.ports.api, f"/api/v1/workloads/{HEALTHY.id}/explain")
    response.view(ExplanationView)
    assert [(step["step"], step["state"]) for step in response.tree["steps"]] == [
        ("order", ""),
        ("bid", "CreateBid"),
        ("lease", "active"),
        ("workload", "running"),
        ("adapter", "kubernetes"),
        ("outcome", "ApplyWorkload"),
        ("held", "NotWorthItsFee"),
    ]
    failing = http_request(servers.ports.api, f"/api/v1/workloads/{FAILING.id}/explain").tree["steps"]
    assert ("trouble", "ImagePullFailed") in [(step["step"], step["state"]) for step in failing]


@pytest.mark.parametrize(
    ("number", "verdict", "message"),
    [
        (1000001, "leased", "the lease is ours, at 2446.5uve a block"),
        (1000003, "bid", "our bid of 2733uve a block is open since height 88"),
        (1000004, "held", "PriceTooLow: asks 100uve a block, costs 2446uve"),
        (1000009, "past", "the order is no longer open; last: NoCapacity: asks too much"),
    ],
)
def test_the_decision_on_an_order(servers: Started, number: int, verdict: str, message: str) -> None:
    response = http_request(servers.ports.api, f"/api/v1/orders/ve1tenant/{number}/1/1/decision")
    response.view(OrderDecisionView)
    assert (response.code, response.tree["verdict"], response.tree["message"]) == (200, verdict, message)


def test_an_unknown_order_is_an_error(servers: Started) -> None:
    response = http_request(servers.ports.api, "/api/v1/orders/ve1nobody/1/1/1/decision")
    assert (response.code, response.tree["error"]) == (404, "order ve1nobody/1/1/1 is unknown")
    assert http_request(servers.ports.api, "/api/v1/orders/ve1tenant/x/1/1/decision").code == 400
    assert http_request(servers.ports.api, f"/api/v1/orders/ve1tenant/{2**64}/1/1/decision").code == 400


def test_the_journal_has_pages(servers: Started, history: FakeHistory) -> None:
    response = http_request(servers.ports.api, "/api/v1/journal?before=13&limit=2")
    response.view(JournalView)
    assert history.requested == [(13, 2)]
    assert response.tree["counts"] == {"open": 1, "ended": {"landed": 9}, "unpublished": 2}
    assert [t["outcome"] for t in response.tree["transactions"]] == ["open", "refused"]
    assert response.tree["transactions"][1]["log"] == "insufficient funds"
    assert response.tree["transactions"][0]["at"] is None
    assert response.tree["next"] == 11
    assert response.tree["events"] == [
        {
            "at": "2027-01-15T07:46:50Z",
            "kind": "Transition",
            "subjects": [HEALTHY.id, HEALTHY.lease],
            "message": f"Workload {HEALTHY.id}: Pending -> Deploying, lease accepted",
        },
        {
            "at": "2027-01-15T07:46:40Z",
            "kind": "Effect",
            "subjects": [HEALTHY.id],
            "message": "Apply workload x: done",
        },
    ]
    assert http_request(servers.ports.api, "/api/v1/journal?limit=501").code == 400


def test_the_ledger_has_sums_by_tenant_and_in_all(servers: Started) -> None:
    response = http_request(servers.ports.api, "/api/v1/ledger")
    view = response.view(LedgerSumsView)
    assert (response.code, view.opening_uve, view.balance_uve) == (200, 1_000, 1_670)
    assert [(row.key, row.leases_uve, row.fees_uve) for row in view.sums] == [
        ("", 0, -30),
        ("ve1tenant", 700, 0),
    ]
    assert view.total.earned_uve == 670
    by_lease = http_request(servers.ports.api, "/api/v1/ledger?by=lease").view(LedgerSumsView)
    assert [row.key for row in by_lease.sums] == ["", str(RUNNING)]
    assert http_request(servers.ports.api, "/api/v1/ledger?by=colour").code == 400


def test_the_ledger_is_read_once_and_again_only_after_entries_were_deleted(
    servers: Started, history: FakeHistory
) -> None:
    first = http_request(servers.ports.api, "/api/v1/ledger").tree
    assert http_request(servers.ports.api, "/api/v1/ledger").tree == first
    history.deletions = 1
    assert http_request(servers.ports.api, "/api/v1/ledger").tree == first
    assert history.rows_read == [0, 3, 3, 0]


def test_an_unreadable_journal_is_an_error(servers: Started, history: FakeHistory) -> None:
    history.fails = JournalError("the journal cannot be used: disk I/O error")
    for path in ("journal", "ledger", f"workloads/{HEALTHY.id}/explain", "orders/ve1tenant/1/1/1/decision"):
        response = http_request(servers.ports.api, f"/api/v1/{path}")
        assert response.code == 503
        assert response.tree["error"] == "the journal cannot be used: disk I/O error"
