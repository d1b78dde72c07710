"""The provider's books, reckoned from every block of the chain and held against its balance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.devnet.accounts import PROVIDER_UVE
from reconciler.devnet.probe_chain import ChainEvent
from reconciler.devnet.stage import Stage
from reconciler.devnet.tenant import BID_DEPOSIT_UVE


@dataclass(frozen=True, slots=True)
class AuditedBooks:
    """Whole uve; `leases` and `usage` net of the chain's cut, `locked` deposits of bids that are not over."""

    started: int
    leases: int
    usage: int
    fees: int
    transactions: int
    locked: int
    balance: int

    @property
    def income(self) -> int:
        """What tenants paid, net."""
        return self.leases + self.usage

    @property
    def earned(self) -> int:
        """What is left of it after fees."""
        return self.income - self.fees

    @property
    def agree(self) -> bool:
        """Whether they come to the balance, to the uve."""
        return self.started + self.earned - self.locked == self.balance

    def lines(self) -> Iterator[str]:
        """The balance sheet."""
        yield _line("balance at the start", self.started)
        yield _line("leases paid, less the take fee of 2 %", self.leases)
        yield _line("usage settled, less 6 %", self.usage)
        yield _line(f"fees of {self.transactions} transactions", -self.fees)
        yield _line("deposits locked in bids of running leases", -self.locked)
        yield _line("balance now", self.balance)
        yield _line("earned", self.earned)


def _line(name: str, amount: int) -> str:
    return f"{name:<44}{amount:>14,}uve"


def audit(stage: Stage) -> AuditedBooks:
    """Read every block; a payment that no deposit explains is income."""
    us, leases, usage, fees, count, locked = stage.provider, 0, 0, 0, 0, 0
    for done in stage.chain.happenings():
        if done.payer == us:
            fees, count = fees + done.fee, count + 1
        for sender, recipient, amount in _moves(done):
            if sender == us:
                locked += amount
            elif recipient == us and amount == BID_DEPOSIT_UVE:
                locked -= amount
            elif recipient == us and "MsgSettleOrder" in done.actions:
                usage += amount
            elif recipient == us:
                leases += amount
    balance = stage.node.balance(us)
    return AuditedBooks(PROVIDER_UVE, leases, usage, fees, count, locked, balance)


def _moves(done: ChainEvent) -> tuple[tuple[str, str, int], ...]:
    """Coins moved by messages: the first movement of a transaction is its fee."""
    return done.moves[1:] if done.fee else done.moves
