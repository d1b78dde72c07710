"""Every route of the listener, over TLS, by what the known clients decode."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest

from reconciler.gateway.submissions import Receipt, SubmissionMethod, SubmissionRefusal
from reconciler.values.ids import DeploymentId, workload_id
from tests.gateway.gateway_server import ALICES, BOBS, PROVIDER, Gateway, gateway
from tests.gateway.test_tokens import token
from tests.replay.tokens import KEYS

LEASE = "/lease/100/1/2"


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with gateway() as found:
        yield found


@pytest.fixture
def served(running: Gateway) -> Gateway:
    running.submissions.taken.clear()
    running.submissions.answer = lambda _: Receipt("hash", "commit")
    running.submissions.group = "[]"
    return running


def bearer(**claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(**claims)}"}


def granular(*scopes: str, services: tuple[str, ...] = ("web",), dseq: int = 100) -> dict[str, str]:
    deployment = {"dseq": dseq, "scope": list(scopes), "services": list(services)}
    permission = {"provider": PROVIDER, "access": "granular", "deployments": [deployment]}
    return bearer(leases={"access": "granular", "permissions": [permission]})


@pytest.mark.parametrize("certificate", ["", "alice"])
def test_a_manifest_is_accepted_with_an_empty_200(served: Gateway, certificate: str) -> None:
    headers = {} if certificate else bearer()
    status, body, _ = served.request("PUT", "/deployment/100/manifest", headers, b"[1]", certificate)
    assert (status, body) == (200, b"")
    (taken,) = served.submissions.taken
    method = SubmissionMethod.CERTIFICATE if certificate else SubmissionMethod.JWT
    assert (taken.deployment, taken.body, taken.method) == (
        DeploymentId(KEYS["alice"].address, 100),
        b"[1]",
        method,
    )


def test_a_refused_manifest_is_one_line(served: Gateway) -> None:
    served.submissions.answer = lambda _: SubmissionRefusal(
        HTTPStatus.UNPROCESSABLE_ENTITY, "manifest version validation failed"
    )
    status, body, headers = served.request("PUT", "/deployment/100/manifest", bearer(), b"[]")
    assert (status, body) == (422, b"manifest version validation failed\n")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    served.submissions.answer = lambda _: SubmissionRefusal(HTTPStatus.SERVICE_UNAVAILABLE, "later", 7)
    status, body, headers = served.request("PUT", "/deployment/100/manifest", bearer(), b"[]")
    assert (status, headers["Retry-After"]) == (503, "7")


@pytest.mark.parametrize(
    ("headers", "status", "message"),
    [
        ({}, 401, "unauthorized access"),
        ({"Authorization": "Basic eA=="}, 400, "invalid authorization header"),
        ({"Authorization": "Bearer a b"}, 400, "invalid authorization header"),
        ({"Authorization": "Bearer a.b.c"}, 401, "JWT is invalid"),
        (bearer(exp=1), 400, "JWT has invalid claims"),
        (bearer(leases={"access": "scoped", "scope": ["logs"]}), 401, "unauthorized access"),
        (granular("send-manifest", dseq=101), 401, "unauthorized access"),
    ],
)
def test_bad_credentials_are_answered_in_json(
    served: Gateway, headers: dict[str, str], status: int, message: str
) -> None:
    found, body, sent = served.request("PUT", "/deployment/100/manifest", headers, b"[]")
    assert (found, json.loads(body)) == (status, {"message": message})
    assert sent["Content-Type"] == "application/json; charset=UTF-8"
    assert not served.submissions.taken


@pytest.mark.parametrize(
    ("scope", "path"),
    [("logs", "status"), ("status", "logs"), ("status", "kubeevents"), ("status", "manifest")],
)
def test_another_action_is_not_permitted(served: Gateway, scope: str, path: str) -> None:
    headers = bearer(leases={"access": "scoped", "scope": [scope]})
    assert served.request("GET", f"{LEASE}/{path}", headers)[0] == 401


def test_token_and_certificate_together_are_ambiguous(served: Gateway) -> None:
    status, body, _ = served.request("GET", f"{LEASE}/status", bearer(), certificate="alice")
    assert (status, b"ambiguous" in body) == (400, True)


@pytest.mark.parametrize("certificate", ["bob", "alice-typescript", "alice-expired"])
def test_a_certificate_that_is_not_on_the_chain_is_refused(served: Gateway, certificate: str) -> None:
    status, body, _ = served.request("GET", f"{LEASE}/status", certificate=certificate)
    assert (status, b"the client certificate is refused" in body) == (401, True)


def test_the_status_of_a_lease_and_its_services(served: Gateway) -> None:
    status, body, headers = served.request("GET", f"{LEASE}/status", bearer())
    found = json.loads(body)
    assert (status, headers["Content-Type"]) == (200, "application/json; charset=UTF-8")
    assert found["services"].keys() == {"web", "db"}
    assert found["services"]["web"] == {
        "name": "web", "available": 1, "total": 2, "uris": ["shop.example.com"], "observed_generation": 1,
        "replicas": 2, "updated_replicas": 2, "ready_replicas": 1, "available_replicas": 1,
    }  # fmt: skip
    port = {
        "host": "provider.example.com",
        "port": 7000,
        "externalPort": 31234,
        "proto": "UDP",
        "name": "web",
    }
    assert found["forwarded_ports"] == {"web": [port]}
    ip = {"Port": 443, "ExternalPort": 443, "Protocol": "TCP", "IP": "203.0.113.9"}
    assert found["ips"] == {"db": [ip]}
    status, body, _ = served.request("GET", f"{LEASE}/service/web/status", bearer())
    assert (status, json.loads(body)) == (200, found["services"]["web"])


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/lease/100/1/3/status", 404, b""),
        ("/lease/200/1/1/status", 404, b""),  # bob's
        ("/lease/99999999999999999999/1/1/status", 404, b""),
        ("/lease/200/1/1/manifest", 404, b"lease not found\n"),
        ("/lease/200/1/1/logs", 404, b"lease not found\n"),
        (f"{LEASE}/service/a/b%20c?d/status", 404, b"not found\n"),
        (f"{LEASE}/service/none/status", 404, b"service not found\n"),
        (f"{LEASE}/shell", 501, b"this provider offers no shell; read logs instead\n"),
        ("/", 404, b"not found\n"),
        ("//status", 404, b"not found\n"),
        (f"{LEASE}/logs", 400, None),
    ],
)
def test_what_is_not_there(served: Gateway, path: str, status: int, body: bytes | None) -> None:
    found, text, _ = served.request("GET", path, bearer())
    assert found == status
    assert body is None or text == body


def test_services_of_a_token_limit_what_is_shown(served: Gateway) -> None:
    headers = granular("status", "get-manifest", "send-manifest")
    found = json.loads(served.request("GET", f"{LEASE}/status", headers)[1])
    assert found["services"].keys() == {"web"}
    assert served.request("GET", f"{LEASE}/service/db/status", headers)[0] == 404
    assert served.request("GET", f"{LEASE}/manifest", headers)[0] == 401
    manifest = json.dumps([{"name": "g", "services": [{"name": "db"}]}]).encode()
    assert served.request("PUT", "/deployment/100/manifest", headers, manifest)[0] == 401
    assert (
        served.request("PUT", "/deployment/100/manifest", headers, manifest.replace(b"db", b"web"))[0] == 200
    )


def test_the_manifest_in_force_is_shown_to_its_owner(served: Gateway) -> None:
    status, body, headers = served.request("GET", f"{LEASE}/manifest", bearer())
    assert (status, body, headers["Content-Type"]) == (200, b"[]", "application/json; charset=UTF-8")
    served.submissions.group = None
    assert served.request("GET", f"{LEASE}/manifest", bearer())[:2] == (404, b"lease not found\n")


def test_open_routes(served: Gateway) -> None:
    status = json.loads(served.request("GET", "/status")[1])
    assert status["cluster"] == {"leases": 2, "inventory": {"active": 2, "pending": 0}}
    assert (status["bidengine"], status["manifest"]) == ({"orders": 1}, {"deployments": 2})
    assert json.loads(served.request("GET", "/address")[1]) == {"address": PROVIDER}
    assert served.request("GET", "/version")[0] == 200
    assert served.request("POST", "/hostname/migrate", body=b"{}")[0] == 501


def test_the_portal_s_routes_show_the_caller_s_deployments(served: Gateway) -> None:
    alices, bobs = workload_id(ALICES), workload_id(BOBS)
    status, body, headers = served.request("GET", "/api/v1/deployments?limit=5&status=active", bearer())
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert [each["id"] for each in json.loads(body)["deployments"]] == [alices]
    found = json.loads(served.request("GET", f"/api/v1/deployments/{alices}/status", bearer())[1])
    assert (found["lease_id"], len(found["services"])) == (str(ALICES), 2)
    status, body, _ = served.request("GET", f"/api/v1/deployments/{bobs}", bearer())
    assert (status, json.loads(body)["message"]) == (404, "deployment not found")
    assert served.request("GET", f"/api/v1/deployments/{alices}/metrics", bearer())[0] == 200
    assert served.request("POST", f"/api/v1/deployments/{alices}/actions", bearer(), b"{}")[0] == 501
    assert json.loads(served.request("GET", "/api/v1/health")[1])["status"] == "ok"


def test_a_browser_s_preflight_permits_the_signed_headers(served: Gateway) -> None:
    headers = {
        "Origin": "https://portal.example.com",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "x-ve-address,x-ve-nonce,x-ve-pubkey,x-ve-signature,x-ve-timestamp",
    }
    status, _, sent = served.request("OPTIONS", "/api/v1/deployments", headers)
    allowed = {each.strip().lower() for each in sent["Access-Control-Allow-Headers"].split(",")}
    assert status == 204
    assert set(headers["Access-Control-Request-Headers"].split(",")) <= allowed
