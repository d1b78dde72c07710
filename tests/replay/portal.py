"""Sends the recorded calls of the portal's client to a real listener that has a deployment `L1` of alice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.values.ids import WorkloadId
from tests.gateway.gateway_server import ALICES, SNAPSHOT, Gateway, gateway, workload
from tests.gateway.websocket_client import WebsocketClient
from tests.replay.manifests import Vector, vectors_of
from tests.replay.replaying import Difference, Report

CLOCK = 1_796_025_602
UNSIGNED = "hmac"
NOT_OFFERED = ("performAction", "createShellSession", "connectShell")
"""Calls that get 501 with a sentence."""


def replay_portal(path: Path) -> Report:
    """A call that the reference's verifier accepts is served, any other refused; nonces are used once."""
    report = Report(path.stem)
    with gateway(now=CLOCK) as served:
        served.inspector.lines = lambda _, __: iter([b"web/0 | 2026-11-30T08:00:00Z INFO one\n"])
        named = replace(workload(ALICES), id=WorkloadId("L1"))
        served.snapshots.publish(replace(SNAPSHOT, workloads=(named,)))
        for number, vector in enumerate(vectors_of(path)):
            report.compared += 1
            if vector["auth"] == UNSIGNED:
                report.notes.append(
                    f"{vector['call']}: refused: operators use their own API in place of HMAC"
                )
            for line in _lines(served, vector):
                text = f"{vector['call']} ({vector['auth']}): {line}"
                report.differences.append(Difference(report.file, number, text))
    return report


def _lines(served: Gateway, vector: Vector) -> Iterator[str]:
    call = vector["call"].partition(" ")[0]
    url = urlsplit(vector.get("url") or vector["websocket_url"])
    target = f"{url.path}?{url.query}"
    if "websocket_url" in vector:
        client = WebsocketClient(served, target, {})
        client.close()
        status = client.status
    else:
        body = (vector["body"] or "").encode()
        status, _, headers = served.request(vector["method"], target, vector["headers"], body)
        if headers.get("Access-Control-Allow-Origin") != "*":
            yield "no page of another origin can read the answer"
    wanted = 200 if "url" in vector else 101
    if "id with slashes" in vector["call"]:
        wanted = 404
    elif call != "health" and not vector.get("reference_verifier", {}).get("valid"):
        wanted = 401
    elif call in NOT_OFFERED:
        wanted = 501
    if status != wanted:
        yield f"{status}, expected {wanted}"
