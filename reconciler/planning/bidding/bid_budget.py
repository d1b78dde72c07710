"""The money that is left for bids."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconciler.planning.money.day_totals import day_fees
from reconciler.planning.money.fees import Fees
from reconciler.planning.planning_input import MarketBasis
from reconciler.planning.revisions.approvals import spending_breach
from reconciler.values.approvals import Breach
from reconciler.values.plans import Hold, Reason
from reconciler.values.subjects import PROVIDER
from reconciler.values.times import HOUR_SECONDS


@dataclass(frozen=True, slots=True)
class BidBudget:
    """What may still be spent: of the balance above its reserve, of the hour's allowance, and of the fees of
    the day; in uve.

    `breach` is what the owner may approve once the allowance is used up; an approval doubles it.
    """

    balance: int
    allowance: int
    day_fees: int
    deposit: int
    fee: int
    reserve: int
    breach: Breach
    approved: bool

    @classmethod
    def of(cls, basis: MarketBasis) -> BidBudget:
        """The budget before this cycle's bids; a bid costs its deposit and its fee."""
        ledger = basis.memory.ledger
        spent = sum(a for t, a in ledger.spent if t > basis.market.time - HOUR_SECONDS) if ledger else 0
        deposit, fee = (
            basis.market.rules.bid_deposit,
            Fees.under(basis.market.rules, basis.limits, basis.memory).bid,
        )
        reserve = basis.limits.balance_reserve
        breach = spending_breach(basis.desired.commit, basis.limits, basis.market.wallet.address)
        approved = breach.digest in basis.memory.approvals
        allowed = basis.limits.spend_per_hour * (2 if approved else 1)
        return cls(
            balance=basis.market.wallet.balance - reserve,
            allowance=allowed - spent,
            day_fees=basis.limits.fees_per_day - day_fees(ledger, basis.market.time),
            deposit=deposit,
            fee=fee,
            reserve=reserve,
            breach=breach,
            approved=approved,
        )

    @property
    def each(self) -> int:
        """What one bid locks and costs."""
        return self.deposit + self.fee

    def lacks(self) -> Hold | None:
        """Why no further bid can be paid."""
        each = f"a bid locks and costs {self.each}uve"
        if self.balance < self.each:
            why = f"{each}; {max(self.balance, 0)}uve are left above the reserve of {self.reserve}uve"
            return Hold(PROVIDER, Reason.NO_BALANCE, why)
        if self.day_fees < self.fee:
            why = f"a bid's fee is {self.fee}uve; {max(self.day_fees, 0)}uve are left of the host file's "
            return Hold(PROVIDER, Reason.CEILING, f"{why}fees_per_day")
        if self.allowance < self.each:
            why = f"{each}; {max(self.allowance, 0)}uve are left of the host file's spend_per_hour"
            if self.approved:
                return Hold(PROVIDER, Reason.CEILING, f"{why}, including the approved amount")
            why += f"; `{self.breach.command}` on the host allows as much again within an hour"
            return Hold(PROVIDER, Reason.CEILING, why, approval=self.breach.digest)
        return None

    def fees_of(self, bids: int) -> int:
        """What may be spent on the fees of so many bids, beside their deposits."""
        return min(min(self.balance, self.allowance) - bids * self.deposit, self.day_fees)

    def after_bid(self) -> BidBudget:
        """The budget after one more bid."""
        return replace(
            self,
            balance=self.balance - self.each,
            allowance=self.allowance - self.each,
            day_fees=self.day_fees - self.fee,
        )
