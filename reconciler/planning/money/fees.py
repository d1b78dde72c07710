"""Message fees: measured gas (semantics 1.6), converted into uve."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from reconciler.planning.money.gas import gas_factor
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory
from reconciler.values.messages import (
    CloseBid,
    CreateBid,
    Message,
    PayOut,
    RecordUsage,
    SettleUsage,
    WithdrawLease,
)
from reconciler.values.money import ceil_uve, fee_of
from reconciler.values.observed import ChainParams

GAS_CREATE_BID = 112_872
GAS_CLOSE_BID = 92_868
GAS_CLOSE_LEASE = 203_035
GAS_WITHDRAW = 123_465
GAS_RECORD = 119_884
GAS_SETTLE = 866_076
GAS_SEND = 65_942
"""Medians of accepted single-message transactions."""

GAS_TRANSACTION = 45_000
"""The part of each median that a transaction pays once, whatever its messages."""


@dataclass(frozen=True, slots=True)
class Fees:
    """Expected fees in uve at the node's gas price.

    `least` is the host file's smallest factor on simulated gas, `memory` has what was measured.
    """

    gas_price: Decimal
    least: Decimal | None = None
    memory: Memory = field(default_factory=Memory)

    @classmethod
    def under(cls, rules: ChainParams, limits: Limits, memory: Memory | None = None) -> Fees:
        """Fees at the node's gas price, with the gas that was measured."""
        return cls(rules.gas_price, limits.gas_adjustment, memory or Memory())

    def factor(self, kinds: Iterable[type[Message]]) -> Decimal:
        """The factor over the simulated gas for a transaction of these kinds of messages."""
        return max(gas_factor(self.memory, kind.__name__, self.least) for kind in kinds)

    def of(self, messages: Iterable[Message]) -> int:
        """The expected fee of one transaction of these messages; 0 without any."""
        messages = tuple(messages)
        if not messages:
            return 0
        gas = GAS_TRANSACTION + sum(gas_of(m) - GAS_TRANSACTION for m in messages)
        return self._of_gas(gas, *map(type, messages))

    @property
    def lease_costs(self) -> int:
        """The fees of one lease: the bid, one withdrawal, closing."""
        return self.bid + self.after_bid

    @property
    def after_bid(self) -> int:
        """The fees of one lease that follow its bid."""
        return self.withdrawal + self._of_gas(GAS_CLOSE_BID, CloseBid)

    def break_even_blocks(self, rate: Decimal, take_percent: int) -> int:
        """Blocks until a lease at `rate` uve per block has earned `lease_costs`."""
        net = rate * (100 - take_percent) / 100
        return ceil_uve(self.lease_costs / net)

    @property
    def bid(self) -> int:
        """The fee of one bid."""
        return self._of_gas(GAS_CREATE_BID, CreateBid)

    @property
    def withdrawal(self) -> int:
        """The fee of one withdrawal."""
        return self._of_gas(GAS_WITHDRAW, WithdrawLease)

    @property
    def further_withdrawal(self) -> int:
        """The fee of one more withdrawal in a transaction that is sent anyway."""
        return self._of_gas(GAS_WITHDRAW - GAS_TRANSACTION, WithdrawLease)

    @property
    def settle(self) -> int:
        """The fee of settling usage records."""
        return self._of_gas(GAS_SETTLE, SettleUsage)

    @property
    def record_and_settle(self) -> int:
        """The fees of one usage record and, in a later transaction, its settlement."""
        return self._of_gas(GAS_RECORD, RecordUsage) + self.settle

    def _of_gas(self, gas: int, *kinds: type[Message]) -> int:
        return fee_of(int(gas * self.factor(kinds)), self.gas_price)


def gas_of(message: Message) -> int:
    """The median gas of a message sent alone."""
    match message:
        case CreateBid():
            return GAS_CREATE_BID
        case CloseBid(lease=lease):
            return GAS_CLOSE_LEASE if lease else GAS_CLOSE_BID
        case WithdrawLease():
            return GAS_WITHDRAW
        case RecordUsage():
            return GAS_RECORD
        case SettleUsage():
            return GAS_SETTLE
        case PayOut():
            return GAS_SEND
