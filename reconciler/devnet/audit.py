"""The provider's income and costs, computed from every block and compared with its balance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.devnet.accounts import PROVIDER_UVE
from reconciler.devnet.demo import Demo
from reconciler.devnet.trading import BID_DEPOSIT_UVE


@dataclass(frozen=True, slots=True)
class BalanceSheet:
    """Whole uve; `leases` and `usage` net of the chain's cut, `locked` the deposits of bids that are not
    closed.
    """

    start: int
    leases: int
    usage: int
    fees: int
    transactions: int
    locked: int
    balance: int

    @property
    def income(self) -> int:
        """Payments of tenants, net."""
        return self.leases + self.usage

    @property
    def earned(self) -> int:
        """Income less fees."""
        return self.income - self.fees

    @property
    def is_balanced(self) -> bool:
        """Whether the entries add up to the balance, to the uve."""
        return self.start + self.earned - self.locked == self.balance

    def lines(self) -> Iterator[str]:
        """The balance sheet as text."""
        entries = {
            "balance at the start": self.start,
            "leases paid, less the take fee of 2 %": self.leases,
            "usage settled, less 6 %": self.usage,
            f"fees of {self.transactions} transactions": -self.fees,
            "deposits locked in bids of running leases": -self.locked,
            "balance now": self.balance,
            "earned": self.earned,
        }
        return (f"{name:<44}{amount:>14,}uve" for name, amount in entries.items())


def audit(demo: Demo) -> BalanceSheet:
    """Read every block; a payment that is no refunded deposit is income."""
    us, leases, usage, fees, count, locked = demo.provider, 0, 0, 0, 0, 0
    for tx in demo.probe.transactions():
        if tx.payer == us:
            fees, count = fees + tx.fee, count + 1
        for sender, recipient, amount in tx.transfers[1:] if tx.fee else tx.transfers:  # the first is the fee
            if sender == us:
                locked += amount
            elif recipient == us and amount == BID_DEPOSIT_UVE:
                locked -= amount
            elif recipient == us and "MsgSettleOrder" in tx.messages:
                usage += amount
            elif recipient == us:
                leases += amount
    balance = demo.probe.client.balance(us)
    return BalanceSheet(PROVIDER_UVE, leases, usage, fees, count, locked, balance)
