"""A year of a provider with 200 tenants: journal, cycle time, and the ledger's sum against the chain.

Each cycle stands for an hour. Each day a tenant leaves and another order appears, which the provider wins;
what exceeds its float is paid out.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from statistics import median

from reconciler.cycle.run import Runner
from reconciler.planning.money.ledger import FEE_COLLECTOR
from reconciler.values.ids import LeaseId, OrderId
from reconciler.values.intents import FeeTerms, Intent, Prepared
from reconciler.values.ledger import BookedEntry, EntryKind
from reconciler.values.limits import Limits, PayoutRules
from reconciler.values.memory import Memory
from reconciler.values.messages import CreateBid, Message, PayOut, WithdrawLease
from reconciler.values.money import accrued, after_take
from reconciler.values.observed import Bid, Lease, Market, State, Transfer, TransferCause, TxResult, Wallet
from reconciler.values.outcomes import Done, Outcome
from reconciler.values.readings import Seen
from tests import makers
from tests.bench.figures import show
from tests.bench.holdings import PROVIDER
from tests.cycle.worlds import MemoryChain, scenery

TENANTS, HOURS, MONTH_HOURS, BLOCKS_PER_HOUR = 200, 365 * 24, 30 * 24, 720
ESCROW = "ve14pphss726thpwws3yc458hggufynm9x70ervuw"
PAYEE = "ve1owner"
OTHERS = {EntryKind.FEE: FEE_COLLECTOR, EntryKind.PAYOUT: PAYEE}
FUNDS = 10**12
LIMITS = Limits(
    payout=PayoutRules(PAYEE, 20_000_000, amount_max=10**12, day_max=10**12),
    promised_per_tenant_percent=100,
)


def tenant(number: int) -> str:
    """A tenant's address, as far as its form goes."""
    return "ve1" + hashlib.sha256(str(number).encode()).hexdigest()[:38].translate(
        str.maketrans("1bio", "qpzr")
    )


def lease_id(number: int) -> LeaseId:
    """The lease of the deployment with this number; tenants take turns."""
    return LeaseId(OrderId(tenant(number % TENANTS), number + 1, 1, 1), PROVIDER)


@dataclass
class YearChain(MemoryChain):
    """Executes what is sent to it, an hour later, and knows every change of the provider's balance."""

    pending: list[Intent] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    made: int = 0
    sums: Counter[EntryKind] = field(default_factory=Counter)

    def prepare(self, messages: Sequence[Message], terms: FeeTerms) -> Prepared | Outcome:
        self.made += 1
        market = self.market
        name = hashlib.sha256(str(self.made).encode()).hexdigest().upper()
        height = market.height
        sequence = market.wallet.sequence
        return Prepared(
            Intent(name, b"tx", tuple(messages), terms.fee, sequence, height + 20, height, terms.fee * 40)
        )

    def broadcast(self, intent: Intent) -> Outcome:
        self.pending.append(intent)
        return Done()

    @property
    def market(self) -> Market:
        assert isinstance(self.reading, Seen)
        return self.reading.view

    def pass_an_hour(self, number: int) -> None:
        """Execute what was sent, at a height an hour later."""
        market = self.market
        market = replace(market, height=market.height + BLOCKS_PER_HOUR, time=market.time + 3_600)
        self.transfers, results = [], {}
        for intent in self.pending:
            market = self._move(market, intent.hash, EntryKind.FEE, -intent.fee)
            for message in intent.messages:
                market = self._execute(market, intent.hash, message)
            wallet = replace(market.wallet, sequence=market.wallet.sequence + 1)
            market = replace(market, wallet=wallet)
            results[intent.hash] = TxResult(intent.hash, market.height, 0, "", "", intent.gas)
        self.pending = []
        market = self._trade(market, number)
        self.reading = Seen(replace(market, transfers=tuple(self.transfers), tx_results=results))

    def _move(
        self, market: Market, tx: str, kind: EntryKind, amount: int, cause: TransferCause | None = None
    ) -> Market:
        """The market after the provider's balance changed; the books of the chain have its kind."""
        other = OTHERS.get(kind, ESCROW)
        sender, recipient = (PROVIDER, other) if amount < 0 else (other, PROVIDER)
        moved = Transfer(market.height, tx, sender, recipient, abs(amount), cause or TransferCause())
        self.transfers.append(moved)
        self.sums[kind] += amount
        wallet = replace(market.wallet, balance=market.wallet.balance + amount)
        return replace(market, wallet=wallet)

    def _execute(self, market: Market, tx: str, message: Message) -> Market:
        match message:
            case WithdrawLease(id=lease):
                return self._settle(market, tx, lease)
            case PayOut(recipient=recipient, amount=amount):
                assert recipient == PAYEE
                return self._move(market, tx, EntryKind.PAYOUT, -amount)
            case CreateBid(id=bid, price=price, deposit=deposit):
                market = self._move(market, tx, EntryKind.DEPOSIT, -deposit)
                order = market.orders[bid.order]
                made = Bid(bid, State.OPEN, price, market.height, deposit, order)
                return replace(market, bids={**market.bids, bid: made})
            case _:
                raise AssertionError(f"nothing calls for {message}")

    def _settle(self, market: Market, tx: str, lease: LeaseId) -> Market:
        account = market.accounts[lease.deployment]
        gross = accrued(market.leases[lease].price, market.height - account.settled_at)
        net = after_take(gross, market.rules.take_percent)
        cause = TransferCause(lease, lease.deployment)
        market = self._move(market, tx, EntryKind.LEASE, net, cause)
        account = replace(account, settled_at=market.height, funds=account.funds - gross)
        return replace(market, accounts={**market.accounts, account.deployment: account})

    def _trade(self, market: Market, number: int) -> Market:
        """At noon an order appears; its tenant accepts our bid at once, and another tenant leaves."""
        day, hour = divmod(number, 24)
        new = lease_id(TENANTS + day)
        if hour == 12:
            order = replace(makers.order(1), id=new.order, created_at=market.height)
            market = replace(market, orders={new.order: order})
        if new in market.bids and market.bids[new].state is State.OPEN:
            market = self._leave(market, lease_id(day))
            won = replace(market.bids[new], state=State.ACTIVE, order=None)
            lease = _lease(new, market.height, won.price)
            account = makers.account(lease, settled_at=market.height, funds=FUNDS)
            market = replace(
                market,
                orders={},
                bids={**market.bids, new: won},
                leases={**market.leases, new: lease},
                accounts={**market.accounts, new.deployment: account},
            )
        return market

    def _leave(self, market: Market, lease: LeaseId) -> Market:
        market = self._settle(market, "", lease)
        cause = TransferCause(lease, lease.deployment, is_refund=True)
        market = self._move(market, "", EntryKind.REFUND, market.bids[lease].deposit, cause)
        return replace(
            market,
            bids={k: v for k, v in market.bids.items() if k != lease},
            leases={k: v for k, v in market.leases.items() if k != lease},
            accounts={k: v for k, v in market.accounts.items() if k != lease.deployment},
        )


def _lease(key: LeaseId, height: int, price: Decimal) -> Lease:
    made = makers.lease(1, created_at=height, price=price)
    return replace(made, id=key, payment=replace(made.payment, lease=key, rate=price))


def _market() -> Market:
    leases = [_lease(lease_id(n), makers.HEIGHT, Decimal(2446)) for n in range(TENANTS)]
    bids = [Bid(each.id, State.ACTIVE, each.price, each.created_at, 500_000) for each in leases]
    accounts = [makers.account(x, settled_at=makers.HEIGHT, funds=FUNDS) for x in leases]
    return makers.market(
        leases=leases,
        bids=bids,
        accounts=accounts,
        wallet=Wallet(PROVIDER, 4, 0, 20_000_000),
        block_seconds=Decimal(5),
    )


def bench_year(hours: int = HOURS) -> None:
    """Prints the figures; AssertionError if the ledger differs from the chain."""
    with tempfile.TemporaryDirectory() as directory:
        scene = scenery(Path(directory), _market())
        scene.chain = chain = YearChain(scene.chain.reading, scene.calls)
        room = makers.ROOM.times(2 * TENANTS)
        scene.adapter.view = replace(scene.adapter.view, capacity=Seen(makers.capacity_of(room)))
        environment = replace(scene.world, limits=lambda: LIMITS)
        runner = Runner(environment, PROVIDER)
        journal = Path(directory) / "state" / "journal.sqlite"
        times: list[float] = []
        sizes: list[int] = []
        for number in range(hours):
            began = time.process_time()
            runner.run_cycle()
            times.append(time.process_time() - began)
            scene.calls.clear()
            del scene.repo.published[:-1]
            chain.pass_an_hour(number)
            scene.clock.seconds += 3_600
            if number % MONTH_HOURS == 0 or number == hours - 1:
                sizes.append(journal.stat().st_size)
        runner.run_cycle()
        records = scene.journal.records
        booked, memory = records.ledger(), records.memory()
        scene.journal.close()
    _check(booked, memory, chain)
    tenth = len(times) // 10
    first, last = (1000 * median(part) for part in (times[tenth : 2 * tenth], times[-tenth:]))
    show(f"a year of {TENANTS} tenants: ledger, entries", f"{len(booked)}", "sum = balance on the chain")
    show("  cycle in its second tenth", f"{first:.1f} ms")
    show("  cycle in its last tenth", f"{last:.1f} ms", f"{last / first:.2f} x")
    show("  journal, each month", " ".join(f"{size / 2**20:.0f}" for size in sizes), "MB")


def _check(booked: Sequence[BookedEntry], memory: Memory, chain: YearChain) -> None:
    """The ledger has what the chain has, by kind and in all."""
    market = chain.market
    assert booked[-1].balance == sum(each.entry.amount for each in booked) == market.wallet.balance
    sums = Counter[EntryKind]()
    for each in booked:
        sums[each.entry.kind] += each.entry.amount
    assert not sums[EntryKind.UNEXPLAINED]
    assert memory.ledger is not None
    assert memory.ledger.paid_out == -sums[EntryKind.PAYOUT] > 0
    assert dict(chain.sums) == {
        kind: amount for kind, amount in sums.items() if kind is not EntryKind.OPENING
    }


if __name__ == "__main__":
    bench_year(int(sys.argv[1]) * 24 if len(sys.argv) > 1 else HOURS)
