"""Authentication: none on loopback, a token or client certificate on remote addresses."""

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

from reconciler.api.responses import ApiResponse, error_response
from reconciler.api.routes.routing import RouteAccess
from reconciler.runtime.connection_limits import client_of
from reconciler.runtime.rate_limit import Rate, RateLimiter, Rates
from reconciler.runtime.secret_files import SecretFile, Token

log = logging.getLogger(__name__)

BEARER_CHALLENGE = 'Bearer realm="provider-daemon"'
BASIC_CHALLENGE = 'Basic realm="provider-daemon", charset="UTF-8"'
"""Browsers take the token as the password, with any user name; they read one challenge only."""

TOKEN_MAX_CHARACTERS = 512
WARNINGS = Rate(1 / 60, 5)
"""Rate of log lines about one client's invalid tokens."""


class Authenticator(Protocol):
    """Authenticates a request before it is handled."""

    def refusal(self, request: web.Request, access: RouteAccess) -> ApiResponse | None:
        """The error for a request that is not allowed; None: it is allowed."""

    def trusts(self, request: web.Request) -> bool:
        """Whether the client is authenticated, also on routes that are open to anyone."""


class LocalAuthenticator:
    """For loopback addresses: no authentication, but only own host names, because a web page can resolve its
    own name to 127.0.0.1 (DNS rebinding).
    """

    def refusal(self, request: web.Request, access: RouteAccess) -> ApiResponse | None:
        host = request.headers.get("Host")
        if host is not None and not _is_own_name(host):
            return error_response(421, f"this API is not at {host[:200]}", "use its IP address or localhost")
        return _cross_site(request, access)

    def trusts(self, request: web.Request) -> bool:
        return True


class RemoteAuthenticator:
    """For remote addresses: a token, or a client certificate that TLS has verified."""

    def __init__(self, tokens: SecretFile[tuple[Token, ...]] | None, now: Callable[[], int]) -> None:
        self._tokens = tokens
        self._now = now
        self._warnings = RateLimiter(WARNINGS)

    def refusal(self, request: web.Request, access: RouteAccess) -> ApiResponse | None:
        if access in (RouteAccess.OPEN, RouteAccess.HOOK):
            return None
        return self._unauthenticated(request) or _cross_site(request, access)

    def trusts(self, request: web.Request) -> bool:
        return self._unauthenticated(request) is None

    def _unauthenticated(self, request: web.Request) -> ApiResponse | None:
        transport = request.transport
        if transport is not None and transport.get_extra_info("peercert"):
            return None
        token_text = _token_text(request)
        is_browser = "Sec-Fetch-Mode" in request.headers or "text/html" in request.headers.get("Accept", "")
        challenge = BASIC_CHALLENGE if is_browser else BEARER_CHALLENGE
        if not token_text:
            return error_response(
                401,
                "authentication is required",
                "send a token as `Authorization: Bearer TOKEN`, or a client certificate",
                WWW_Authenticate=challenge,
            )
        token = (
            next((t for t in self._tokens.content if t.matches(token_text)), None) if self._tokens else None
        )
        if token is not None and (token.until is None or self._now() < token.until):
            return None
        if token is not None:
            self._warn(request, f"the token of {token.name} has expired and was used")
            error, advice = "the token has expired", "get a new one from the provider's operator"
        else:
            self._warn(request, "a wrong token was used")
            error, advice = "the token is unknown", "check that it is complete, or get a new one"
        return error_response(401, error, advice, WWW_Authenticate=challenge)

    def _warn(self, request: web.Request, message: str) -> None:
        """Log it, within the rate of log lines for this client."""
        if not self._warnings.take(client_of(request.remote or ""), time.monotonic()):
            log.warning("%s by %s", message, request.remote)


class RateLimitedAuth:
    """Limits each client's requests and its failed authentications; valid tokens still work after those."""

    def __init__(
        self, authenticator: Authenticator, rates: Rates, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._authenticator = authenticator
        self._clock = clock
        self._failures = RateLimiter(rates.failure)
        self._limiters = {
            RouteAccess.OPEN: RateLimiter(rates.read),
            RouteAccess.READ: RateLimiter(rates.read),
            RouteAccess.EXPENSIVE: RateLimiter(rates.expensive),
            RouteAccess.WRITE: RateLimiter(rates.write),
            RouteAccess.HOOK: RateLimiter(rates.write),
        }

    def refusal(self, request: web.Request, access: RouteAccess) -> ApiResponse | None:
        client, now = client_of(request.remote or ""), self._clock()
        if wait := self._limiters[access].take(client, now):
            return _rate_exceeded(wait)
        refusal = self._authenticator.refusal(request, access)
        return self.failed(request, refusal) if refusal and refusal.code == 401 else refusal

    def trusts(self, request: web.Request) -> bool:
        return self._authenticator.trusts(request)

    def failed(self, request: web.Request, refusal: ApiResponse) -> ApiResponse:
        """The response to a failed authentication; after many, that the rate limit is exceeded."""
        wait = self._failures.take(client_of(request.remote or ""), self._clock())
        return _rate_exceeded(wait) if wait else refusal


def _rate_exceeded(wait_seconds: float) -> ApiResponse:
    seconds = max(1, int(wait_seconds + 0.999))
    return error_response(429, "rate limit exceeded", f"retry after {seconds} s", Retry_After=str(seconds))


def _token_text(request: web.Request) -> str:
    """The token of a request; "" for none."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if len(rest) > TOKEN_MAX_CHARACTERS:
        return "too long"
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return "unreadable"


def _cross_site(request: web.Request, access: RouteAccess) -> ApiResponse | None:
    """Reject expensive reads and writes that a browser sends for another site's page."""
    if access not in (RouteAccess.WRITE, RouteAccess.EXPENSIVE):
        return None
    site = request.headers.get("Sec-Fetch-Site", "none")
    origin = request.headers.get("Origin")
    if site in ("same-origin", "none") and (origin is None or _netloc(origin) == request.host):
        return None
    message = "requests from another site's page are not allowed"
    return error_response(403, message, "use the page at /, or curl")


def _netloc(url: str) -> str | None:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return None


def _is_own_name(host: str) -> bool:
    """Whether a Host header is an IP address or localhost."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ipaddress.ip_address(name))
    except ValueError:
        return False
