"""Notices to a receiver over HTTP, signed; sent in a thread of their own, so that one that hangs holds up
nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import ssl
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.values.backoff import RemoteFailure, wait_seconds
from reconciler.values.ids import workload_id
from reconciler.values.outcomes import Done, Failed, Outcome, Unknown
from reconciler.values.plans import NotifyTenant, effect_key
from reconciler.values.retry_after import requested_wait_seconds
from reconciler.values.subjects import EffectKey

TIMEOUT_SECONDS = 10
AT_ONCE = 2
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where notices go: https, or http on this machine; `secret_file` signs each body (`X-Signature-256`)."""

    url: str
    secret_file: Path | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
            return
        raise ValueError(f"{self.url} is not encrypted; write https://")


@dataclass(slots=True)
class Webhook:
    """`ports.Notifier`: the first call sends, later ones with the same key give what came of it; nothing is
    sent for as long as a Retry-After requests.
    """

    receiver: Receiver
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(AT_ONCE, "notices"))
    clock: Callable[[], float] = time.monotonic
    _sent: dict[EffectKey, Future[Outcome]] = field(default_factory=dict)
    _rests_until: float = 0

    def tell(self, notice: NotifyTenant) -> Outcome:
        """Unknown while it is on its way, then its outcome, once."""
        sent = self._sent.get(effect_key(notice))
        if sent is None and self.clock() < self._rests_until:
            return Unknown("the receiver limits how often it is contacted, and is left alone for a while")
        if sent is None:
            sent = self._sent[effect_key(notice)] = self._threads.submit(self._post, notice)
        if not sent.done():
            return Unknown("the notice is on its way")
        del self._sent[effect_key(notice)]
        return sent.result()

    def close(self) -> None:
        """Send no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _post(self, notice: NotifyTenant) -> Outcome:
        body = json.dumps(body_of(notice), separators=(",", ":")).encode()
        try:
            status, headers = self._send(body)
        except (OSError, http.client.HTTPException) as error:
            return Failed("ReceiverSilent", f"the receiver of notices does not answer: {error}")
        if 200 <= status < 300:
            return Done()
        if wait := requested_wait_seconds(status, headers, time.time()):
            self._rests_until = max(self._rests_until, self.clock() + wait)
        elif status == http.HTTPStatus.TOO_MANY_REQUESTS:
            self._rests_until = self.clock() + wait_seconds(RemoteFailure.RATE_LIMITED, 1)
        return Failed("ReceiverRefused", f"the receiver of notices answered {status}")

    def _send(self, body: bytes) -> tuple[int, Mapping[str, str]]:
        parts = urlsplit(self.receiver.url)
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(parts.netloc, timeout=TIMEOUT_SECONDS, context=context)
        else:
            connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_SECONDS)
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, body, {"Content-Type": "application/json", **self._signed(body)})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}
        finally:
            connection.close()

    def _signed(self, body: bytes) -> dict[str, str]:
        if self.receiver.secret_file is None:
            return {}
        secret = self.receiver.secret_file.read_bytes().strip()
        return {"X-Signature-256": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()}


def body_of(notice: NotifyTenant) -> dict[str, object]:
    """What the receiver gets; `key` is the same however often a notice is sent."""
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
