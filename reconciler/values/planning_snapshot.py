"""What the snapshot branch holds: enough of what the daemon sees to plan any revision elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.values.limits import Limits
from reconciler.values.memory import Memory
from reconciler.values.observed import AdapterView, Market


@dataclass(frozen=True, slots=True)
class PlanningSnapshot:
    """The world as a finished cycle left it: everything that a plan is made from but what is desired.

    `taken_at` is the host's clock in unix seconds; `memory` is that cycle's plan's; `notifying` says whether
    tenants are told of low funds; `folder` is the provider's in the repository ("": the top).
    """

    provider: str
    taken_at: int
    market: Market
    adapters: Mapping[str, AdapterView]
    memory: Memory
    limits: Limits
    notifying: bool = False
    folder: str = ""
