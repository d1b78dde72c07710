"""The state of a tenant's lease and of its services (tenant 3.2)."""

from __future__ import annotations

import json

from aiohttp import web

from reconciler.gateway.lease_views import lease_status, service_status
from reconciler.gateway.permissions import ALL_SCOPES, Scope
from reconciler.gateway.refusals import JSON_TYPE, GatewayRefusal
from reconciler.gateway.requests import LEASE, LeaseRequest, Requests


class LeaseRoutes:
    """`GET /lease/.../status` and `GET /lease/.../service/{name}/status`."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        router.add_get(f"{LEASE}/status", self.status)
        router.add_get(f"{LEASE}/service/{{name}}/status", self.service)

    async def status(self, request: web.Request) -> web.Response:
        """The services that the caller may see; 404 without a body, as the clients know it."""
        found = await self._requests.about_lease(request, Scope.STATUS)
        services = self._requests.leases.services(found.workload)
        permitted = {each.name for each in services if found.permits(Scope.STATUS, each.name)}
        return json_response(
            lease_status(services, self._requests.leases.addresses(found.workload), permitted)
        )

    async def service(self, request: web.Request) -> web.Response:
        """One service; any permission on it suffices."""
        found = await self._requests.about_lease(request, None)
        name = request.match_info["name"]
        for service in self._requests.leases.services(found.workload):
            if service.name == name and _permits_any(found, name):
                return json_response(service_status(service, self._requests.leases.addresses(found.workload)))
        raise GatewayRefusal(404, "service not found", about=found.caller.owner)


def json_response(value: object, status: int = 200) -> web.Response:
    """A value as compact JSON."""
    return web.Response(body=json_bytes(value), status=status, headers={"Content-Type": JSON_TYPE})


def json_bytes(value: object) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


def _permits_any(found: LeaseRequest, service: str) -> bool:
    return any(found.permits(scope, service) for scope in ALL_SCOPES)
