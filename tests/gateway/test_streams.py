"""Logs and events by websocket, as the recorded client reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import NoReturn

import pytest

from reconciler.gateway import streams
from reconciler.gateway.authentication import Caller
from reconciler.gateway.log_lines import ContainerLine, Follower, event_json, overlap, parsed_lines
from reconciler.gateway.refusals import GatewayRefusal
from reconciler.gateway.requests import ConcurrencyLimit
from reconciler.values.ids import workload_id
from reconciler.values.inspection import WorkloadEvent, WorkloadEvents
from reconciler.values.times import Timestamp
from tests.gateway.gateway_server import ALICES, SNAPSHOT, Gateway, gateway
from tests.gateway.test_routes import LEASE, bearer, granular
from tests.gateway.websocket_client import CLOSE, PING, TEXT, WebsocketClient, code_of

LINES = [b"web/abcde | hello\n", b"web/abcde | \x1b[31mred\n", b"db/fghij | ready\n", b"(truncated)\n"]


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with gateway() as found:
        yield found


@pytest.fixture
def served(running: Gateway) -> Gateway:
    running.inspector.lines = lambda _, __: iter(LINES)
    running.inspector.fails = None
    running.snapshots.publish(SNAPSHOT)
    return running


def refuse_all(_: ConcurrencyLimit, owner: str) -> NoReturn:
    raise GatewayRefusal(429, "busy", about=owner)


def read_all(served: Gateway, path: str, headers: dict[str, str]) -> tuple[list[dict[str, str]], int, str]:
    client = WebsocketClient(served, path, headers)
    try:
        *texts, (_, closing) = client.frames()
    finally:
        client.close()
    return [json.loads(payload) for opcode, payload in texts if opcode == TEXT], *code_of(closing)


@pytest.mark.parametrize(
    "query", ["follow=false&services=web%2Cdb", "follow=false", "service=web,db&tail=-1"]
)
def test_lines_then_a_normal_close(served: Gateway, query: str) -> None:
    assert read_all(served, f"{LEASE}/logs?{query}", bearer()) == (
        [
            {"name": "web-abcde", "message": "hello"},
            {"name": "web-abcde", "message": "\x1b[31mred"},
            {"name": "db-fghij", "message": "ready"},
        ],
        1000,
        "",
    )


@pytest.mark.parametrize(
    ("headers", "query"),
    [(granular("logs"), ""), (bearer(), "?services=web"), (bearer(), "?service=web&tail=9")],
)
def test_lines_of_other_services_are_left_out(served: Gateway, headers: dict[str, str], query: str) -> None:
    lines, *_ = read_all(served, f"{LEASE}/logs{query}", headers)
    assert {line["name"] for line in lines} == {"web-abcde"}


@pytest.mark.parametrize(
    ("ready", "code", "reason"), [(0, 4000, "no running pods"), (1, 4002, "cluster unreachable")]
)
def test_a_target_s_error_is_a_close_code_without_its_text(
    served: Gateway, ready: int, code: int, reason: str
) -> None:
    served.inspector.lines, served.inspector.fails = None, OSError("https://10.0.0.1:6443: refused")
    changed = [replace(each, replicas_ready=ready) for each in SNAPSHOT.workloads]
    served.snapshots.publish(replace(SNAPSHOT, workloads=tuple(changed)))
    assert read_all(served, f"{LEASE}/logs", bearer()) == ([], code, reason)


def test_a_refusal_before_the_upgrade_is_an_http_answer(served: Gateway) -> None:
    client = WebsocketClient(served, f"{LEASE}/logs?follow=false", {})
    client.close()
    assert (client.status, client.body) == (401, b'{"message":"unauthorized access"}')


def test_a_follower_gets_pings_and_new_lines_until_the_lease_ends(
    served: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "FOLLOW_SECONDS", 0.01)
    monkeypatch.setattr(streams, "PING_SECONDS", 0.005)
    reads = iter(range(1000))

    def lines(*_: object) -> Iterator[bytes]:
        yield from (b"web/a | line %d" % number for number in range(next(reads) + 1))

    served.inspector.lines = lines
    client = WebsocketClient(served, f"{LEASE}/logs?follow=true&tail=1", bearer())
    found, pings = [], 0
    for opcode, payload in client.frames():
        pings += opcode == PING
        if opcode == TEXT:
            found.append(json.loads(payload)["message"])
        if len(found) == 5:
            served.snapshots.publish(replace(SNAPSHOT, workloads=()))
        if opcode == CLOSE:
            assert code_of(payload) == (1000, "the lease has ended")
    client.close()
    assert found == [f"line {number}" for number in range(len(found))]
    assert pings


def test_events_name_no_machine(served: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    about = f"pod/web-{workload_id(ALICES)}-7d9f-abc"
    listed = tuple(
        WorkloadEvent(Timestamp(2 - n), Timestamp(1), n == 1, reason, about, "on node1", 1)
        for n, reason in enumerate(("Started", "Scheduled"))
    )
    monkeypatch.setattr(served.inspector, "events", lambda _: WorkloadEvents(listed))
    events, code, _ = read_all(served, f"{LEASE}/kubeevents?follow=false", granular("events"))
    assert [(each["reason"], each["note"]) for each in events] == [("Scheduled", ""), ("Started", "on node1")]
    assert events[0]["object"] == {"kind": "Pod", "namespace": "", "name": about[4:]}  # type: ignore[comparison-overlap]
    assert code == 1000
    assert read_all(served, f"{LEASE}/kubeevents", granular("events", services=("db",)))[0] == []


def test_streams_of_one_tenant_are_bounded(served: Gateway) -> None:
    path = f"{LEASE}/logs?follow=true"
    clients = [WebsocketClient(served, path, bearer()) for _ in range(streams.STREAMS_OF_ONE_MAX)]
    refused = WebsocketClient(served, path, bearer())
    assert (refused.status, b"in progress" in refused.body) == (429, True)
    for client in (*clients, refused):
        client.close()


def test_a_stream_ends_with_its_credentials(served: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Caller, "seconds_left", lambda caller, now: (caller.permissions.expires_at - now) / 1e5
    )
    client = WebsocketClient(served, f"{LEASE}/logs?follow=true", bearer())
    assert [code_of(payload) for opcode, payload in client.frames() if opcode == CLOSE] == [
        (1000, "reconnect to go on")
    ]
    client.close()


@pytest.mark.parametrize("route", ["logs", "metrics"])
def test_reads_of_one_tenant_are_bounded(
    served: Gateway, monkeypatch: pytest.MonkeyPatch, route: str
) -> None:
    monkeypatch.setattr(ConcurrencyLimit, "entered", refuse_all)
    path = f"/api/v1/deployments/{workload_id(ALICES)}/{route}"
    assert served.request("GET", path, bearer())[0] == 429


def test_a_client_that_floods_is_closed(served: Gateway) -> None:
    client = WebsocketClient(served, f"{LEASE}/logs?follow=true", bearer())
    for _ in range(streams.FRAMES_MAX + 1):
        client.send(TEXT, b"x")
    *_, (opcode, payload) = client.frames()
    assert (opcode, code_of(payload)[0]) == (CLOSE, 1008)
    client.close()


@pytest.mark.parametrize(
    ("before", "now", "known"),
    [
        ("", "abc", 0),
        ("abc", "abc", 3),
        ("abc", "abcd", 3),
        ("abc", "cd", 1),
        ("abc", "xyz", 0),
        ("aaa", "aaaa", 3),
        ("abab", "abc", 2),
        ("abc", "", 0),
    ],
)
def test_known_lines_are_found(before: str, now: str, known: int) -> None:
    assert overlap([*before], [*now]) == known


def test_a_new_container_begins_with_its_last_lines() -> None:
    follower = Follower()
    lines = [ContainerLine("web", "a", text) for text in "abc"]
    assert [line.text for line in follower.new(lines, tail=2)] == ["b", "c"]
    assert follower.new(lines, tail=2) == []


def test_a_follower_keeps_no_texts() -> None:
    follower = Follower()
    follower.new([ContainerLine("web", "a", "x" * 16_384) for _ in range(500)])
    assert sum(each.itemsize * len(each) for each in follower._last.values()) == 4_000


def test_lines_without_a_container_are_left_out() -> None:
    assert [each.text for each in parsed_lines(LINES, lambda _: True)] == ["hello", "\x1b[31mred", "ready"]
    assert "\x1b" not in ContainerLine("web", "a", "\x1b[31m").to_json()
    assert "\x1b" not in event_json(WorkloadEvent(Timestamp(1), Timestamp(1), False, "A", "pod/a", "\x1b", 1))
