"""Everything that a plan is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.values.approvals import Approval
from reconciler.values.desired import Desired, Revisions
from reconciler.values.funding import TimeLeft
from reconciler.values.ids import LeaseId
from reconciler.values.intents import Confirmation, Intent
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory
from reconciler.values.messages import Message
from reconciler.values.observed import AdapterView, Market
from reconciler.values.plans import Hold
from reconciler.values.readings import Reading, Seen
from reconciler.values.records import EffectResult


@dataclass(frozen=True, slots=True)
class PlanningInput:
    """One cycle's facts.

    `now` is the host's clock in unix seconds: it times waits, never money. `intents` are still unknown,
    `confirmations` those whose end this cycle has seen, `outcomes` what came of earlier effects,
    `notifying` whether the host file names a receiver of notices, `approvals` what its owner approved since.
    """

    now: int
    desired: Reading[Revisions]
    market: Reading[Market]
    adapters: Mapping[str, AdapterView]
    memory: Memory
    limits: Limits
    intents: tuple[Intent, ...] = ()
    confirmations: tuple[Confirmation, ...] = ()
    outcomes: tuple[EffectResult, ...] = ()
    notifying: bool = False
    approvals: tuple[Approval, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanningFacts:
    """The facts once the revision in force is chosen: what the steps that spend work from."""

    now: int
    desired: Desired
    market: Market
    adapters: Mapping[str, AdapterView]
    memory: Memory
    limits: Limits
    funding: Mapping[LeaseId, TimeLeft]

    def seconds(self, blocks: int) -> int:
        """Measured chain time of so many blocks, in whole seconds, rounded up."""
        return -int(-blocks * self.market.block_seconds // 1)


@dataclass(frozen=True, slots=True)
class Proposals:
    """What a step wants sent, and what it withholds."""

    messages: tuple[Message, ...] = ()
    holds: tuple[Hold, ...] = field(default=())

    def __add__(self, other: Proposals) -> Proposals:
        return Proposals(self.messages + other.messages, self.holds + other.holds)


def market_of(situation: PlanningInput) -> Market | None:
    """The market where it was seen."""
    return situation.market.view if isinstance(situation.market, Seen) else None
