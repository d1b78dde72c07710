"""Sends the recorded requests of tenants' clients to a real listener, and compares how the client takes the
answer with how it took the recorded one. The sources behind the listener are set to the recorded state.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from reconciler.gateway.submissions import Receipt, SubmissionRefusal
from reconciler.values.addresses import AddressKind, ServiceAddress
from reconciler.values.ids import workload_id
from reconciler.values.views import ServiceView
from tests.gateway.gateway_server import ALICES, SNAPSHOT, Gateway, gateway, workload
from tests.gateway.test_routes import bearer
from tests.gateway.websocket_client import TEXT, WebsocketClient, code_of
from tests.replay.client_forms import LeaseStatus, ProviderStatus, ServiceStatus
from tests.replay.manifests import Vector, vectors_of
from tests.replay.replaying import Difference, Report

NOT_SENT = "the listener sends no such answer"
DEVIATIONS = {
    "other success": f"{NOT_SENT}: the client takes only 200 for success",
    "malformed": f"{NOT_SENT}: the client cannot decode it",
    "no credentials": "refused with 401; the recording server asked for none",
    "slow": "answered within 27 s, as the client waits 30 s",
    "pings": "pings follow each other in 10 s; see tests/gateway/test_streams.py",
    "no lease": "404 before the upgrade in place of close code 4001: the client shows both as an error",
    "other path": "404: the chain allows no host_uri with a path or a final slash",
    "odd name": "404: no service has such a name",
    "validate": "404: not served, as by the peer",
    "not offered": "501 with a sentence",
}


OPEN = {"/status": "{}"}
"""The body of an answer that is recorded in words."""


class DeviationError(Exception):
    """A request that is answered otherwise, for one of the listed reasons."""


def replay_client(path: Path) -> Report:
    """Send each request of a recording; those that reached no server are left out."""
    report = Report(path.stem)
    with gateway() as served:
        for number, vector in enumerate(vectors_of(path)):
            if "request" not in vector:
                continue
            report.compared += 1
            try:
                lines = list(_lines(served, vector))
            except DeviationError as deviation:
                report.notes.append(f"{vector['name']}: {DEVIATIONS[str(deviation)]}")
                continue
            for line in lines:
                report.differences.append(Difference(report.file, number, f"{vector['name']}: {line}"))
    return report


def _lines(served: Gateway, vector: Vector) -> Iterator[str]:
    served.snapshots.publish(SNAPSHOT)
    path = vector["request"]["uri"].partition("?")[0]
    if path.endswith(("/logs", "/kubeevents")):
        yield from _stream_lines(served, vector)
        return
    expected, recorded = _recorded(vector, path)
    _set_up(served, path, expected, recorded)
    status, body, _ = _send(served, vector)
    listed = [name for name, (is_so, code) in _listed(path, vector).items() if is_so and code == status]
    if listed:
        raise DeviationError(listed[0])
    if 200 < expected < 400:
        yield from _deviates("other success", status == 200)
    elif isinstance(vector["answer"], str) and path.endswith("/manifest"):
        raise DeviationError("slow")
    elif status != expected or (status != 200 and body.decode() != recorded):
        yield f"{status} {body!r}, recorded {expected} {recorded!r}"
    elif status == 200:
        yield from _taken_otherwise(path, body, recorded)


def _recorded(vector: Vector, path: str) -> tuple[int, str]:
    """Status and body of the recorded answer; of one in words, those of a success."""
    answer = vector["answer"]
    if isinstance(answer, dict):
        return answer["status"], answer["body"]
    return 200, OPEN.get(path, "")


def _listed(path: str, vector: Vector) -> dict[str, tuple[bool, int]]:
    """The deviations that may concern a request: whether each does, and the status that it is answered."""
    is_lease = path.startswith("/lease/")
    return {
        "not offered": (path.endswith(("/migrate", "/shell")), 501),
        "validate": (path == "/validate", 404),
        "other path": (path != "/status" and path.endswith("/status") and not is_lease, 404),
        "odd name": ("/service/" in path and not path.endswith("/status"), 404),
        "no credentials": (vector["auth"] == "none", 401),
    }


def _set_up(served: Gateway, path: str, status: int, body: str) -> None:
    """Bring the sources into the state that the recorded answer shows."""
    text = json.loads(body)["message"] if body.startswith('{"message"') else body.removesuffix("\n")
    served.submissions.answer = (
        (lambda _: Receipt("", "")) if status < 400 else lambda _: SubmissionRefusal(HTTPStatus(status), text)
    )
    served.submissions.group = body if status == 200 else None
    if path == "/status":
        form = _decoded(body, ProviderStatus)
        served.snapshots.publish(replace(SNAPSHOT, height=10 if form.cluster else 0))
    elif path.startswith("/lease/") and path.endswith("/status"):
        found = [] if status == 404 else [replace(workload(ALICES), addresses=())]
        services: list[ServiceView] = []
        if status == 200 and "/service/" in path:
            one = _decoded(body, ServiceStatus)
            services = [_service(one)]
            found = [replace(found[0], addresses=tuple(_hosts(one)))]
        elif status == 200:
            form_ = _decoded(body, LeaseStatus)
            services = [_service(each) for each in (form_.services or {}).values()]
            found = [replace(found[0], addresses=tuple(_addresses(form_)))]
        served.snapshots.publish(
            replace(SNAPSHOT, workloads=tuple(found), services={workload_id(ALICES): tuple(services)})
        )


def _service(status: ServiceStatus) -> ServiceView:
    return ServiceView(status.name, status.total, status.available)


def _hosts(service: ServiceStatus) -> Iterator[ServiceAddress]:
    for host in service.uris or ():
        yield ServiceAddress(service.name, AddressKind.HOST_NAME, host, 80)


def _addresses(status: LeaseStatus) -> Iterator[ServiceAddress]:
    for service in (status.services or {}).values():
        yield from _hosts(service)
    for name, ports in (status.forwarded_ports or {}).items():
        for port in ports:
            yield ServiceAddress(name, AddressKind.PORT, port.host, port.port, port.external_port, port.proto)
    for name, ips in (status.ips or {}).items():
        for ip in ips:
            yield ServiceAddress(name, AddressKind.LEASED_IP, ip.ip, ip.port, ip.external_port, ip.protocol)


def _taken_otherwise(path: str, body: bytes, recorded: str) -> Iterator[str]:
    if path == "/status":
        ours, theirs = _decoded(body, ProviderStatus), _decoded(recorded, ProviderStatus)
        if (ours.cluster is None) != (theirs.cluster is None):
            yield f"{body!r}, recorded {recorded!r}"
    elif path.endswith("/status"):
        form = ServiceStatus if "/service/" in path else LeaseStatus
        if _comparable(_decoded(body, form)) != _comparable(_decoded(recorded, form)):
            yield f"{body!r}, recorded {recorded!r}"
    elif body.decode() != recorded:
        yield f"{body!r}, recorded {recorded!r}"


def _comparable(form: object) -> object:
    """Without the generation, which is always 1 here; no URIs and null are the same for the client. A port
    of a service that is not shown is left out.
    """
    if isinstance(form, LeaseStatus):
        services = {name: _comparable(each) for name, each in (form.services or {}).items()}
        ports = {name: each for name, each in (form.forwarded_ports or {}).items() if name in services}
        return services, ports, form.ips
    assert isinstance(form, ServiceStatus), "the other form with a generation"
    return msgspec.structs.replace(form, observed_generation=0, uris=form.uris or [])


def _stream_lines(served: Gateway, vector: Vector) -> Iterator[str]:
    answer = vector["answer"]
    if isinstance(answer, str) and "text messages" in answer:
        raise DeviationError("pings")
    if isinstance(answer, str):
        answer = ["close 1000"]
    if isinstance(answer, dict):
        client = WebsocketClient(served, vector["request"]["uri"], {})
        client.close()
        if (client.status, json.loads(client.body)) != (answer["status"], json.loads(answer["body"])):
            yield f"{client.status} {client.body!r}, recorded {answer}"
        return
    texts = [each.removeprefix("text ") for each in answer if each.startswith("text ")]
    closing = next((each for each in answer if each.startswith("close")), "")
    if any(not text.startswith("{") for text in texts):
        raise DeviationError("malformed")
    if "4001" in closing:
        raise DeviationError("no lease")
    frames = [json.loads(text) for text in texts]
    if "/kubeevents" in vector["request"]["uri"]:
        return  # its form is compared by tests/gateway/test_streams.py
    _set_lines(served, frames, closing)
    if parse_qs(urlsplit(vector["request"]["uri"]).query).get("follow") == ["true"]:
        served.inspector.lines, served.inspector.fails = None, OSError("none")
    client = WebsocketClient(served, vector["request"]["uri"], bearer())
    *found, (_, closed) = client.frames()
    client.close()
    messages = [json.loads(payload)["message"] for opcode, payload in found if opcode == TEXT]
    if messages != [each["message"] for each in frames]:
        yield f"{messages}, recorded {frames}"
    if "4000" in closing and code_of(closed) != (4000, "no running pods"):
        yield f"closed with {code_of(closed)}, recorded {closing}"


def _set_lines(served: Gateway, frames: list[dict[str, str]], closing: str) -> None:
    lines = [f"{each['name'].partition('-')[0]}/0 | {each['message']}\n".encode() for each in frames]
    served.inspector.lines = lambda _, __: iter(lines)
    if "4000" in closing:
        served.inspector.lines, served.inspector.fails = None, OSError("none")
        empty = tuple(replace(each, replicas_ready=0) for each in SNAPSHOT.workloads)
        served.snapshots.publish(replace(SNAPSHOT, workloads=empty))


def _send(served: Gateway, vector: Vector) -> tuple[int, bytes, Any]:
    request, auth = vector["request"], vector["auth"]
    left_out = ("Authorization", "Content-Length", "Connection", "Upgrade", "Accept-Encoding")
    headers = {name: text for name, text in request["headers"].items() if name not in left_out}
    if auth in ("signer", "token"):
        headers |= bearer()
    certificate = "alice" if auth == "certificate" else ""
    body = request.get("body", "").encode()
    return served.request(request["method"], request["uri"], headers, body, certificate)


def _deviates(reason: str, as_listed: bool) -> Iterator[str]:
    if as_listed:
        raise DeviationError(reason)
    yield f"answered otherwise, and not as listed: {DEVIATIONS[reason]}"


def _decoded(body: bytes | str, form: Any) -> Any:
    """Decoded as the client does; DeviationError if it cannot be."""
    try:
        return msgspec.json.decode(body, type=form)
    except msgspec.MsgspecError:
        raise DeviationError("malformed") from None
