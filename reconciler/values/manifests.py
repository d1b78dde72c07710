"""Manifests that tenants sent for their leases, as far as a plan needs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.values.desired import Service
from reconciler.values.ids import LeaseId, WorkloadId


@dataclass(frozen=True, slots=True)
class AcceptedManifest:
    """A manifest as it is in git. Without its secrets: variables have no values, commands and arguments are
    empty texts; `manifest_hash` is of the whole, of which the lease runs the `group`.

    It was accepted at `accepted_at` (unix seconds), by `method`, in `commit` ("": not known). `fault`: why it
    cannot be run (""; it can).
    """

    lease: LeaseId
    group: str
    manifest_hash: str
    services: tuple[Service, ...] = ()
    accepted_at: int = 0
    method: str = ""
    commit: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class TenantManifests:
    """The accepted manifests by workload. `takes_more`: this host takes manifests. Since the height `since`
    tenants can deliver them without an interruption; `failed_at`: owner -> when one of theirs failed.

    `is_current`: all that was accepted is here; `unreadable`: why it cannot be read ("": it can).
    `identity_fault`: why nothing can be unsealed, `rewritten`: why the branch in the remote repository is not
    written ("": neither). The oldest commit that is not pushed was made at `unpushed_since` (unix seconds; 0:
    all are).
    """

    by_workload: Mapping[WorkloadId, AcceptedManifest] = field(default_factory=dict)
    takes_more: bool = False
    since: int = 0
    failed_at: Mapping[str, int] = field(default_factory=dict)
    is_current: bool = True
    unreadable: str = ""
    identity_fault: str = ""
    rewritten: str = ""
    unpushed_since: int = 0
    unpushed: int = 0


NO_MANIFESTS = TenantManifests()
NO_SEALING = TenantManifests(
    identity_fault="the host file has no sealing section, so sealed values cannot be used; add one with a "
    "recipient"
)
