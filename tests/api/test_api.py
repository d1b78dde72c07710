"""The snapshot's routes over real sockets."""

from __future__ import annotations

import asyncio
import http.client
import socket
from dataclasses import replace

import pytest

from reconciler.api.startup import Started
from reconciler.reports.market_view import BidEngineView
from reconciler.reports.provider_view import StatusView
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.plans import Reason
from reconciler.values.snapshot import Snapshot
from reconciler.values.times import NEVER
from reconciler.values.views import ReadingView, WorkloadDetailView
from tests.api.http_client import http_request
from tests.api.snapshots import FAILING, FULL, HEALTHY, NOON, after, hold_view


def test_the_status(servers: Started) -> None:
    response = http_request(servers.ports.api, "/api/v1/status")
    assert (response.code, response.type) == (200, "application/json; charset=utf-8")
    tree = response.tree
    assert tree["chain"] == {"id": "virtengine-1", "height": 91, "time": "2027-01-15T07:59:59Z"}
    assert tree["money"]["received_uve"] == 330_000
    assert tree["counts"]["workloads"]["running"] == 1
    assert tree["counts"]["workloads"]["paused"] == 0
    assert tree["counts"]["holds"] == {
        "Ceiling": 1,
        "NotWorthItsFee": 1,
        "PriceTooLow": 1,
        "RepositoryUnseen": 1,
    }
    assert [h["subject"] for h in tree["holds"]] == ["repository", ""]
    assert tree["readings"][1]["why"] == "the remote hung up"
    assert tree["cycle"]["outcome"] == "acted"
    assert tree["intents"][0]["messages"] == ["bid 2733uve a block"]
    response.view(StatusView)


def test_the_bid_engine_has_bids_and_holds(servers: Started) -> None:
    response = http_request(servers.ports.api, "/api/v1/bid-engine/status")
    tree = response.tree
    assert (tree["bids_total"], tree["bids_won_total"], tree["bids_open"]) == (5, 2, 1)
    assert tree["bids"][0]["order"] == "ve1tenant/1000003/1/1"
    assert tree["bids"][0]["price_uve"] == "2733"
    assert [h["reason"] for h in tree["holds"]] == ["PriceTooLow"]
    response.view(BidEngineView)


def test_the_holds_of_the_bid_engine_are_limited(snapshots: SnapshotStore, servers: Started) -> None:
    many = tuple(hold_view(f"ve1x/{n}/1/1", Reason.PRICE_TOO_LOW, "too low") for n in range(1500))
    snapshots.publish(replace(FULL, holds=many))
    tree = http_request(servers.ports.api, "/api/v1/bid-engine/status").tree
    assert (len(tree["holds"]), tree["holds_total"]) == (1000, 1500)


def test_workloads_are_listed_all_or_by_state(servers: Started) -> None:
    at = servers.ports.api
    assert [w["id"] for w in http_request(at, "/api/v1/workloads").tree["items"]] == [HEALTHY.id, FAILING.id]
    assert [w["state"] for w in http_request(at, "/api/v1/workloads?state=failed").tree["items"]] == [
        "failed"
    ]
    assert http_request(at, "/api/v1/workloads?state=paused").tree["items"] == []
    refused = http_request(at, "/api/v1/workloads?state=Gone")
    assert refused.code == 400
    assert refused.tree["advice"].startswith("use one of pending, deploying, running")


def test_a_workload_has_its_lease_holds_and_trouble(servers: Started) -> None:
    response = http_request(servers.ports.api, f"/api/v1/workloads/{HEALTHY.id}")
    tree = response.tree
    assert tree["workload"]["price_uve"] == "2446.5"
    assert (tree["workload"]["ready"], tree["workload"]["replicas_ready"]) == (True, 2)
    assert tree["lease"]["withdrawn_at"] == "2027-01-15T07:59:20Z"
    assert [h["reason"] for h in tree["workload"]["holds"]] == ["NotWorthItsFee"]
    response.view(WorkloadDetailView)
    failing = http_request(servers.ports.api, f"/api/v1/workloads/{FAILING.id}").tree
    assert failing["workload"]["trouble"]["advice"] == "correct the image's name"
    assert failing["lease"]["withdrawn_at"] is None


def test_an_unknown_workload_is_an_error_with_advice(servers: Started) -> None:
    for path in ("/api/v1/workloads/nope", "/api/v1/workloads/nope/logs"):
        response = http_request(servers.ports.api, path)
        assert response.code == 404
        assert response.tree == {
            "error": "there is no workload nope",
            "advice": "GET /api/v1/workloads lists all; `provider-daemon explain` has former ones",
        }


def test_responses_follow_the_snapshot(snapshots: SnapshotStore, servers: Started) -> None:
    snapshots.publish(replace(FULL, workloads=(replace(HEALTHY, state="paused"),)))
    assert (
        http_request(servers.ports.api, f"/api/v1/workloads/{HEALTHY.id}").tree["workload"]["state"]
        == "paused"
    )
    assert http_request(servers.ports.api, f"/api/v1/workloads/{FAILING.id}").code == 404


def test_a_time_out_of_range_is_null(snapshots: SnapshotStore, servers: Started) -> None:
    snapshots.publish(replace(FULL, chain_time=999_999_999_999))
    assert http_request(servers.ports.api, "/api/v1/status").tree["chain"]["time"] is None


def test_before_the_first_cycle_routes_respond_and_readyz_fails(
    snapshots: SnapshotStore, servers: Started
) -> None:
    at = servers.ports.api
    snapshots.publish(Snapshot(provider="one"))
    assert http_request(at, "/api/v1/status").tree["cycle"] is None
    assert http_request(at, "/api/v1/workloads").tree == {"items": [], "total": 0, "next": ""}
    assert http_request(at, "/healthz").code == 200
    response = http_request(at, "/readyz")
    assert (response.code, response.tree["why"]) == (503, "the first cycle has not ended yet")


@pytest.mark.parametrize(
    ("chain", "code", "why"),
    [
        ((ReadingView("chain", after(-90)),), 200, ""),
        (
            (ReadingView("chain", after(-91), "the node is down"),),
            503,
            "the chain was last seen 91 seconds ago, more than 90: the node is down",
        ),
        (
            (ReadingView("chain", after(-999)),),
            503,
            "the chain was last seen 999 seconds ago, more than 90: no cycle has ended since",
        ),
        ((ReadingView("chain", NEVER, "refused"),), 503, "the chain has not been seen yet: refused"),
        ((ReadingView("repository", NOON),), 503, "the chain has not been seen yet"),
    ],
)
def test_readyz_requires_a_recent_chain_reading(
    snapshots: SnapshotStore, servers: Started, chain: tuple[ReadingView, ...], code: int, why: str
) -> None:
    snapshots.publish(replace(FULL, readings=chain))
    response = http_request(servers.ports.api, "/readyz")
    assert (response.code, response.tree["why"]) == (code, why)
    assert http_request(servers.ports.api, "/healthz").code == 200


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/workloads/", "/api/v1/status/x", "/%2e%2e/etc"])
def test_unknown_paths_list_the_routes(servers: Started, path: str) -> None:
    response = http_request(servers.ports.api, path)
    assert response.code == 404
    assert response.tree["advice"].startswith("use GET /api/v1/status, ")


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT"])
def test_other_methods_are_refused(servers: Started, method: str) -> None:
    response = http_request(servers.ports.api, "/api/v1/status", method)
    assert response.code == 405
    assert (response.tree["advice"], response.headers["allow"]) == ("use GET", "GET, HEAD")


@pytest.mark.parametrize("host", ["evil.example.org", "evil.example.org:8443", "localhost.evil.org", "[x"])
def test_a_foreign_host_name_is_refused(servers: Started, host: str) -> None:
    assert http_request(servers.ports.api, "/api/v1/status", Host=host).code == 421


@pytest.mark.parametrize("host", ["localhost", "localhost:9", "127.0.0.1:8443", "[::1]:8443"])
def test_local_host_names_are_accepted(servers: Started, host: str) -> None:
    assert http_request(servers.ports.api, "/api/v1/status", Host=host).code == 200


def test_an_internal_error_has_no_traceback(servers: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> StatusView:
        raise RuntimeError("secret words")

    monkeypatch.setattr("reconciler.api.routes.snapshot.status_view", fail)
    response = http_request(servers.ports.api, "/api/v1/status")
    assert response.code == 500
    assert response.tree["error"] == "the response could not be computed"
    assert b"secret" not in response.body


def test_slow_responses_time_out(servers: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(*_: object) -> bytes:
        await asyncio.sleep(30)
        return b""

    monkeypatch.setattr("reconciler.api.api.TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr("reconciler.runtime.bounded_executor.BoundedExecutor.run", sleep)
    response = http_request(servers.ports.api, f"/api/v1/workloads/{HEALTHY.id}/logs")
    assert (response.code, response.tree["error"]) == (504, "the response took too long")


def test_junk_ends_its_connection_only(servers: Started) -> None:
    at = servers.ports.api
    with socket.create_connection((at.host, at.port), timeout=20) as raw:
        raw.sendall(b"GET " + b"/" * 20_000 + b" HTTP/1.1\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.0 400")
    connection = http.client.HTTPConnection(at.host, at.port, timeout=20)
    connection.request("GET", "/healthz", body=b"x" * 100_000)
    assert connection.getresponse().status == 413
    connection.close()
    assert http_request(at, "/healthz").code == 200
