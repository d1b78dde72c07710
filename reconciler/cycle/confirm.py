"""Confirms open intents from the chain view: landed, refused, expired, or still unknown. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.values.intents import Confirmation, Intent, IntentOutcome
from reconciler.values.observed import Market, TxResult
from reconciler.values.readings import Reading, Unseen

FEELESS_FAILURES = frozenset({("sdk", 30), ("sdk", 32), ("sdk", 42), ("ratelimit", 1), ("ratelimit", 3)})
"""Failures in a block that cost neither fee nor sequence and so count as expired: timed out, preceded by
another transaction of the same sequence, or over the rate limit (semantics 1.2, 1.5).
"""


SUPERSEDED = (32, "sdk")
"""Code and codespace of a transaction whose sequence another one used: it can never be executed."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The intents that ended, and those still open."""

    unknown: tuple[Intent, ...]
    ended: tuple[Confirmation, ...]


def confirm(intents: Iterable[Intent], market: Reading[Market]) -> Confirmed:
    """Evaluate each intent; while the chain is unseen, all stay unknown."""
    intents = tuple(intents)
    if isinstance(market, Unseen):
        return Confirmed(intents, ())
    ended = [(intent, _end_of(intent, market.view)) for intent in intents]
    return Confirmed(
        tuple(intent for intent, end in ended if end is None),
        tuple(end for _, end in ended if end is not None),
    )


def _end_of(intent: Intent, market: Market) -> Confirmation | None:
    result = market.tx_results.get(intent.hash)
    if result is not None:
        return _ended(intent, result, market.time)
    for other in market.signed:
        if other.sequence == intent.sequence:
            log = f"transaction {other.hash} used its sequence {other.sequence} at height {other.height}"
            return Confirmation(intent, IntentOutcome.EXPIRED, other.height, market.time, *SUPERSEDED, log)
    if market.height > intent.timeout_height:
        return Confirmation(intent, IntentOutcome.EXPIRED, market.height, market.time)
    return None


def _ended(intent: Intent, result: TxResult, time: int) -> Confirmation:
    if result.code == 0:
        outcome = IntentOutcome.LANDED
    elif (result.codespace, result.code) in FEELESS_FAILURES:
        outcome = IntentOutcome.EXPIRED
    else:
        outcome = IntentOutcome.REFUSED
    ending = (result.height, time, result.code, result.codespace, result.log, result.gas_used)
    return Confirmation(intent, outcome, *ending)
