"""Signed notices to an HTTP receiver."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.values.backoff import RemoteFailure, wait_seconds
from reconciler.values.ids import workload_id
from reconciler.values.listen_address import LOOPBACK
from reconciler.values.outcomes import Done, Failed, Outcome, Unknown
from reconciler.values.plans import NotifyTenant
from reconciler.values.retry_after import requested_wait_seconds

TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Receiver:
    """An https URL, or http on this machine; `secret_file` signs each body (`X-Signature-256`)."""

    url: str
    secret_file: Path | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise ValueError(f"{self.url} is not encrypted; write https://")


@dataclass(slots=True)
class Webhook:
    """Implements `ports.Notifier`; sends nothing before the time that a Retry-After requests. Thread-safe."""

    receiver: Receiver
    clock: Callable[[], float] = time.monotonic
    _paused_until: float = 0

    def notify(self, notice: NotifyTenant) -> Outcome:
        """Send it; Unknown during a wait that the receiver requested."""
        if self.clock() < self._paused_until:
            return Unknown("the receiver limits its rate; the notice is sent later")
        return self._post(notice)

    def _post(self, notice: NotifyTenant) -> Outcome:
        body = json.dumps(body_of(notice), separators=(",", ":")).encode()
        try:
            status, headers = self._send(body)
        except (OSError, http.client.HTTPException) as error:
            return Failed("ReceiverSilent", f"the receiver of notices does not answer: {error}")
        if 200 <= status < 300:
            return Done()
        if wait := requested_wait_seconds(status, headers, time.time()):
            self._paused_until = max(self._paused_until, self.clock() + wait)
        elif status == http.HTTPStatus.TOO_MANY_REQUESTS:
            self._paused_until = self.clock() + wait_seconds(RemoteFailure.RATE_LIMITED, 1)
        return Failed("ReceiverRefused", f"the receiver of notices answered {status}")

    def _send(self, body: bytes) -> tuple[int, Mapping[str, str]]:
        parts = urlsplit(self.receiver.url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_SECONDS)
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(parts.netloc, timeout=TIMEOUT_SECONDS, context=context)
        headers = {"Content-Type": "application/json"}
        if self.receiver.secret_file is not None:
            secret = self.receiver.secret_file.read_bytes().strip()
            headers["X-Signature-256"] = f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}
        finally:
            connection.close()


def body_of(notice: NotifyTenant) -> dict[str, object]:
    """The JSON body; a repeated notice has the same `key`."""
    return {
        "event": "escrow",
        "key": f"{notice.lease}/{notice.left.state}",
        "state": notice.left.state.value,
        "lease": str(notice.lease),
        "tenant": notice.lease.order.owner,
        "workload": workload_id(notice.lease),
        "blocks_left": notice.left.blocks_left,
        "seconds_left": notice.left.seconds_left,
    }
