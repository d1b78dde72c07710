"""The chain's own books on our account: each movement of coins with its other side, to the uve."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.chain.proto.take_v1_pb2 import Params as TakeParams
from reconciler.devnet.chain.addresses import ESCROW, FEE_COLLECTOR, SETTLEMENT
from reconciler.devnet.chain.blocks import StoredBlock
from reconciler.devnet.chain.call import ChainEventRecord
from reconciler.devnet.chain.escrow_records import account_id, payment_id
from reconciler.devnet.chain.tables import ESCROW_ACCOUNTS, ESCROW_PAYMENTS, PARAMS, PAYOUTS
from reconciler.values.ids import LeaseId
from tests.simulation.seeded.chain import JumpingChain

MODULES = (FEE_COLLECTOR, ESCROW, SETTLEMENT)


HEIGHTS_KEPT = 500


class Books:
    """Every block is booked once; `earned` by height is what modules paid us less what we paid them, with the
    deposits that the escrow module holds for our bids.
    """

    def __init__(self, chain: JumpingChain, address: str) -> None:
        self._chain = chain
        self._address = address
        self._of_modules = 0
        self.outside = 0
        self._earned: dict[int, int] = {}
        self._locked: dict[int, int] = {}
        self._outside: dict[int, int] = {}
        self._withdrawn: dict[LeaseId, int] = {}
        self._net_withdrawn: dict[LeaseId, int] = {}
        self._take_percent = self._take_rate()
        """Before the block that is booked: a proposal takes effect behind a block's transactions."""
        self._paid: list[tuple[int, Mapping[LeaseId, int]]] = [(0, {})]
        """By the heights at which it changed."""

    def book(self, block: StoredBlock) -> None:
        """Book a block's movements."""
        for tx in block.txs:
            self._book(tx.outcome.events)
        self._book(block.events)
        if block.txs or block.events:
            self._book_leases(block.height)
        self._take_percent = self._take_rate()
        self._locked[block.height] = locked = self.locked()
        self._outside[block.height] = self.outside
        self._earned[block.height] = self._of_modules + locked
        if len(self._earned) > HEIGHTS_KEPT:
            for books in (self._earned, self._locked, self._outside):
                del books[next(iter(books))]

    def locked_at(self, height: int) -> int | None:
        """The uve in the escrow accounts of our bids at a height; None as for `earned`."""
        return self._locked.get(height)

    def earned(self, height: int) -> int | None:
        """What we had earned up to a height; None if it was not booked or is too long ago."""
        return self._earned.get(height)

    def outside_at(self, height: int) -> int:
        """The sum that came from outside up to a height."""
        return self._outside[max(each for each in self._outside if each <= height)]

    def paid(self, height: int) -> Mapping[LeaseId, int]:
        """What the chain paid us for each lease up to a height, after its fees."""
        return next(paid for since, paid in reversed(self._paid) if since <= height)

    def locked(self) -> int:
        """The uve in the escrow accounts of our bids."""
        total = 0
        for key, state in self._chain.view().scan(ESCROW_ACCOUNTS, b"\x11\x00\x01/bid/"):
            if account_id(key).xid.endswith(self._address):
                total += sum(int(each.balance.amount) for each in state.deposits) // 10**18
        return total

    def _book(self, events: Iterable[ChainEventRecord]) -> None:
        for event in events:
            if event.kind != "transfer":
                continue
            said = dict(event.attributes)
            amount = int(said["amount"].removesuffix("uve") or 0) if said["amount"].endswith("uve") else 0
            sign = (said["recipient"] == self._address) - (said["sender"] == self._address)
            other = said["sender"] if sign > 0 else said["recipient"]
            if other in MODULES:
                self._of_modules += sign * amount
            else:
                self.outside += sign * amount

    def _book_leases(self, height: int) -> None:
        """By the tables of payments and payouts; a payment's own figure is before the chain's take."""
        for lease, withdrawn in self._payments():
            gross = withdrawn - self._withdrawn.get(lease, 0)
            self._withdrawn[lease] = withdrawn
            net = self._net_withdrawn.get(lease, 0) + gross - gross * self._take_percent // 100
            self._net_withdrawn[lease] = net
        paid = {lease: net for lease, net in self._net_withdrawn.items() if net}
        for payout in self._chain.rows(PAYOUTS):
            if payout.provider == self._address and payout.state == "completed":
                lease = LeaseId.parse(payout.lease_id)
                paid[lease] = paid.get(lease, 0) + sum(int(each.amount) for each in payout.net_amount)
        if paid != self._paid[-1][1]:
            self._paid.append((height, paid))

    def _take_rate(self) -> int:
        """The chain's share of payments, in percent."""
        take = TakeParams.FromString(self._chain.view().get(PARAMS, b"take") or b"")
        return {each.denom: each.rate for each in take.denom_take_rates}.get("uve", take.default_take_rate)

    def _payments(self) -> Iterator[tuple[LeaseId, int]]:
        for key, state in self._chain.view().scan(ESCROW_PAYMENTS):
            if state.owner == self._address:
                id_ = payment_id(key)
                yield LeaseId.parse(f"{id_.aid.xid}/{id_.xid}"), int(state.withdrawn.amount)
