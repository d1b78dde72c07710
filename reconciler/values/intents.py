"""Intents: signed transactions, recorded in the journal before they are broadcast."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from reconciler.values.messages import Message
from reconciler.values.outcomes import Failed, Refused


@dataclass(frozen=True, slots=True)
class Intent:
    """A signed transaction, written to the journal before it is broadcast; `fee` in uve, `sequence` the
    account's that it uses, `gas` simulated for it (0: not known).
    """

    hash: str
    tx: bytes
    messages: tuple[Message, ...]
    fee: int
    sequence: int
    timeout_height: int
    signed_at_height: int
    gas: int = 0


class IntentOutcome(StrEnum):
    """How an intent ended: committed successfully; refused by the node's check (nothing is spent) or failed
    in a block (its fee is spent); or expired unexecuted.
    """

    LANDED = "landed"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """An intent's end (semantics 1.2); `height` is 0 if the node's check refused it, otherwise `code`, `log`
    and `gas_used` are those of the block.
    """

    intent: Intent
    outcome: IntentOutcome
    height: int = 0
    time: int = 0
    code: int = 0
    codespace: str = ""
    log: str = ""
    gas_used: int = 0


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """How a transaction pays for its gas: `fee` uve are expected, the gas limit is `gas_factor` times the
    simulated gas and `gas_spare`, and `fees_max` is the most that each message may cost, in their order.
    """

    fee: int
    fees_max: tuple[int, ...]
    gas_factor: Decimal
    gas_spare: int = 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """A transaction ready to be recorded and broadcast, and the messages that its simulation refused, each
    with its outcome.
    """

    intent: Intent | None
    dropped: tuple[tuple[Message, Refused | Failed], ...] = ()
