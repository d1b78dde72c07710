"""Routes that wake the loop: authentication, effect, and rate limit."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.api.server import ServeError
from reconciler.api.startup import Started
from reconciler.journal.errors import JournalError
from reconciler.runtime.rate_limit import Rate
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.snapshot import Snapshot
from reconciler.values.views import ReconcileView
from tests.api.fake_sources import UNLIMITED, WakeCounter, serve
from tests.api.http_client import http_request

SECRET = "a secret that the forge knows as well"
BODY = b'{"ref": "refs/heads/main", "evil": "' + b"x" * 5_000 + b'"}'
RECONCILE, HOOK = "/api/v1/reconcile", "/hooks/git"


def sign(body: bytes = BODY, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "hook"
    path.write_text(f"{SECRET}\nnever read\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def with_webhook(secret: Path, wake: WakeCounter) -> Iterator[Started]:
    running = serve(wake=wake, webhook_secret=secret)
    yield running
    running.stop()


def test_reconcile_wakes_the_loop(servers: Started, wake: WakeCounter) -> None:
    response = http_request(servers.ports.api, RECONCILE, "POST")
    response.view(ReconcileView)
    assert (response.code, wake.count) == (202, 1)
    assert response.tree == {"cycle_finished_at": "2027-01-15T07:59:59Z"}


def test_reconcile_is_accepted_before_the_first_cycle(servers: Started, snapshots: SnapshotStore) -> None:
    snapshots.publish(Snapshot())
    assert http_request(servers.ports.api, RECONCILE, "POST").tree["cycle_finished_at"] is None


def test_many_requests_cause_few_wakes_the_last_included(
    servers: Started, wake: WakeCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.runtime.reconcile_trigger.INTERVAL_SECONDS", 0.5)
    assert {http_request(servers.ports.api, RECONCILE, "POST").code for _ in range(30)} == {202}
    assert wake.count == 1
    time.sleep(0.8)
    assert wake.count == 2


def test_a_request_that_cannot_be_stored_is_an_error(servers: Started, wake: WakeCounter) -> None:
    wake.fails = JournalError("the journal cannot be used: disk full")
    response = http_request(servers.ports.api, RECONCILE, "POST")
    assert (response.code, response.tree["error"]) == (
        503,
        "the request could not be stored: the journal cannot be used: disk full",
    )


def test_only_post_wakes_the_loop(servers: Started, wake: WakeCounter) -> None:
    response = http_request(servers.ports.api, RECONCILE)
    assert (response.code, response.tree["advice"], wake.count) == (405, "use POST", 0)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example.org"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_requests_of_another_site_do_not_wake_the_loop(
    servers: Started, wake: WakeCounter, headers: dict[str, str]
) -> None:
    response = http_request(servers.ports.api, RECONCILE, "POST", None, **headers)
    assert (response.code, wake.count) == (403, 0)
    logs = http_request(servers.ports.api, "/api/v1/journal", "GET", None, **headers)
    assert logs.code == 403


def test_requests_of_the_page_wake_the_loop(servers: Started) -> None:
    at = servers.ports.api
    headers = {"Origin": f"http://127.0.0.1:{at.port}", "Sec_Fetch_Site": "same-origin"}
    assert http_request(at, RECONCILE, "POST", None, **headers).code == 202


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Hub_Signature_256": f"sha256={sign()}"},
        {"X_Gitea_Signature": sign()},
        {"X_Gitea_Signature": sign().upper()},
        {"X_Gitlab_Token": SECRET},
    ],
)
def test_a_webhook_with_a_valid_signature_wakes_the_loop(
    with_webhook: Started, wake: WakeCounter, headers: dict[str, str]
) -> None:
    assert http_request(with_webhook.ports.api, HOOK, "POST", BODY, **headers).code == 202
    assert wake.count == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X_Hub_Signature_256": f"sha256={sign(BODY + b' ')}"},
        {"X_Hub_Signature_256": f"sha256={sign(secret='another secret, as long')}"},
        {"X_Hub_Signature_256": "sha256="},
        {"X_Hub_Signature": sign()},
        {"X_Gitea_Signature": "\xff\xfe"},
        {"X_Gitlab_Token": SECRET[:-1]},
        {"X_Gitlab_Token": "", "X_Gitea_Signature": sign()},
    ],
)
def test_a_webhook_with_a_wrong_signature_is_refused(
    with_webhook: Started, wake: WakeCounter, headers: dict[str, str]
) -> None:
    response = http_request(with_webhook.ports.api, HOOK, "POST", BODY, **headers)
    assert (response.code, wake.count) == (403, 0)
    assert response.tree["error"] == "the signature does not match the webhook secret"
    assert SECRET.encode() not in response.body


def test_a_replayed_webhook_only_causes_another_cycle(
    with_webhook: Started, wake: WakeCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.runtime.reconcile_trigger.INTERVAL_SECONDS", 60)
    headers = {"X_Hub_Signature_256": f"sha256={sign()}"}
    codes = {http_request(with_webhook.ports.api, HOOK, "POST", BODY, **headers).code for _ in range(20)}
    assert (codes, wake.count) == ({202}, 1)


def test_the_body_of_a_webhook_is_not_parsed(with_webhook: Started, wake: WakeCounter) -> None:
    for body in (b"", b"{" * 100_000, b"\xff" * 10):
        assert (
            http_request(with_webhook.ports.api, HOOK, "POST", body, X_Gitea_Signature=sign(body)).code == 202
        )
    assert wake.count >= 1


def test_wrong_signatures_are_rate_limited(secret: Path) -> None:
    started = serve(webhook_secret=secret, rates=replace(UNLIMITED, failure=Rate(0.001, 2)))
    try:
        codes = [
            http_request(started.ports.api, HOOK, "POST", BODY, X_Gitlab_Token=str(n)).code for n in range(4)
        ]
        assert codes == [403, 403, 429, 429]
        assert http_request(started.ports.api, HOOK, "POST", BODY, X_Gitlab_Token=SECRET).code == 202
    finally:
        started.stop()


def test_without_a_secret_there_is_no_webhook(servers: Started, wake: WakeCounter) -> None:
    response = http_request(servers.ports.api, HOOK, "POST", BODY, X_Gitlab_Token="")
    assert (response.code, response.tree["advice"], wake.count) == (
        404,
        "set listen.webhook_secret in the host file",
        0,
    )


@pytest.mark.parametrize(
    ("text", "mode", "sentence"),
    [
        ("short", 0o600, r"hook is shorter than 20 characters; write a longer one"),
        (SECRET, 0o640, r"other users may read .*hook; run chmod 600"),
        ("\0" * 100_000, 0o600, r"is longer than 65536 bytes; this is not a secret file"),
    ],
)
def test_an_invalid_secret_file_is_refused_at_the_start(
    secret: Path, text: str, mode: int, sentence: str
) -> None:
    secret.write_text(text)
    secret.chmod(mode)
    with pytest.raises(ServeError, match=sentence):
        serve(webhook_secret=secret)
