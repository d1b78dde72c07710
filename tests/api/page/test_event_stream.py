"""The event stream: the overview at once and after each cycle, for many clients, until the servers stop."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from reconciler.api.page import event_stream as stream
from reconciler.api.startup import Started
from reconciler.documents.typed_json import decode_json
from reconciler.reports.provider_view import OverviewView
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.funding import Funding, TimeLeft
from reconciler.values.ids import WorkloadId
from reconciler.values.listen_address import ListenAddress
from reconciler.values.plans import Reason
from reconciler.values.snapshot import Snapshot
from reconciler.values.views import CommitView, WalletView
from tests.api.fake_sources import serve
from tests.api.http_client import http_request
from tests.api.snapshots import FAILING, FULL, HEALTHY, NOON, cycle_at, hold_view, lease


@contextmanager
def listening(at: ListenAddress, source: str = "127.0.0.1") -> Iterator[http.client.HTTPResponse]:
    """An open event stream."""
    connection = http.client.HTTPConnection(at.host, at.port, timeout=20, source_address=(source, 0))
    connection.request("GET", "/api/v1/stream")
    try:
        yield connection.getresponse()
    finally:
        connection.close()


def overview(response: http.client.HTTPResponse) -> Any:
    """The data of the next event; retry lines and heartbeats are skipped."""
    while line := response.readline():
        if line.startswith(b"data: "):
            decode_json(line[6:], OverviewView)
            return json.loads(line[6:])
    raise AssertionError("it ended")


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "INTERVAL_SECONDS", 0.05)


def ended(n: int) -> Snapshot:
    """A later cycle."""
    return replace(
        FULL,
        height=100 + n,
        cycle=cycle_at(n),
        wallet=WalletView(balance_uve=n),
    )


def test_each_cycle_is_sent_to_all_clients(snapshots: SnapshotStore, servers: Started) -> None:
    with listening(servers.ports.api) as one, listening(servers.ports.api) as other:
        assert one.getheader("Content-Type") == "text/event-stream"
        assert [overview(each)["status"]["chain"]["height"] for each in (one, other)] == [91, 91]
        for n in (1, 2):
            snapshots.publish(ended(n))
            assert [overview(each)["status"]["chain"]["height"] for each in (one, other)] == [
                100 + n,
                100 + n,
            ]


def test_a_slow_client_gets_the_latest_overview_only(snapshots: SnapshotStore, servers: Started) -> None:
    with listening(servers.ports.api) as one:
        overview(one)
        for n in range(1, 40):
            snapshots.publish(ended(n))
        heights: list[int] = []
        while not heights or heights[-1] != 139:
            heights.append(overview(one)["status"]["chain"]["height"])
        assert len(heights) < 10


def test_the_money_history_is_complete_in_the_first_event_only(
    snapshots: SnapshotStore, servers: Started
) -> None:
    for n in range(1, 6):
        snapshots.publish(ended(n))
    with listening(servers.ports.api) as one:
        assert [p["balance_uve"] for p in overview(one)["money_history"]] == [1, 2, 3, 4, 5]
        snapshots.publish(ended(6))
        assert [p["balance_uve"] for p in overview(one)["money_history"]] == [6]


def test_idle_streams_get_heartbeats(servers: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.05)
    with listening(servers.ports.api) as one:
        overview(one)
        assert any(one.readline() == b": heartbeat\n" for _ in range(5))


def test_streams_are_limited_per_client(servers: Started) -> None:
    with ExitStack() as stack:
        for _ in range(stream.LISTENERS_PER_CLIENT):
            overview(stack.enter_context(listening(servers.ports.api, "127.0.0.2")))
        assert stack.enter_context(listening(servers.ports.api, "127.0.0.2")).status == 503
        assert stack.enter_context(listening(servers.ports.api)).status == 200


def test_streams_are_limited_and_a_closed_one_makes_room(
    servers: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "LISTENERS_MAX", 2)
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.05)
    at = servers.ports.api
    with listening(at) as one, listening(at) as other:
        for each in (one, other):
            overview(each)
        assert http_request(at, "/api/v1/stream").code == 503
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with listening(at) as again:
            if again.status == 200:
                return
        time.sleep(0.05)
    raise AssertionError("nobody made room")


def test_stopping_the_servers_ends_streams(
    snapshots: SnapshotStore, caplog: pytest.LogCaptureFixture
) -> None:
    started = serve(snapshots)
    with listening(started.ports.api) as one:
        overview(one)
        began = time.monotonic()
        stopping = threading.Thread(target=started.stop)
        stopping.start()
        while one.readline():
            pass
        stopping.join(10)
        assert time.monotonic() - began < 3
    assert caplog.text == ""


def test_the_overview_lists_the_most_urgent_first(snapshots: SnapshotStore, servers: Started) -> None:
    ending = TimeLeft(Funding.CRITICAL, 4, 20)
    poor = replace(
        HEALTHY, id=WorkloadId(HEALTHY.id[:-1] + "x"), lease=str(lease(1000007)), funding=Funding.CRITICAL
    )
    leases = (*FULL.leases, replace(FULL.leases[0], id=poor.lease, funding=ending))
    snapshots.publish(
        replace(
            FULL,
            workloads=(HEALTHY, poor, FAILING),
            leases=leases,
            holds=(
                *FULL.holds,
                hold_view("pricing.yaml", Reason.PRICE_JUMP, "+60 %", ours=True),
                *(hold_view(f"ve1x/{n}/1/1", Reason.NO_CAPACITY, "full") for n in range(9)),
            ),
            desired_commit=CommitView("d" * 40, NOON, "Raise prices", "operator"),
        )
    )
    response = http_request(servers.ports.api, "/api/v1/overview")
    tree = response.tree
    decode_json(response.body, OverviewView)
    assert [row["workload"]["id"] for row in tree["workloads"]] == [FAILING.id, poor.id, HEALTHY.id]
    assert [h["reason"] for h in tree["workloads"][2]["workload"]["holds"]] == ["NotWorthItsFee"]
    assert tree["funds"] == {
        "states": {"healthy": 2, "low": 0, "critical": 1, "unfunded": 0, "exhausted": 0},
        "min_seconds_left": 20,
    }
    assert [(g["reason"], g["count"], g["ours"]) for g in tree["hold_groups"]] == [
        ("Ceiling", 1, True),
        ("NotWorthItsFee", 1, True),
        ("PriceJump", 1, True),
        ("RepositoryUnseen", 1, True),
        ("NoCapacity", 9, False),
        ("PriceTooLow", 1, False),
    ]
    assert len(tree["hold_groups"][4]["examples"]) == 5
    assert tree["income_uve_per_block"] == "4894"
    assert tree["desired_commits"][0]["subject"] == "Raise prices"
