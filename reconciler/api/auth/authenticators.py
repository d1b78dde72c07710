"""Who may ask: on this machine whoever names it rightly, elsewhere who proves a token or a certificate."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import logging
import time
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from aiohttp import web

from reconciler.api.auth.rate_limit import Rate, RateLimiter, Rates
from reconciler.api.connection_limits import client_of
from reconciler.api.responses import Reply, error_reply
from reconciler.api.routes.routing import RouteAccess
from reconciler.runtime.secret_files import SecretFile, Token

log = logging.getLogger(__name__)

FOR_PROGRAMS = 'Bearer realm="provider-daemon"'
FOR_BROWSERS = 'Basic realm="provider-daemon", charset="UTF-8"'
"""A browser asks for the token as a password, whatever the name; it reads one challenge, not two."""

TOKEN_MAX = 512
WARNINGS = Rate(1 / 60, 5)
"""Log lines about one client's wrong tokens."""


class Authenticator(Protocol):
    """Judges requests before anything is done for them."""

    def refusal(self, request: web.Request, access: RouteAccess) -> Reply | None:
        """Why this request is not answered; None: it is."""

    def trusts(self, request: web.Request) -> bool:
        """Whether who asks may see everything, also where anyone may ask."""


class LocalAuthenticator:
    """Only this machine reaches us: no proof is asked for, but a page in a browser can point a name of its
    own at 127.0.0.1, and such a name is not ours.
    """

    def refusal(self, request: web.Request, access: RouteAccess) -> Reply | None:
        host = request.headers.get("Host")
        if host is not None and not _is_ours(host):
            return error_reply(421, f"this API is not at {host[:200]}", "ask by address, or as localhost")
        return _from_elsewhere(request, access)

    def trusts(self, request: web.Request) -> bool:
        return True


class RemoteAuthenticator:
    """Others reach us: a token or a certificate that the connection has proven."""

    def __init__(self, tokens: SecretFile[tuple[Token, ...]] | None, now: Callable[[], int]) -> None:
        self._tokens = tokens
        self._now = now
        self._warnings = RateLimiter(WARNINGS)

    def refusal(self, request: web.Request, access: RouteAccess) -> Reply | None:
        if access in (RouteAccess.OPEN, RouteAccess.HOOK):
            return None
        return self._unproven(request) or _from_elsewhere(request, access)

    def trusts(self, request: web.Request) -> bool:
        return self._unproven(request) is None

    def _unproven(self, request: web.Request) -> Reply | None:
        transport = request.transport
        if transport is not None and transport.get_extra_info("peercert"):
            return None
        given = _given(request)
        is_browser = "Sec-Fetch-Mode" in request.headers or "text/html" in request.headers.get("Accept", "")
        challenge = FOR_BROWSERS if is_browser else FOR_PROGRAMS
        if not given:
            return error_reply(
                401,
                "this address answers those who prove who they are",
                "send a token as `Authorization: Bearer TOKEN`, or show a client certificate",
                WWW_Authenticate=challenge,
            )
        token = next((t for t in self._tokens.content if t.is_of(given)), None) if self._tokens else None
        if token is not None and (token.until is None or self._now() < token.until):
            return None
        if token is not None:
            self._warn(request, f"the token of {token.name} has expired and was used")
            sentence, advice = "the token has expired", "ask the provider's operator for a new one"
        else:
            self._warn(request, "a wrong token was shown")
            sentence, advice = "the token is not known here", "see that it is whole, or ask for a new one"
        return error_reply(401, sentence, advice, WWW_Authenticate=challenge)

    def _warn(self, request: web.Request, words: str) -> None:
        """Log it, unless this client has filled enough of the log."""
        if not self._warnings.take(client_of(request.remote or ""), time.monotonic()):
            log.warning("%s by %s", words, request.remote)


class RateLimitedAuth:
    """A door that no peer passes too often, and where none tries keys for long; good keys still open it."""

    def __init__(
        self, door: Authenticator, rates: Rates, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._door = door
        self._clock = clock
        self._failures = RateLimiter(rates.failure)
        self._meters = {
            RouteAccess.OPEN: RateLimiter(rates.read),
            RouteAccess.READ: RateLimiter(rates.read),
            RouteAccess.EXPENSIVE: RateLimiter(rates.dear),
            RouteAccess.WRITE: RateLimiter(rates.ask),
            RouteAccess.HOOK: RateLimiter(rates.ask),
        }

    def refusal(self, request: web.Request, access: RouteAccess) -> Reply | None:
        peer, now = client_of(request.remote or ""), self._clock()
        if wait := self._meters[access].take(peer, now):
            return _too_often(wait)
        refusal = self._door.refusal(request, access)
        return self.failed(request, refusal) if refusal and refusal.code == 401 else refusal

    def trusts(self, request: web.Request) -> bool:
        return self._door.trusts(request)

    def failed(self, request: web.Request, refusal: Reply) -> Reply:
        """The answer to a peer that has not proven itself: after many such, that it asks too often."""
        wait = self._failures.take(client_of(request.remote or ""), self._clock())
        return _too_often(wait) if wait else refusal


def _too_often(wait_seconds: float) -> Reply:
    seconds = max(1, int(wait_seconds + 0.999))
    return error_reply(
        429, "you ask too often", f"ask again in {seconds} seconds, and seldomer", Retry_After=str(seconds)
    )


def _given(request: web.Request) -> str:
    """The token that a request shows; "" for none."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if len(rest) > TOKEN_MAX:
        return "too long"
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return "unreadable"


def _from_elsewhere(request: web.Request, access: RouteAccess) -> Reply | None:
    """A browser that another site's page sends here may look at the page, and do nothing."""
    if access not in (RouteAccess.WRITE, RouteAccess.EXPENSIVE):
        return None
    site = request.headers.get("Sec-Fetch-Site", "none")
    origin = request.headers.get("Origin")
    if site in ("same-origin", "none") and (origin is None or _netloc(origin) == request.host):
        return None
    return error_reply(403, "another site's page may not ask this", "ask from the page at /, or with curl")


def _netloc(url: str) -> str | None:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return None


def _is_ours(host: str) -> bool:
    """Whether a Host header names an address, or localhost."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ipaddress.ip_address(name))
    except ValueError:
        return False
