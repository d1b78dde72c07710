"""Gas limits: how much of the simulated gas the chain used, by kind of message, and how much to buy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from reconciler.values.intents import Confirmation
from reconciler.values.memory import Memory

FIRST_FACTOR = Decimal("1.05")
"""The factor until a kind was measured; 95 % of the recorded transactions used at most 1.014 times the gas
that was simulated.
"""

SPARE_FACTOR = Decimal("0.02")
"""Bought above the largest measured factor."""

MEASURED_MAX = 20
"""Transactions of a kind that are remembered."""

SHORT_FACTOR = 2
"""The least increase after a refusal for gas, as most state only the gas used until then."""

FACTOR_MAX = 20
"""Upper bound of a factor."""

SHORT_SECONDS = 3_600
"""How long more gas is bought after a refusal, if no transaction of the kind is included meanwhile."""


def gas_factor(memory: Memory, kind: str, least: Decimal | None) -> Decimal:
    """The factor of the gas limit for a kind of message over the simulated gas, at least `least`."""
    if short := memory.gas_short.get(kind):
        found = Decimal(short) / 1000
    elif measured := memory.gas.get(kind):
        found = max(Decimal(max(measured)) / 1000, Decimal(1)) + SPARE_FACTOR
    else:
        found = FIRST_FACTOR
    return max(found, least or found)


def with_measured(memory: Memory, end: Confirmation) -> Memory:
    """The memory after a transaction in a block; what it used of its simulated gas counts for each kind of
    its messages.
    """
    if not end.intent.gas or not end.gas_used:
        return memory
    kinds = {type(m).__name__ for m in end.intent.messages}
    factor = min(-(-1000 * end.gas_used // end.intent.gas), 1000 * FACTOR_MAX)
    added = {kind: (*memory.gas.get(kind, ()), factor)[-MEASURED_MAX:] for kind in kinds}
    short = {kind: bought for kind, bought in memory.gas_short.items() if kind not in kinds}
    return replace(memory, gas={**memory.gas, **added}, gas_short=short)


def with_shortage(memory: Memory, kinds: Iterable[str], shortage: Decimal, now: int) -> Memory:
    """The memory after an out-of-gas refusal, which states `shortage`: how much of the limit was used."""
    more = max(shortage, Decimal(SHORT_FACTOR))
    bought = {kind: int(1000 * gas_factor(memory, kind, None) * more) for kind in kinds}
    bounded = {kind: min(each, 1000 * FACTOR_MAX) for kind, each in bought.items()}
    return replace(memory, gas_short={**memory.gas_short, **bounded}, gas_short_at=now)
