"""Claims of a token: which there must be, and the grants that they state (tenant 2.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from reconciler.chain.keys import address_bytes
from reconciler.documents.typed_json import decode_json
from reconciler.gateway.permissions import ALL_SCOPES, Grant, Permissions, Scope
from reconciler.values.integers import UINT32_MAX, UINT64_MAX


class ClaimsError(ValueError):
    """Claims that permit nothing, with the claim and the reason."""


class DeploymentClaim(msgspec.Struct):
    """Actions on the services of a deployment, a group or a lease."""

    scope: list[str] | None = None
    dseq: int = 0
    gseq: int = 0
    oseq: int = 0
    services: list[str] | None = None


class PermissionClaim(msgspec.Struct):
    """Actions at one provider."""

    provider: str = ""
    access: str = ""
    scope: list[str] | None = None
    deployments: list[DeploymentClaim] | None = None


class LeasesClaim(msgspec.Struct):
    """Which leases a token is about."""

    access: str = ""
    scope: list[str] | None = None
    permissions: list[PermissionClaim] | None = None


class Claims(msgspec.Struct):
    """The claims that are evaluated; others are ignored. Times are Unix seconds; None is an absent claim."""

    iss: str = ""
    exp: int | None = None
    nbf: int | None = None
    iat: int | None = None
    version: str = ""
    leases: LeasesClaim = msgspec.field(default_factory=LeasesClaim)


def read_claims(payload: bytes) -> Claims:
    """The claims by their types; ClaimsError for one of another type or beyond its range."""
    try:
        claims = decode_json(payload, Claims)
    except msgspec.MsgspecError as error:
        raise ClaimsError(f"a claim has another type: {error}") from error
    for permission in claims.leases.permissions or ():
        if permission.provider:
            _check_provider(permission.provider)
        for each in permission.deployments or ():
            if not (
                0 <= each.dseq <= UINT64_MAX and 0 <= each.gseq <= UINT32_MAX and 0 <= each.oseq <= UINT32_MAX
            ):
                raise ClaimsError("a sequence number is out of range")
    return claims


def permissions_of(claims: Claims) -> Permissions:
    """The permissions that claims state; ClaimsError where they contradict themselves."""
    if claims.version != "v1":
        raise ClaimsError("version is not v1")
    return Permissions(claims.iss, tuple(_grants(claims.leases)))


def _grants(leases: LeasesClaim) -> Iterator[Grant]:
    match leases.access:
        case "full":
            _require_absent(leases.scope, "full access has a scope")
            _require_absent(leases.permissions, "full access has permissions")
            yield Grant(ALL_SCOPES)
        case "scoped":
            if leases.permissions is not None:
                raise ClaimsError("scoped access has permissions")
            yield Grant(_scopes(leases.scope))
        case "granular":
            _check_unique([each.provider for each in leases.permissions or ()], "permissions", "provider")
            for permission in leases.permissions or ():
                yield from _grants_at(permission)
        case _:
            raise ClaimsError("access is not full, scoped or granular")


def _grants_at(permission: PermissionClaim) -> Iterator[Grant]:
    if not permission.provider:
        raise ClaimsError("a permission has no provider")
    match permission.access:
        case "full":
            _require_absent(permission.scope, "full access at a provider has a scope")
            _require_absent(permission.deployments, "full access at a provider has deployments")
            yield Grant(ALL_SCOPES, permission.provider)
        case "scoped":
            if permission.deployments is not None:
                raise ClaimsError("scoped access at a provider has deployments")
            yield Grant(_scopes(permission.scope), permission.provider)
        case "granular":
            _require_absent(permission.scope, "granular access at a provider has a scope")
            if not permission.deployments:
                raise ClaimsError("granular access at a provider has no deployments")
            for each in permission.deployments:
                yield _grant_on(each, permission.provider)
        case _:
            raise ClaimsError("access at a provider is not full, scoped or granular")


def _grant_on(claim: DeploymentClaim, provider: str) -> Grant:
    scopes = _scopes(claim.scope)
    if not claim.dseq:
        raise ClaimsError("a deployment has no dseq")
    if claim.oseq and not claim.gseq:
        raise ClaimsError("a deployment has oseq without gseq")
    _check_unique(claim.services, "a deployment's services", "service")
    return Grant(scopes, provider, claim.dseq, claim.gseq, claim.oseq, frozenset(claim.services or ()))


def _scopes(names: Sequence[str] | None) -> frozenset[Scope]:
    _check_unique(names, "the scope", "action")
    try:
        return frozenset(Scope(name) for name in names or ())
    except ValueError as error:
        raise ClaimsError("the scope names an unknown action") from error


def _check_unique(names: Sequence[str] | None, of: str, kind: str) -> None:
    if not names:
        raise ClaimsError(f"{of}: no {kind}")
    if len(set(names)) != len(names):
        raise ClaimsError(f"{of}: a {kind} occurs twice")


def _require_absent(values: Sequence[object] | None, message: str) -> None:
    if values:
        raise ClaimsError(message)


def _check_provider(address: str) -> None:
    try:
        address_bytes(address)
    except ValueError as error:
        raise ClaimsError(f"a permission's provider is not an address: {error}") from error
