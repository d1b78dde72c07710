"""The routes that the web portal's client reads, for pages of any origin (tenant 4)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any

from aiohttp import web

from reconciler.gateway.authentication import Caller
from reconciler.gateway.lease_routes import json_response
from reconciler.gateway.log_lines import ContainerLine
from reconciler.gateway.permissions import Scope, full_access
from reconciler.gateway.refusals import UNAUTHORIZED, GatewayRefusal
from reconciler.gateway.requests import (
    ConcurrencyLimit,
    LeaseRequest,
    Requests,
    read_body,
    run_bounded,
)
from reconciler.gateway.signed_requests import RequestVerifier, SignatureRefusedError, SignedRequest
from reconciler.gateway.sources import GatewaySources
from reconciler.gateway.streams import READS_OF_ONE_MAX, LeaseStreams, LogQuery, StreamClosedError
from reconciler.gateway.submissions import SubmissionMethod
from reconciler.runtime.bounded_executor import BoundedExecutor
from reconciler.values.ids import LeaseId
from reconciler.values.inspection import WorkloadUse
from reconciler.values.views import WorkloadView

PREFIX = "/api/v1"
DEPLOYMENT = f"{PREFIX}/deployments/{{id:[^/]{{1,200}}}}"
PAGE_MAX = 100
BODY_MAX_BYTES = 8_192
"""Of a signed request: anyone can have one hashed, and the client's have some 20 bytes."""

READ_THREADS, READS_QUEUED = 4, 64
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After",
}
PREFLIGHT = {
    **CORS,
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-VE-Address, X-VE-Timestamp, "
    "X-VE-Nonce, X-VE-Signature, X-VE-PubKey",
    "Access-Control-Max-Age": "600",
}
"""No cookies are used, so any origin may send what its page's user signs."""

NO_SHELL = "this provider offers no shell; read logs instead"
NOT_SERVED = {
    ("POST", f"{DEPLOYMENT}/actions"): "this provider has no such action; close or update the deployment",
    ("POST", f"{DEPLOYMENT}/shell/session"): NO_SHELL,
    ("GET", f"{DEPLOYMENT}/shell"): NO_SHELL,
}


class PortalRoutes:
    """Deployments of the caller, which a signed request or a token names; ids are those of workloads."""

    def __init__(
        self,
        requests: Requests,
        streams: LeaseStreams,
        sources: GatewaySources,
    ) -> None:
        self._requests = requests
        self._streams = streams
        self._verifier = RequestVerifier(sources.chain_id, requests.leases.is_tenant)
        self._inspectors = sources.inspectors
        self._now = sources.now
        self._executor = BoundedExecutor("gateway-usage", READ_THREADS, READS_QUEUED)
        self._reads_of_one = ConcurrencyLimit(READS_OF_ONE_MAX)

    def close(self) -> None:
        """Stop the threads."""
        self._executor.close()

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the routes, and answers to preflights of browsers."""
        router.add_get(f"{PREFIX}/health", self.health)
        router.add_get(f"{PREFIX}/deployments", self.listed)
        router.add_get(DEPLOYMENT, self.deployment)
        router.add_get(f"{DEPLOYMENT}/status", self.status)
        router.add_get(f"{DEPLOYMENT}/logs", self.logs)
        router.add_get(f"{DEPLOYMENT}/logs/stream", self.stream)
        router.add_get(f"{DEPLOYMENT}/metrics", self.usage)
        for (method, path), sentence in NOT_SERVED.items():
            router.add_route(method, path, partial(self.refuse, sentence))
        router.add_options(f"{PREFIX}/{{rest:.*}}", self.preflight)

    async def health(self, _: web.Request) -> web.Response:
        """Whether the last cycle saw the chain; open to anyone."""
        snapshot = self._requests.leases.snapshot
        seen = any(reading.source == "chain" and not reading.why for reading in snapshot.readings)
        return json_response({"status": "ok" if seen else "degraded"})

    async def preflight(self, _: web.Request) -> web.Response:
        """What a page of another origin may send."""
        return web.Response(status=204, headers=PREFLIGHT)

    async def refuse(self, sentence: str, request: web.Request) -> web.Response:
        """What this provider does not offer."""
        caller = await self._caller(request)
        raise GatewayRefusal(501, sentence, about=caller.owner)

    async def listed(self, request: web.Request) -> web.Response:
        """The caller's active leases by id, a page at a time."""
        caller = await self._caller(request)
        status, after = request.query.get("status", ""), request.query.get("cursor", "")
        limit = _number(request.query.get("limit", ""), PAGE_MAX)
        permitted = [
            each
            for each in self._requests.leases.of(caller.owner)
            if Scope.STATUS in caller.permissions.on_lease(LeaseId.parse(each.lease))
            and status in ("", each.state, each.lease_state.value)
            and each.id > after
        ]
        page = sorted(permitted, key=lambda each: each.id)[:limit]
        found: dict[str, Any] = {"deployments": [self._summary(each, caller) for each in page]}
        if len(permitted) > len(page) and page:
            found["next_cursor"] = page[-1].id
        return json_response(found)

    async def deployment(self, request: web.Request) -> web.Response:
        """One of them."""
        found = await self._about(request, Scope.STATUS)
        return json_response(self._summary(found.workload, found.caller))

    async def status(self, request: web.Request) -> web.Response:
        """Its services."""
        found = await self._about(request, Scope.STATUS)
        services = [
            {
                "name": each.name,
                "state": "running" if each.replicas_ready >= each.replicas else "pending",
                "replicas": {"ready": each.replicas_ready, "total": each.replicas},
                "ports": [
                    {"port": address.external_port, "protocol": address.protocol.lower()}
                    for address in self._requests.leases.addresses(found.workload)
                    if address.service == each.name
                ],
            }
            for each in self._requests.leases.services(found.workload)
            if found.permits(Scope.STATUS, each.name)
        ]
        workload = found.workload
        return json_response(
            {
                "lease_id": str(found.lease),
                "state": workload.state,
                "replicas": {"ready": workload.replicas_ready, "total": workload.replicas},
                "services": services,
            }
        )

    async def logs(self, request: web.Request) -> web.Response:
        """The last lines as text."""
        found = await self._about(request, Scope.LOGS)
        query = LogQuery.of(request)
        search = request.query.get("search", "").lower()

        def permits(service: str) -> bool:
            return found.permits(Scope.LOGS, service)

        try:
            lines = await self._streams.read_lines(found.workload, query.tail, permits)
        except StreamClosedError as closed:
            raise GatewayRefusal(503, str(closed), about=found.caller.owner) from closed
        text = "".join(f"{_shown(line)}\n" for line in lines if search in line.text.lower())
        return web.Response(text=text)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Each line a text frame."""
        found = await self._about(request, Scope.LOGS)
        query = LogQuery.of(request)

        async def frames() -> AsyncIterator[str]:
            async for line in self._streams.lines(found, query):
                yield _shown(line)

        return await self._streams.serve(request, found.caller, frames())

    async def usage(self, request: web.Request) -> web.Response:
        """The usage of its containers; limits are those of its services together."""
        found = await self._about(request, Scope.STATUS)
        workload = found.workload
        try:
            inspector = self._inspectors[workload.adapter]
            with self._reads_of_one.entered(found.caller.owner):
                used = await run_bounded(self._executor, lambda: inspector.use(workload.id))
        except (KeyError, OSError):
            message = "the usage is not known at the moment"
            raise GatewayRefusal(503, message, retry_seconds=10, about=found.caller.owner) from None
        shown = [each for each in used.containers if found.permits(Scope.STATUS, each.container)]
        return json_response(_usage(WorkloadUse(used.source, tuple(shown))))

    def _summary(self, workload: WorkloadView, caller: Caller) -> Mapping[str, Any]:
        return {
            "id": workload.id,
            "owner": caller.owner,
            "provider": self._requests.leases.provider,
            "state": workload.state,
        }

    async def _caller(self, request: web.Request) -> Caller:
        """By a signed request, else as on the other routes."""
        if "Authorization" in request.headers:
            return await self._requests.caller(request)
        signed = SignedRequest(request.method, request.rel_url.raw_path, b"", request.headers, request.query)
        if not signed.is_signed:
            return await self._requests.caller(request)
        if request.can_read_body:
            body = await read_body(request, BODY_MAX_BYTES)
            signed = SignedRequest(signed.method, signed.path, body, request.headers, request.query)
        try:
            owner = self._verifier.verify(signed, self._now() * 1000)
        except SignatureRefusedError as error:
            raise GatewayRefusal(401, str(error)) from error
        return Caller(full_access(owner), SubmissionMethod.SIGNED_REQUEST)

    async def _about(self, request: web.Request, scope: Scope) -> LeaseRequest:
        """The caller and its lease; another's is not found."""
        caller, id_ = await self._caller(request), request.match_info["id"]
        for workload in self._requests.leases.of(caller.owner):
            if workload.id == id_:
                lease = LeaseId.parse(workload.lease)
                if scope not in caller.permissions.on_lease(lease):
                    raise GatewayRefusal(401, UNAUTHORIZED, about=caller.owner)
                return LeaseRequest(caller, lease, workload)
        raise GatewayRefusal(404, "deployment not found", about=caller.owner)


def portal_error(refusal: GatewayRefusal) -> web.Response:
    """As the portal's client shows it, readable for any origin."""
    headers = {**CORS, "Retry-After": str(refusal.retry_seconds)} if refusal.retry_seconds else CORS
    body = json.dumps({"error": refusal.message, "message": refusal.message})
    return web.Response(text=body, status=refusal.status, content_type="application/json", headers=headers)


def _usage(used: WorkloadUse) -> Mapping[str, Any]:
    return {
        "cpu": {"usage": sum(each.cpu_milli for each in used.containers) / 1000, "limit": 0},
        "memory": {"usage": sum(each.memory_bytes for each in used.containers), "limit": 0},
        "storage": {"usage": 0, "limit": 0},
    }


def _shown(line: ContainerLine) -> str:
    return f"{line.source} {line.text}"


def _number(text: str, most: int) -> int:
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 10 else most
