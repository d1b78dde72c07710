"""Message fees: measured gas (semantics 1.6), converted into uve."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from reconciler.values.limits import Limits
from reconciler.values.messages import (
    CloseBid,
    CreateBid,
    Message,
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
GAS_RECORD_AND_SETTLE = 952_610
"""Medians of accepted single-message transactions; the pair was measured together."""

WORST = 3
"""Allowance over the median: the most expensive withdrawal, which closes leases, cost 3 times the median."""


@dataclass(frozen=True, slots=True)
class Fees:
    """Expected fees in uve, at the node's gas price and our adjustment."""

    gas_price: Decimal
    adjustment: Decimal

    @classmethod
    def under(cls, rules: ChainParams, limits: Limits) -> Fees:
        """Fees at the node's gas price and the host file's gas adjustment."""
        return cls(rules.gas_price, limits.gas_adjustment)

    def of_gas(self, gas: int) -> int:
        """The fee for measured gas."""
        return fee_of(int(gas * self.adjustment), self.gas_price)

    @property
    def lease_costs(self) -> int:
        """The fees of one lease: the bid, one withdrawal, closing."""
        return self.of_gas(GAS_CREATE_BID + GAS_WITHDRAW + GAS_CLOSE_BID)

    def break_even_blocks(self, rate: Decimal, take_percent: int) -> int:
        """Blocks until a lease at `rate` uve per block has earned `lease_costs`."""
        net = rate * (100 - take_percent) / 100
        return ceil_uve(self.lease_costs / net)

    @property
    def bid(self) -> int:
        """The fee of one bid."""
        return self.of_gas(GAS_CREATE_BID)

    @property
    def withdrawal(self) -> int:
        """The fee of one withdrawal."""
        return self.of_gas(GAS_WITHDRAW)

    @property
    def settle(self) -> int:
        """The fee of settling usage records."""
        return self.of_gas(GAS_SETTLE)

    @property
    def record_and_settle(self) -> int:
        """The fee of one usage record and its settlement."""
        return self.of_gas(GAS_RECORD_AND_SETTLE)

    def ceiling(self, messages: Iterable[Message]) -> int:
        """The highest fee of one transaction of these messages."""
        return WORST * self.of_gas(sum(gas_of(m) for m in messages))


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
