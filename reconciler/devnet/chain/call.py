"""What a message's execution works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from reconciler.chain.proto.escrow_types_v1_pb2 import Account, Payment
from reconciler.devnet.chain.events import EventLog
from reconciler.devnet.chain.store import Branch

NANOSECONDS = 10**9


@dataclass(slots=True)
class MessageCall:
    """The state a message may change, the block it runs in, and the events it leaves."""

    state: Branch
    height: int
    time_ns: int
    hooks: Hooks
    events: EventLog = field(default_factory=EventLog)

    @property
    def time(self) -> int:
        """The block's time in unix seconds."""
        return self.time_ns // NANOSECONDS


@dataclass(frozen=True, slots=True)
class Hooks:
    """What other modules do when escrow closes an account or a payment."""

    account_closed: Callable[[MessageCall, Account], None]
    payment_closed: Callable[[MessageCall, Payment], None]
