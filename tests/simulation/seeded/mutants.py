"""Deliberate faults of the daemon, each with the invariant that must catch it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from reconciler.chain import transfer_causes
from reconciler.chain.tx_builder import Batch, MessageFilter
from reconciler.chain.witness import Witness
from reconciler.cycle.confirm import Confirmed, confirm
from reconciler.cycle.revision_fetcher import RevisionFetcher
from reconciler.planning import (
    leases,
    memory_update,
    phases,
    removals,
    retries,
    witness_doubts,
    workloads,
)
from reconciler.planning.bidding import bid_budget, bids
from reconciler.planning.capacity import promises
from reconciler.planning.money import funding, ledger, usage, usage_funding, usage_metering, withdrawals
from reconciler.planning.planning_input import MarketBasis, Proposals
from reconciler.values import pricing
from reconciler.values.desired import Pricing
from reconciler.values.funding import Funding, TimeLeft
from reconciler.values.ids import LeaseId
from reconciler.values.intents import Intent
from reconciler.values.memory import Memory, Retry, UsageMemory
from reconciler.values.messages import RecordUsage, WithdrawLease
from reconciler.values.observed import Lease, State, TransferCause
from reconciler.values.readings import Unseen
from reconciler.values.resources import total
from tests.simulation.seeded.run import run_steps
from tests.simulation.seeded.steps import Step
from tests.simulation.seeded.terms import Terms
from tests.simulation.seeded.turn import ViolationError

TERMS = Terms(
    block_seconds=60,
    nodes=(8_000, 8_000),
    hosts=(),
    every="2h",
    usage="2h",
    on_critical="nothing",
    balance_uve=4_000_000,
    gap_blocks=9,
    notices=True,
    forge=True,
    witness=True,
)

WEB, BILLED_BY_USAGE, LARGE = 37, 25, 34
"""Numbers of an order step: 1000 millicores at a good price; the second is billed by usage; the third is a
quarter of all machines.
"""

AN_HOUR = 3
"""Number of an escrow step: it pays for about an hour of usage."""

OURS, THEIRS = 1, 8
"""Whose bid a step accepts."""


def _large(at: int, tenant: int) -> Step:
    return Step(at, "order", tenant, LARGE)


def _accepted(at: int) -> Step:
    return Step(at, "accept", 0, OURS)


STORY = (
    Step(600, "order", 0, WEB),
    Step(600, "order", 1, WEB),
    Step(660, "order", 0, BILLED_BY_USAGE),
    Step(720, "outage", 0, 0),
    Step(720, "price", 50, 0),
    Step(840, "rival", 0, 0),
    Step(900, "rival", 0, 1),
    Step(960, "accept", 1, THEIRS),
    Step(1_020, "accept", 1, OURS),
    Step(1_080, "accept", 0, OURS),
    Step(1_200, "escrow", 0, 19),
    Step(1_200, "escrow", 1, 19),
    Step(1_260, "file", 0, 1),
    Step(1_320, "arm", 3, 2),
    Step(1_320, "file", 0, 1),
    Step(4_000, "lose_machine", 0, 1),
    Step(5_000, "outage", 1, 3),
    Step(5_060, "order", 0, WEB),
    Step(6_500, "top_up", 1, 0),
    *(Step(7_000, "order", n % 2, WEB) for n in range(8)),
    Step(12_000, "order", 1, BILLED_BY_USAGE),
    _accepted(12_240),
    Step(12_360, "escrow", 0, AN_HOUR),
    Step(12_360, "file", 0, 1),
    Step(24_000, "pause", 0, 1),
    Step(26_000, "close", 0, 0),
    Step(28_000, "false_leases", 0, 3),
    Step(29_400, "close", 0, 0),
    Step(29_700, "order", 1, BILLED_BY_USAGE),
    _accepted(29_940),
    _accepted(29_940),
    Step(30_060, "file", 0, 1),
    *(step for n in range(3) for step in (_large(32_000 + 600 * n, 0), _accepted(32_240 + 600 * n))),
    _large(33_800, 0),
    _large(33_860, 1),
    _accepted(34_040),
    _accepted(34_100),
    Step(34_400, "file", 0, 1),
)
"""A day of everything that the mutants need."""


CALM = tuple(
    step
    for at in (600, 3_600, 5_400, 9_000)
    for step in (Step(at, "order", at // 1_800 % 2, WEB), _accepted(at + 300))
)
"""Leases that begin at different times of the interval; then nothing more for days."""

FUNDED = (
    Step(600, "order", 0, BILLED_BY_USAGE),
    _accepted(900),
    Step(1_200, "escrow", 0, 19),
    Step(1_260, "file", 0, 1),
    Step(4_000, "false_funds", 0, 4),
)
"""A lease that a node shows without funds for two hours."""

DAYS_LATER = Step(160_000, "order", 0, BILLED_BY_USAGE)


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is wrong, the invariant that it breaks, the replaced parts (target and replacement), and the steps
    of the story that it needs.
    """

    name: str
    invariant: str
    parts: tuple[tuple[str, Any], ...]
    steps: tuple[Step, ...] = STORY
    terms: Terms = TERMS


def caught_by(mutant: Mutant) -> str:
    """The invariant that a mutant breaks first, "" if it survives."""
    patches = [patch(target, replacement) for target, replacement in mutant.parts]
    for each in patches:
        each.start()
    try:
        run_steps(mutant.terms, mutant.steps)
    except ViolationError as error:
        return error.invariant
    finally:
        for each in patches:
            each.stop()
    return ""


def _bids_forgotten(basis: MarketBasis) -> Proposals:
    return bids.plan_bids(replace(basis, market=replace(basis.market, bids={})))


def _nothing_dropped(self: MessageFilter, batch: Batch) -> Batch:
    self.gas = 300_000 * len(batch)
    return batch


def _period_kept(memory: Memory, record: RecordUsage) -> UsageMemory:
    return memory.usage.get(record.lease, UsageMemory(record.period_end))


def _records_unread(old: UsageMemory | None, begins: int, now: int) -> UsageMemory:
    del begins
    return _current_period(old, 0, now)


def _open_alone(market: Any, _: object) -> int:
    return sum(b.deposit for b in market.bids.values() if b.state is State.OPEN)


_lacks = bid_budget.BidBudget.lacks


def _rate_of_lease(services: Any, lease: Lease, pricing: Pricing | None) -> Decimal:
    del services
    return usage_metering.net_rate(total([unit.all for unit in lease.units]), lease, pricing)


_update_ledger = ledger.update_ledger
_with_failure = retries.with_failure
_plan_bids = bids.plan_bids
_plan_removals = removals.plan_removals
_current_period = usage_metering._current_period


def _withdrawals_unconfirmed(intents: tuple[Intent, ...], market: Any) -> Confirmed:
    found = confirm(intents, market)
    kept = tuple(each for each in intents if isinstance(each.messages[0], WithdrawLease))
    return Confirmed((*found.unknown, *kept), tuple(c for c in found.ended if c.intent not in kept))


def _remove_all(basis: MarketBasis, leased: Any) -> Any:
    del leased
    return _plan_removals(basis, {})


def _never_again(known: Any, key: Any, now: int, failure: Retry) -> dict[Any, Retry]:
    return _with_failure(known, key, now, replace(failure, retry_at=None))


def _once(self: RevisionFetcher, memory: Memory) -> bool:
    del memory
    return self._polled_at == 0


def _outside_earned(basis: MarketBasis) -> Memory:
    made = _update_ledger(basis)
    before = basis.memory.ledger
    assert made.ledger is not None
    return replace(made, ledger=replace(made.ledger, outside=before.outside if before else 0))


def _of_any_lease() -> Callable[..., TransferCause]:
    of_message, leases = transfer_causes._of_message, set[LeaseId]()

    def wrong(message: Any, closed: set[LeaseId], address: str) -> TransferCause:
        cause = of_message(message, closed, address)
        leases.update({cause.lease} if cause.lease else ())
        return replace(cause, lease=min(leases)) if cause.lease and not cause.is_refund else cause

    return wrong


def _waits_for_machines(basis: MarketBasis) -> Proposals:
    if any(isinstance(view.workloads, Unseen) for view in basis.adapters.values()):
        return Proposals()
    return _plan_bids(basis)


def _lost_pods(*_: object) -> list[Any]:
    raise KeyError("pod")


_NOTHING: Callable[..., Any] = lambda *_, **__: iter(())  # noqa: E731

MUTANTS = (
    Mutant(
        "forgets its bids, and sends what the simulation refuses",
        "NoOrderIsBidTwice",
        (
            ("reconciler.planning.planner.plan_bids", _bids_forgotten),
            (f"{MessageFilter.__module__}.MessageFilter.filter", _nothing_dropped),
        ),
    ),
    Mutant(
        "forgets the multipliers of tenants",
        "EveryBidHasThePriceOfTheFile",
        ((f"{pricing.__name__}.factor", lambda *_: Decimal(1)),),
        terms=replace(TERMS, tables=True),
    ),
    Mutant(
        "does not move the billed period",
        "NoPeriodIsBilledTwice",
        (
            (f"{memory_update.__name__}._usage_after", _period_kept),
            (f"{usage_metering.__name__}._current_period", _records_unread),
        ),
    ),
    Mutant(
        "bills what is leased",
        "NobodyIsBilledForMoreThanRan",
        ((f"{usage_metering.__name__}.usage_rate", _rate_of_lease),),
    ),
    Mutant(
        "serves without an escrow",
        "NobodyIsServedUnfunded",
        ((f"{funding.__name__}.usage_left", lambda *_: TimeLeft(Funding.HEALTHY, None, None)),),
    ),
    Mutant(
        "ends what one node shows without funds",
        "NoFundedLeaseIsEnded",
        ((f"{witness_doubts.__name__}.doubt", lambda *_: ""),),
        steps=FUNDED,
    ),
    Mutant(
        "serves beyond the escrow's balance, and bills nothing",
        "NobodyIsServedUnfunded",
        (
            (f"{usage_funding.__name__}._blocks_left", lambda *_: 1_000_000),
            (f"{usage.__name__}._record", _NOTHING),
        ),
    ),
    Mutant(
        "counts the deposits of open bids alone",
        "DepositsAreAccountedFor",
        ((f"{ledger.__name__}.locked_deposits", _open_alone),),
    ),
    Mutant(
        "bids with the reserve",
        "BalanceStaysAboveItsReserve",
        (
            (f"{bid_budget.__name__}.BidBudget.lacks", lambda _: None),
            (f"{bid_budget.__name__}.BidBudget.fees_of", lambda _, bids: 10_000 * bids),
        ),
    ),
    Mutant(
        "confirms no withdrawal",
        "EveryIntentEnds",
        (("reconciler.cycle.run.confirm", _withdrawals_unconfirmed),),
    ),
    Mutant(
        "takes no lease for an active one",
        "NothingIsRemovedOnSilence",
        ((f"{workloads.__name__}.plan_removals", _remove_all),),
    ),
    Mutant(
        "removes nothing",
        "NoWorkloadOutlivesItsLease",
        ((f"{workloads.__name__}.plan_removals", _NOTHING),),
    ),
    Mutant(
        "never repeats what failed",
        "EveryLeaseGetsItsWorkload",
        ((f"{memory_update.__name__}.with_failure", _never_again),),
    ),
    Mutant(
        "reads the repository once",
        "TheNewestRevisionComesIntoForce",
        ((f"{RevisionFetcher.__module__}.RevisionFetcher._is_due", _once),),
    ),
    Mutant(
        "skips steps of the lifecycle",
        "TheLifecycleTableIsKept",
        (
            (f"{phases.__name__}.steps", lambda _, end: (end,)),
            (f"{phases.__name__}.trigger", lambda *_: "a jump"),
        ),
    ),
    Mutant(
        "bids only when all machines are seen",
        "NoBidWaitsForAnotherTarget",
        (("reconciler.planning.planner.plan_bids", _waits_for_machines),),
    ),
    Mutant(
        "takes a deposit of its owner for earnings",
        "TheLedgerEqualsTheBooks",
        ((f"{memory_update.__name__}.update_ledger", _outside_earned),),
    ),
    Mutant(
        "books income on any lease",
        "EachLeaseEarnsWhatTheChainPaid",
        ((f"{transfer_causes.__name__}._of_message", _of_any_lease()),),
    ),
    Mutant(
        "withdraws together what is almost due alone",
        "FeesAreNearTheCheapest",
        ((f"{withdrawals.__name__}.NEARLY_DUE_PERCENT", 75),),
        steps=(*CALM, DAYS_LATER),
    ),
    Mutant(
        "stumbles over a lost pod",
        "NoCycleFailsByABug",
        ((f"{phases.__name__}._losses", _lost_pods),),
    ),
    Mutant(
        "believes one node",
        "NothingIsRemovedOnSilence",
        ((f"{Witness.__module__}.Witness.unconfirmed", lambda *_: {}),),
    ),
    Mutant(
        "promises what open bids hold",
        "WhatIsAcceptedHasRoom",
        ((f"{promises.__name__}._bids", _NOTHING),),
    ),
    Mutant(
        "leaves losing bids open",
        "DepositsComeBack",
        ((f"{leases.__name__}._stale_bids", _NOTHING),),
    ),
    Mutant(
        "applies a workload in every cycle",
        "AQuietWorldFallsSilent",
        ((f"{workloads.__name__}._difference", lambda _: "again"),),
        steps=STORY[:15],
    ),
)
"""Each is caught by the invariant that it names, in the story above."""
