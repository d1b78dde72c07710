"""Requests of tenants: their limits, their callers, and the bodies that they send."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import web
from cryptography import x509

from reconciler.gateway.authentication import Authentication, Caller, Credentials
from reconciler.gateway.counters import GatewayCounters
from reconciler.gateway.lease_directory import LeaseDirectory
from reconciler.gateway.permissions import Scope
from reconciler.gateway.refusals import UNAUTHORIZED, GatewayRefusal
from reconciler.gateway.tls import TlsConnection
from reconciler.runtime.bounded_executor import BoundedExecutor, ExecutorBusyError
from reconciler.runtime.connection_limits import client_of
from reconciler.runtime.rate_limit import Rate, RateLimiter
from reconciler.values.ids import LeaseId
from reconciler.values.integers import UINT32_MAX, UINT64_MAX
from reconciler.values.views import WorkloadView

BODY_MAX_BYTES = 1 << 20
BODY_SECONDS = 15.0
"""Time for the whole body."""

AUTHENTICATION_THREADS, AUTHENTICATION_QUEUE = 8, 512
BUSY_SECONDS = 5
"""After how many seconds a client may retry what had no room."""

LEASE = r"/lease/{dseq:[0-9]{1,20}}/{gseq:[0-9]{1,10}}/{oseq:[0-9]{1,10}}"
"""The path of a lease of the caller's account here."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class LeaseRequest:
    """A request about an active lease of the caller."""

    caller: Caller
    lease: LeaseId
    workload: WorkloadView

    def permits(self, scope: Scope, service: str) -> bool:
        """Whether the caller may do this with a service."""
        return scope in self.caller.permissions.on_service(self.lease, service)

    def permits_all(self, scope: Scope) -> bool:
        """Whether the caller may do this with every service, whatever its name."""
        return self.permits(scope, "")


class Requests:
    """Finds out who sends a request, and about which lease; used on the listener's event loop."""

    def __init__(
        self, authentication: Authentication, leases: LeaseDirectory, counters: GatewayCounters, rate: Rate
    ) -> None:
        self.leases = leases
        self.counters = counters
        self._authentication = authentication
        self._executor = BoundedExecutor(
            "gateway-auth", AUTHENTICATION_THREADS, AUTHENTICATION_QUEUE, timeout_seconds=10.0
        )
        self._rate = RateLimiter(rate)

    def close(self) -> None:
        """Stop the threads."""
        self._executor.close()

    def admit(self, request: web.Request) -> None:
        """Count a request; GatewayRefusal if its network address sends too many."""
        if wait := self._rate.take(client_of(request.remote or ""), time.monotonic()):
            raise GatewayRefusal(429, "rate limit exceeded", retry_seconds=int(wait) + 1)

    async def caller(self, request: web.Request) -> Caller:
        """The account that sends a request; GatewayRefusal."""
        credentials = Credentials(
            client_of(request.remote or ""),
            request.headers.getall("Authorization", []),
            _certificates(request),
        )
        return await run_bounded(self._executor, lambda: self._authentication.caller(credentials))

    def seconds_left(self, caller: Caller) -> float:
        """How long the caller's credentials stay valid."""
        return caller.seconds_left(self._authentication.now())

    async def about_lease(self, request: web.Request, scope: Scope | None, message: str = "") -> LeaseRequest:
        """The caller and the lease in the path; GatewayRefusal with 401 if the caller may not do this with at
        least one of its services (`scope` None: may not do anything), with 404 if there is no such lease.
        """
        caller = await self.caller(request)
        dseq, gseq, oseq = (int(request.match_info[name]) for name in ("dseq", "gseq", "oseq"))
        if dseq > UINT64_MAX or max(gseq, oseq) > UINT32_MAX:
            raise GatewayRefusal(404, message, about=caller.owner)
        lease = self.leases.lease_id(caller.owner, (dseq, gseq, oseq))
        permitted = caller.permissions.on_lease(lease)
        if not permitted or (scope is not None and scope not in permitted):
            raise GatewayRefusal(401, UNAUTHORIZED, cause="the token permits it not", about=caller.owner)
        workload = self.leases.find(lease)
        if workload is None:
            raise GatewayRefusal(404, message, cause="there is no such lease", about=caller.owner)
        return LeaseRequest(caller, lease, workload)


@dataclass(slots=True)
class ConcurrencyLimit:
    """How many requests of one account may be in progress."""

    at_most: int
    _counts: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def entered(self, owner: str) -> Iterator[None]:
        """Count one while the block runs; GatewayRefusal if it is one too many."""
        count = self._counts.get(owner, 0)
        if count >= self.at_most:
            message = f"{count} requests of this kind are in progress; retry when one has ended"
            raise GatewayRefusal(429, message, retry_seconds=BUSY_SECONDS, about=owner)
        self._counts[owner] = count + 1
        try:
            yield
        finally:
            self._counts[owner] -= 1
            if not self._counts[owner]:
                del self._counts[owner]


async def run_bounded(executor: BoundedExecutor, work: Callable[[], Result]) -> Result:
    """The result of blocking work; GatewayRefusal if there is no room for it, or it takes too long."""
    try:
        return await executor.run(lambda _: work())
    except (ExecutorBusyError, TimeoutError):
        raise GatewayRefusal(503, "the provider is busy; retry later", retry_seconds=BUSY_SECONDS) from None


async def read_body(request: web.Request, bytes_max: int = BODY_MAX_BYTES) -> bytes:
    """The whole body; GatewayRefusal if it is too large or comes too slowly."""
    found = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.content.iter_any():
                found += chunk
                if len(found) > bytes_max:
                    raise GatewayRefusal(413, f"the body has more than {bytes_max} bytes")
    except TimeoutError:
        raise GatewayRefusal(408, f"the body did not arrive within {BODY_SECONDS:.0f} s") from None
    return bytes(found)


def _certificates(request: web.Request) -> tuple[x509.Certificate, ...]:
    connection = request.transport.get_extra_info("ssl_object") if request.transport else None
    try:
        return tuple(connection.presented()) if isinstance(connection, TlsConnection) else ()
    except (ValueError, x509.InvalidVersion) as error:
        raise GatewayRefusal(401, "the client certificate cannot be decoded") from error
