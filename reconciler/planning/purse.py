"""What may still be spent on bids."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconciler.planning.fees import Fees
from reconciler.planning.situation import Scene
from reconciler.values.plans import Hold, Reason


@dataclass(frozen=True, slots=True)
class Purse:
    """What may still be spent: of the balance above its reserve, and of the hour's allowance; in uve."""

    balance: int
    allowance: int
    each: int
    reserve: int

    @classmethod
    def of(cls, scene: Scene) -> Purse:
        """The purse before this cycle's bids; a bid costs its deposit and its fee."""
        ledger = scene.memory.ledger
        spent = sum(a for t, a in ledger.spent if t > scene.market.time - 3600) if ledger else 0
        each = scene.market.rules.bid_deposit + Fees.under(scene.market.rules, scene.limits).bid
        reserve = scene.limits.balance_reserve
        return cls(scene.market.wallet.balance - reserve, scene.limits.spend_per_hour - spent, each, reserve)

    def lacks(self) -> Hold | None:
        """Why no further bid can be paid."""
        each = f"a bid locks and costs {self.each}uve"
        if self.balance < self.each:
            why = f"{each}; {max(self.balance, 0)}uve are left above the reserve of {self.reserve}uve"
            return Hold("", Reason.NO_BALANCE, why)
        if self.allowance < self.each:
            why = f"{each}; {max(self.allowance, 0)}uve are left of the host file's spend_per_hour"
            return Hold("", Reason.CEILING, why)
        return None

    def after_bid(self) -> Purse:
        """The purse after one more bid."""
        return replace(self, balance=self.balance - self.each, allowance=self.allowance - self.each)
