"""The content of the snapshot branch: enough of the observed state to plan any revision elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.values.limits import Limits
from reconciler.values.manifests import NO_MANIFESTS, TenantManifests
from reconciler.values.memory import Memory
from reconciler.values.observed import AdapterView, Market


@dataclass(frozen=True, slots=True)
class PlanningSnapshot:
    """The planning input of a finished cycle without the desired state.

    `taken_at` is the host's clock in unix seconds; `memory` is that of the cycle's plan; `sends_notices`:
    tenants are notified of low funds; `folder` is the provider's in the repository ("": its root);
    `manifests` are those of tenants, without secrets.
    """

    provider: str
    taken_at: int
    market: Market
    adapters: Mapping[str, AdapterView]
    memory: Memory
    limits: Limits
    sends_notices: bool = False
    folder: str = ""
    manifests: TenantManifests = NO_MANIFESTS
