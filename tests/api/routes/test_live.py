"""Routes that wait on an adapter or the journal."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from reconciler.api.startup import Started
from reconciler.journal.errors import JournalError
from reconciler.reports.journal_view import JournalView
from reconciler.reports.market_view import OrderDecisionView
from reconciler.reports.workload_view import ExplanationView, UseView, WorkloadEventsView
from reconciler.runtime import bounded_executor
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.ids import WorkloadId
from tests.api.asking import ask
from tests.api.playing import FakeHistory, FakeInspector, serve
from tests.api.worlds import FULL, ILL, WELL

LOGS = f"/api/v1/workloads/{WELL.id}/logs"


def test_logs_are_plain_text(servers: Started) -> None:
    answer = ask(servers.ports.api, LOGS)
    assert (answer.code, answer.type) == (200, "text/plain; charset=utf-8")
    assert answer.body == f"web: {WELL.id}\nweb: 1000 lines\n".encode()
    assert ask(servers.ports.api, f"{LOGS}?tail=7").body.endswith(b"web: 7 lines\n")


@pytest.mark.parametrize("tail", ["0", "-1", "x", "", "10001", "99999999999999999999", "%C2%B2"])
def test_an_invalid_tail_is_refused(servers: Started, tail: str) -> None:
    answer = ask(servers.ports.api, f"{LOGS}?tail={tail}")
    assert (answer.code, answer.tree["advice"]) == (400, "use 1 to 10000")


def test_long_logs_are_truncated(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(_: WorkloadId, __: int) -> Iterator[bytes]:
        while True:
            yield b"x" * 100

    monkeypatch.setattr(bounded_executor, "LOG_BYTES_MAX", 1000)
    servers = serve(inspector=FakeInspector(endless))
    answer = ask(servers.ports.api, LOGS)
    servers.stop()
    assert answer.body == b"x" * 1000 + b"\n(truncated: request fewer lines with ?tail=)\n"


@pytest.mark.parametrize("what", ["logs", "metrics", "events"])
def test_an_adapter_failure_is_reported(servers: Started, inspector: FakeInspector, what: str) -> None:
    inspector.fails = OSError("no pod of it has started")
    answer = ask(servers.ports.api, f"/api/v1/workloads/{WELL.id}/{what}")
    assert answer.code == 502
    assert answer.tree["error"] == f"the {what} of {WELL.id} cannot be read: no pod of it has started"


def test_hanging_adapter_reads_do_not_block_other_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = threading.Event()

    def hanging(_: WorkloadId, __: int) -> Iterator[bytes]:
        wait.wait(20)
        yield b"late\n"

    monkeypatch.setattr(bounded_executor, "TIMEOUT_SECONDS", 0.2)
    servers = serve(inspector=FakeInspector(hanging))
    try:
        codes = [ask(servers.ports.api, LOGS).code for _ in range(bounded_executor.THREADS + 1)]
        assert codes == [504] * bounded_executor.THREADS + [503]
        assert ask(servers.ports.api, "/api/v1/status").code == 200
        assert ask(servers.ports.api, "/api/v1/journal").code == 200
        wait.set()
        for _ in range(100):
            if (answer := ask(servers.ports.api, LOGS)).code == 200:
                break
        assert answer.body == b"late\n"
    finally:
        wait.set()
        servers.stop()


def test_metrics_state_whether_they_were_measured(servers: Started) -> None:
    answer = ask(servers.ports.api, f"/api/v1/workloads/{WELL.id}/metrics")
    answer.view(UseView)
    assert (answer.tree["source"], answer.tree["why"], answer.tree["at"]) == (
        "metrics",
        "",
        "2027-01-15T07:59:50Z",
    )
    assert (answer.tree["cpu_milli"], answer.tree["memory_bytes"]) == (42, 3 << 20)


def test_events_are_those_of_the_adapter(servers: Started) -> None:
    answer = ask(servers.ports.api, f"/api/v1/workloads/{WELL.id}/events")
    answer.view(WorkloadEventsView)
    assert answer.tree["events"][0]["reason"] == "BackOff"
    assert answer.tree["events"][0]["count"] == 7
    assert answer.tree["complete"]


def test_a_workload_of_an_unknown_adapter_is_an_error(snapshots: SnapshotStore, servers: Started) -> None:
    snapshots.publish(replace(FULL, workloads=(replace(WELL, adapter="ansible"),)))
    answer = ask(servers.ports.api, LOGS)
    assert (answer.code, answer.tree["error"]) == (502, "there is no adapter ansible")


def test_the_explanation_goes_from_the_order_to_the_holds(servers: Started) -> None:
    answer = ask(servers.ports.api, f"/api/v1/workloads/{WELL.id}/explain")
    answer.view(ExplanationView)
    assert [(step["step"], step["state"]) for step in answer.tree["steps"]] == [
        ("order", ""),
        ("bid", "CreateBid"),
        ("lease", "active"),
        ("workload", "running"),
        ("adapter", "kubernetes"),
        ("outcome", "ApplyWorkload"),
        ("held", "NotWorthItsFee"),
    ]
    ill = ask(servers.ports.api, f"/api/v1/workloads/{ILL.id}/explain").tree["steps"]
    assert ("trouble", "ImagePullFailed") in [(step["step"], step["state"]) for step in ill]


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
    answer = ask(servers.ports.api, f"/api/v1/orders/ve1tenant/{number}/1/1/decision")
    answer.view(OrderDecisionView)
    assert (answer.code, answer.tree["verdict"], answer.tree["message"]) == (200, verdict, message)


def test_an_unknown_order_is_an_error(servers: Started) -> None:
    answer = ask(servers.ports.api, "/api/v1/orders/ve1nobody/1/1/1/decision")
    assert (answer.code, answer.tree["error"]) == (404, "nothing is known of order ve1nobody/1/1/1")
    assert ask(servers.ports.api, "/api/v1/orders/ve1tenant/x/1/1/decision").code == 400
    assert ask(servers.ports.api, f"/api/v1/orders/ve1tenant/{2**64}/1/1/decision").code == 400


def test_the_journal_has_pages(servers: Started, history: FakeHistory) -> None:
    answer = ask(servers.ports.api, "/api/v1/journal?before=13&limit=2")
    answer.view(JournalView)
    assert history.asked == [(13, 2)]
    assert answer.tree["counts"] == {"open": 1, "ended": {"landed": 9}, "unpublished": 2}
    assert [t["outcome"] for t in answer.tree["transactions"]] == ["open", "refused"]
    assert answer.tree["transactions"][1]["log"] == "insufficient funds"
    assert answer.tree["transactions"][0]["at"] is None
    assert answer.tree["next"] == 11
    assert answer.tree["events"] == [
        {
            "at": "2027-01-15T07:46:50Z",
            "kind": "Transition",
            "subjects": [WELL.id, WELL.lease],
            "message": f"Workload {WELL.id}: Pending -> Deploying, lease accepted",
        },
        {
            "at": "2027-01-15T07:46:40Z",
            "kind": "Effect",
            "subjects": [WELL.id],
            "message": "Apply workload x: done",
        },
    ]
    assert ask(servers.ports.api, "/api/v1/journal?limit=501").code == 400


def test_an_unreadable_journal_is_an_error(servers: Started, history: FakeHistory) -> None:
    history.fails = JournalError("the journal cannot be used: disk I/O error")
    for path in ("journal", f"workloads/{WELL.id}/explain", "orders/ve1tenant/1/1/1/decision"):
        answer = ask(servers.ports.api, f"/api/v1/{path}")
        assert answer.code == 503
        assert answer.tree["error"] == "the journal cannot be used: disk I/O error"
