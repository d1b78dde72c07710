"""A tenant's manifest: sending it, and reading the one in force (tenant 3.2)."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack

from aiohttp import web

from reconciler.gateway.authentication import Caller
from reconciler.gateway.permissions import Scope
from reconciler.gateway.refusals import JSON_TYPE, UNAUTHORIZED, GatewayRefusal
from reconciler.gateway.requests import (
    BUSY_SECONDS,
    LEASE,
    ConcurrencyLimit,
    Requests,
    read_body,
    run_bounded,
)
from reconciler.gateway.submissions import (
    Receipt,
    Submission,
    SubmissionRefusal,
    Submissions,
    SubmissionUnreadableError,
)
from reconciler.manifests.errors import ManifestError
from reconciler.manifests.manifest import read_manifest
from reconciler.runtime.bounded_executor import BoundedExecutor
from reconciler.runtime.rate_limit import Rate, RateLimiter
from reconciler.values.ids import DeploymentId
from reconciler.values.integers import UINT64_MAX

log = logging.getLogger(__name__)

SUBMISSION_RATE = Rate(0.5, 30)
"""Manifests of one account."""

AT_ONCE = 4
"""Manifests of one account in progress; a client sends one for each lease of a deployment."""

OTHERS_RATE = Rate(0.1, 6)
"""Manifests of an account without a lease here, which may be a stranger's."""

OTHERS_AT_ONCE = 40
"""Manifests of all such accounts in progress, each of up to 1 MiB."""

TENANT_THREADS, OTHER_THREADS, QUEUED = 16, 8, 1_024
"""Accounts without a lease here wait for one in threads of their own, so that they delay no tenant."""

SUBMISSION_SECONDS = 27.0
"""The known client waits 30 s."""


class ManifestRoutes:
    """`PUT /deployment/{dseq}/manifest` and `GET /lease/.../manifest`."""

    def __init__(self, requests: Requests, submissions: Submissions) -> None:
        self._requests = requests
        self._submissions = submissions
        self._executors = {
            True: BoundedExecutor("gateway-tenants", TENANT_THREADS, QUEUED, SUBMISSION_SECONDS),
            False: BoundedExecutor("gateway-others", OTHER_THREADS, 4 * OTHER_THREADS, SUBMISSION_SECONDS),
        }
        self._rates = {True: RateLimiter(SUBMISSION_RATE), False: RateLimiter(OTHERS_RATE)}
        self._in_progress = ConcurrencyLimit(AT_ONCE)
        self._of_others = ConcurrencyLimit(OTHERS_AT_ONCE)

    def close(self) -> None:
        """Stop the threads."""
        for executor in self._executors.values():
            executor.close()

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        router.add_put("/deployment/{dseq:[0-9]{1,20}}/manifest", self.put)
        router.add_get(f"{LEASE}/manifest", self.get)

    async def put(self, request: web.Request) -> web.Response:
        """Submit a manifest: 200 with an empty body once it is on disk."""
        began = time.monotonic()
        try:
            await self._put(request)
        except GatewayRefusal as refusal:
            self._requests.counters.count_submission(refusal.status, time.monotonic() - began)
            raise
        self._requests.counters.count_submission(200, time.monotonic() - began)
        return web.Response()

    async def _put(self, request: web.Request) -> None:
        caller = await self._requests.caller(request)
        dseq, provider = int(request.match_info["dseq"]), self._requests.leases.provider
        deployment = DeploymentId(caller.owner, min(dseq, UINT64_MAX))
        if Scope.SEND_MANIFEST not in caller.permissions.on_deployment(deployment, provider):
            raise GatewayRefusal(
                401, UNAUTHORIZED, cause="the token does not permit send-manifest", about=caller.owner
            )
        is_tenant = self._requests.leases.is_tenant(caller.owner)
        if wait := self._rates[is_tenant].take(caller.owner, time.monotonic()):
            raise GatewayRefusal(
                429, "too many manifests; retry later", retry_seconds=int(wait) + 1, about=caller.owner
            )
        with self._in_progress.entered(caller.owner), ExitStack() as stack:
            if not is_tenant:
                stack.enter_context(self._of_others.entered(""))
            body = await read_body(request)
            executor = self._executors[is_tenant]
            answer = await run_bounded(executor, lambda: self._submit(caller, deployment, body))
        if isinstance(answer, SubmissionRefusal):
            raise GatewayRefusal(
                answer.status, answer.text, retry_seconds=answer.retry_after_seconds, about=caller.owner
            )

    def _submit(self, caller: Caller, deployment: DeploymentId, body: bytes) -> Receipt | SubmissionRefusal:
        services = caller.permissions.services_of(deployment, self._requests.leases.provider)
        if services is not None and not _names(body) <= services:
            raise GatewayRefusal(
                401, UNAUTHORIZED, cause="the token permits other services only", about=caller.owner
            )
        return self._submissions.submit(Submission(deployment, body, caller.method))

    async def get(self, request: web.Request) -> web.Response:
        """The group of a lease, with its secrets."""
        found = await self._requests.about_lease(request, Scope.GET_MANIFEST, "lease not found")
        if not found.permits_all(Scope.GET_MANIFEST):
            raise GatewayRefusal(
                401, UNAUTHORIZED, cause="the token permits some services only", about=found.caller.owner
            )

        def read() -> str | None:
            try:
                return self._submissions.accepted_group(found.lease)
            except SubmissionUnreadableError as error:
                log.error("the manifest of %s cannot be shown: %s", found.lease, error)
                message = "the manifest cannot be read at the moment; retry later"
                raise GatewayRefusal(503, message, retry_seconds=BUSY_SECONDS) from error

        group = await run_bounded(self._executors[True], read)
        if group is None:
            raise GatewayRefusal(404, "lease not found", about=found.caller.owner)
        return web.Response(body=group.encode(), headers={"Content-Type": JSON_TYPE})


def _names(body: bytes) -> frozenset[str]:
    """The services in a manifest; none if it cannot be read, which the submission then refuses."""
    try:
        groups = read_manifest(body).groups or ()
    except ManifestError:
        return frozenset()
    return frozenset(service.name for group in groups for service in group.services or ())
