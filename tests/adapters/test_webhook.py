"""Notices to a receiver."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from reconciler.adapters.webhook import Receiver, Webhook
from reconciler.values.funding import Funding, TimeLeft
from reconciler.values.outcomes import Done, Failed, Unknown
from reconciler.values.plans import NotifyTenant
from tests.makers import lease_id

NOTICE = NotifyTenant(lease_id(), TimeLeft(Funding.LOW, 30, 150))
SOON_SECONDS = 10
Received = list[tuple[bytes, str | None]]


@contextmanager
def receiver(status: int = 204, headers: Mapping[str, str] | None = None) -> Iterator[tuple[str, Received]]:
    """A server with this response; its URL, and the bodies and signatures that it received."""
    received: Received = []

    class Server(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((body, self.headers["X-Signature-256"]))
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/notices?from=us", received
    finally:
        server.shutdown()
        server.server_close()


def test_a_notice_is_sent_once_and_signed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hush\n")
    with receiver() as (url, received):
        webhook = Webhook(Receiver(url, secret))
        assert webhook.notify(NOTICE) == Done()
    [(body, signature)] = received
    assert signature == "sha256=" + hmac.new(b"hush", body, hashlib.sha256).hexdigest()
    assert json.loads(body) == {
        "event": "escrow",
        "key": "ve1alice/1/1/1/ve1us/low",
        "state": "low",
        "lease": "ve1alice/1/1/1/ve1us",
        "tenant": "ve1alice",
        "workload": "1-1-1-o4aheqaov7",
        "blocks_left": 30,
        "seconds_left": 150,
    }


def test_a_rejected_notice_is_sent_again() -> None:
    with receiver(503) as (url, received):
        webhook = Webhook(Receiver(url))
        assert webhook.notify(NOTICE) == Failed("ReceiverRefused", "the receiver of notices answered 503")
        webhook.notify(NOTICE)
    assert [signature for _, signature in received] == [None, None]


@pytest.mark.parametrize(("status", "headers", "wait"), [(429, {"Retry-After": "40"}, 40), (429, {}, 300)])
def test_a_rate_limit_is_respected(status: int, headers: dict[str, str], wait: int) -> None:
    seconds = [0.0]
    with receiver(status, headers) as (url, received):
        webhook = Webhook(Receiver(url), clock=lambda: seconds[0])
        assert isinstance(webhook.notify(NOTICE), Failed)
        seconds[0] = wait - 1
        assert isinstance(webhook.notify(NOTICE), Unknown)
        assert len(received) == 1
        seconds[0] = wait + 1
        assert isinstance(webhook.notify(NOTICE), Failed)
    assert len(received) == 2


def test_an_unreachable_receiver_is_reported() -> None:
    webhook = Webhook(Receiver("http://127.0.0.1:9/x"))
    outcome = webhook.notify(NOTICE)
    assert isinstance(outcome, Failed)
    assert outcome.why.startswith("the receiver of notices does not answer: ")


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://127.0.0.1/x", "example.com"])
def test_an_unencrypted_url_is_rejected(url: str) -> None:
    with pytest.raises(ValueError, match=r"is not encrypted; write https://"):
        Receiver(url)
