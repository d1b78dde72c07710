"""Refused requests of tenants: what they are answered, and what is logged, at most once a minute for each."""

from __future__ import annotations

import json
import logging
import time

from aiohttp import web

from reconciler.runtime.rate_limit import Rate, RateLimiter
from reconciler.values.text import one_line

log = logging.getLogger(__name__)

JSON_TYPE = "application/json; charset=UTF-8"
TEXT_TYPE = "text/plain; charset=utf-8"
LOG_RATE = Rate(1 / 60, 1)
UNAUTHORIZED = "unauthorized access"


class GatewayRefusal(Exception):  # noqa: N818  # an answer, not a fault
    """A request that is not served. `message` is for the tenant, `cause` for the log ("": the same), neither
    with credentials. `about` names the account as far as it is known; `retry_seconds` 0: never.
    """

    def __init__(
        self, status: int, message: str, *, cause: str = "", retry_seconds: int = 0, about: str = ""
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.retry_seconds = status, message, retry_seconds
        self.cause, self.about = cause or message, about


def response_of(refusal: GatewayRefusal) -> web.Response:
    """Authentication errors are JSON, others one line of text, as the recorded client prints both."""
    headers = {"Retry-After": str(refusal.retry_seconds)} if refusal.retry_seconds else {}
    if refusal.status in (400, 401):
        body = json.dumps({"message": refusal.message}, separators=(",", ":"))
        return web.Response(status=refusal.status, body=body, headers={**headers, "Content-Type": JSON_TYPE})
    text = f"{refusal.message}\n" if refusal.message else ""
    return web.Response(
        status=refusal.status, body=text.encode(), headers={**headers, "Content-Type": TEXT_TYPE}
    )


class RefusalLog:
    """Logs refusals, of each account or network address at most once a minute."""

    def __init__(self) -> None:
        self._rate = RateLimiter(LOG_RATE)

    def note(self, client: str, request: str, refusal: GatewayRefusal) -> None:
        """Log a refused request, such as `PUT /deployment/1/manifest`."""
        if self._rate.take(refusal.about or client, time.monotonic()):
            return
        who = f"{one_line(refusal.about, 100)} at {client}" if refusal.about else client
        cause = one_line(refusal.cause)
        log.warning("refused %s of %s with %d: %s", one_line(request, 200), who, refusal.status, cause)
