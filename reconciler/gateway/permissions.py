"""The permissions of a tenant: a list of grants, however the credentials stated them (tenant 2.1)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from reconciler.values.ids import DeploymentId, LeaseId


class Scope(StrEnum):
    """An action of a tenant, by its name in a token."""

    SEND_MANIFEST = "send-manifest"
    GET_MANIFEST = "get-manifest"
    LOGS = "logs"
    SHELL = "shell"
    EVENTS = "events"
    STATUS = "status"
    RESTART = "restart"
    HOSTNAME_MIGRATE = "hostname-migrate"
    IP_MIGRATE = "ip-migrate"


ALL_SCOPES = frozenset(Scope)


@dataclass(frozen=True, slots=True)
class Grant:
    """Permitted actions; an empty provider, sequence number 0 and no services each mean any."""

    scopes: frozenset[Scope]
    provider: str = ""
    dseq: int = 0
    gseq: int = 0
    oseq: int = 0
    services: frozenset[str] = frozenset()

    def covers_deployment(self, dseq: int, provider: str) -> bool:
        """Whether it covers a deployment at a provider; gseq and oseq do not count (tenant 2.1)."""
        return self.provider in ("", provider) and self.dseq in (0, dseq)

    def covers_lease(self, lease: LeaseId) -> bool:
        """Whether it covers a lease."""
        order = lease.order
        return (
            self.covers_deployment(order.dseq, lease.provider)
            and self.gseq in (0, order.gseq)
            and self.oseq in (0, order.oseq)
        )


@dataclass(frozen=True, slots=True)
class Permissions:
    """The grants of one account; another account's leases are never covered."""

    owner: str
    grants: tuple[Grant, ...]
    expires_at: float = math.inf
    """Unix seconds from which on the credentials are refused."""

    def on_deployment(self, deployment: DeploymentId, provider: str) -> frozenset[Scope]:
        """The actions permitted on a deployment as a whole."""
        if deployment.owner != self.owner:
            return frozenset()
        return _union(grant for grant in self.grants if grant.covers_deployment(deployment.dseq, provider))

    def on_lease(self, lease: LeaseId) -> frozenset[Scope]:
        """The actions permitted on a lease, at least for one of its services."""
        return _union(self._of_lease(lease))

    def on_service(self, lease: LeaseId, service: str) -> frozenset[Scope]:
        """The actions permitted on one service of a lease.

        Stricter than the reference, which demands the services of a grant and never compares them.
        """
        return _union(
            grant for grant in self._of_lease(lease) if not grant.services or service in grant.services
        )

    def services_of(self, deployment: DeploymentId, provider: str) -> frozenset[str] | None:
        """The services of a deployment whose manifest may be sent; None for all."""
        found = [
            grant
            for grant in (self.grants if deployment.owner == self.owner else ())
            if Scope.SEND_MANIFEST in grant.scopes and grant.covers_deployment(deployment.dseq, provider)
        ]
        if any(not grant.services for grant in found):
            return None
        return frozenset(service for grant in found for service in grant.services)

    def _of_lease(self, lease: LeaseId) -> tuple[Grant, ...]:
        if lease.order.owner != self.owner:
            return ()
        return tuple(grant for grant in self.grants if grant.covers_lease(lease))


def full_access(owner: str) -> Permissions:
    """Every action on every lease of an account: a client certificate's (tenant 2.2)."""
    return Permissions(owner, (Grant(ALL_SCOPES),))


def _union(grants: Iterable[Grant]) -> frozenset[Scope]:
    return frozenset(scope for grant in grants for scope in grant.scopes)
