"""Intents: signed transactions, recorded in the journal before they are broadcast."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.values.messages import Message


@dataclass(frozen=True, slots=True)
class Intent:
    """A signed transaction, written to the journal before it is broadcast; `fee` in uve, `sequence` the
    account's that it uses.
    """

    hash: str
    tx: bytes
    messages: tuple[Message, ...]
    fee: int
    sequence: int
    timeout_height: int
    signed_at_height: int


class IntentOutcome(StrEnum):
    """How an intent ended."""

    LANDED = "landed"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """An intent's end: landed in a block, refused there (its fee is spent), or expired unexecuted (semantics
    1.2).
    """

    intent: Intent
    fate: IntentOutcome
    height: int = 0
    time: int = 0
    code: int = 0
    codespace: str = ""
    log: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A transaction ready to be recorded and broadcast, and the messages that its simulation refused, each
    with the chain's error.
    """

    intent: Intent | None
    dropped: tuple[tuple[Message, str], ...] = ()
