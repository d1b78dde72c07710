"""What anyone may know of the provider, and routes that are not served (tenant 3.2)."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from aiohttp import web

from reconciler.gateway.lease_directory import LeaseDirectory, may_be_active
from reconciler.gateway.lease_routes import json_bytes, json_response
from reconciler.gateway.refusals import JSON_TYPE, GatewayRefusal
from reconciler.gateway.requests import LEASE
from reconciler.values.snapshot import Snapshot

VERSION = version("virtengine-provider-gitops")
NOT_SERVED = {
    ("GET", f"{LEASE}/shell"): "this provider offers no shell; read logs instead",
    ("POST", "/hostname/migrate"): "this provider does not move host names; "
    "update both deployments, the one that gives the name up first",
    ("POST", "/endpoint/migrate"): "this provider does not move leased IPs; "
    "update both deployments, the one that gives the address up first",
}
"""Routes of the clients that are answered with 501 and a sentence."""


class OpenRoutes:
    """`GET /status`, `/version` and `/address`; no authentication."""

    def __init__(self, leases: LeaseDirectory, hostname: str) -> None:
        self._leases = leases
        self._hostname = hostname
        self._status: tuple[Snapshot | None, bytes] = (None, b"")

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        router.add_get("/status", self.status)
        router.add_get("/version", self.version)
        router.add_get("/address", self.address)
        for (method, path), sentence in NOT_SERVED.items():
            router.add_route(method, path, _refused(sentence))

    async def status(self, _: web.Request) -> web.Response:
        """Numbers are plain integers; null is unknown. Computed once a cycle, as anyone may request it."""
        snapshot, body = self._status
        if snapshot is not self._leases.snapshot:
            snapshot, body = self._leases.snapshot, json_bytes(provider_status(self._leases, self._hostname))
            self._status = (snapshot, body)
        return web.Response(body=body, headers={"Content-Type": JSON_TYPE})

    async def version(self, _: web.Request) -> web.Response:
        """The program's version."""
        return json_response({"provider-daemon": VERSION})

    async def address(self, _: web.Request) -> web.Response:
        """The provider's account."""
        return json_response({"address": self._leases.provider})


def provider_status(leases: LeaseDirectory, hostname: str) -> dict[str, Any]:
    """What the clients decode as ProviderStatus."""
    snapshot = leases.snapshot
    found: dict[str, Any] = {"cluster": None, "bidengine": None, "manifest": None}
    if snapshot.height:
        active = [each for each in snapshot.workloads if may_be_active(each)]
        ready = sum(each.ready for each in active)
        found["cluster"] = {
            "leases": len(active),
            "inventory": {"active": ready, "pending": len(active) - ready},
        }
        found["bidengine"] = {"orders": snapshot.orders_open}
        found["manifest"] = {"deployments": len({each.lease.rsplit("/", 3)[0] for each in active})}
    if hostname:
        found["cluster_public_hostname"] = hostname
    return found | {"address": leases.provider}


def _refused(sentence: str) -> Any:
    async def refuse(_: web.Request) -> web.Response:
        raise GatewayRefusal(501, sentence)

    return refuse
