"""The values that the planner's stages take and give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil

from reconciler.planning.capacity.headroom import Headroom, Reservation
from reconciler.values.approvals import Approval
from reconciler.values.desired import Desired, Revisions
from reconciler.values.funding import FundingByLease
from reconciler.values.intents import Confirmation, Intent
from reconciler.values.limits import Limits
from reconciler.values.manifests import NO_MANIFESTS, TenantManifests
from reconciler.values.memory import Memory
from reconciler.values.messages import Message
from reconciler.values.observed import AdapterView, Market
from reconciler.values.plans import Hold, Transition
from reconciler.values.readings import Reading, Seen
from reconciler.values.records import EffectResult
from reconciler.values.result_cache import ResultCache
from reconciler.values.subjects import Subject
from reconciler.values.work import InFlight, InFlightActions


@dataclass(frozen=True, slots=True)
class PlanningInput:
    """The facts of one cycle.

    `now` is the host's clock in unix seconds: it times waits, never money. `intents` are unconfirmed
    transactions, `confirmations` those that ended in this cycle, `results` the results of earlier effects,
    `in_flight` those that have not ended, `approvals` the owner's new ones, `sends_notices` whether the host
    file names a receiver of notices, `manifests` what tenants sent.
    """

    now: int
    desired: Reading[Revisions]
    market: Reading[Market]
    adapters: Mapping[str, AdapterView]
    memory: Memory
    limits: Limits
    intents: tuple[Intent, ...] = ()
    confirmations: tuple[Confirmation, ...] = ()
    results: tuple[EffectResult, ...] = ()
    sends_notices: bool = False
    approvals: tuple[Approval, ...] = ()
    in_flight: tuple[InFlight, ...] = ()
    manifests: Reading[TenantManifests] = field(default_factory=lambda: Seen(NO_MANIFESTS))

    @property
    def seen_market(self) -> Market | None:
        """The market, None while the chain is unseen."""
        return self.market.view if isinstance(self.market, Seen) else None


@dataclass(frozen=True, slots=True)
class PlanningBasis:
    """The basis of all decisions: the revision in force with each workload placed on an adapter, the adapters
    that the host file allows, what is left on them after all promises, the updated memory, and the action in
    flight on each object; `decisions` are those of earlier plans.
    """

    now: int
    desired: Desired
    market: Market | None
    adapters: Mapping[str, AdapterView]
    memory: Memory
    limits: Limits
    intents: tuple[Intent, ...]
    sends_notices: bool
    funding: FundingByLease
    transitions: tuple[Transition, ...] = ()
    in_flight: InFlightActions = field(default_factory=dict)
    manifests: Reading[TenantManifests] = field(default_factory=lambda: Seen(NO_MANIFESTS))
    reservation: Reservation = field(default_factory=lambda: Reservation(Headroom({})))
    decisions: ResultCache = field(default_factory=ResultCache, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class MarketBasis(PlanningBasis):
    """The basis of decisions about money, while the chain is seen. `doubts` are the orders and deployments
    whose funds ended on the node, and why the witness does not confirm it (empty: it does).
    """

    market: Market
    doubts: Mapping[Subject, str] = field(default_factory=dict)

    def seconds(self, blocks: int) -> int:
        """The duration of so many blocks in measured chain time, in whole seconds, rounded up."""
        return ceil(blocks * self.market.block_seconds)


@dataclass(frozen=True, slots=True)
class Proposals:
    """The messages that a stage proposes to send, the effects that it withholds, and the objects that the
    witness must confirm for one of them.
    """

    messages: tuple[Message, ...] = ()
    holds: tuple[Hold, ...] = field(default=())
    to_confirm: frozenset[Subject] = frozenset()

    def __add__(self, other: Proposals) -> Proposals:
        return Proposals(
            self.messages + other.messages,
            self.holds + other.holds,
            self.to_confirm | other.to_confirm,
        )
