"""The outside effects of a run: messages on the chain, money, cluster objects, published status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from google.protobuf.message import Message

from reconciler.chain.proto import market_v1beta5_pb2 as market
from reconciler.chain.proto import settlement_v1_pb2 as settlement
from reconciler.chain.proto.cosmos_bank_pb2 import MsgSend
from reconciler.chain.transactions import decode_tx
from reconciler.devnet.chain import addresses
from reconciler.devnet.chain.blocks import Included
from reconciler.values.ids import LeaseId
from tests.simulation.outside import ObjectCounts, Outside
from tests.simulation.scenario import LATER, OURS, USAGE, WEB, Scenario, lease

BRANCH = "status/provider"
VARYING = ("Withdrew", "usage", "Settled", "Transaction", "Status as observed")
"""Lines that name amounts of one period or a transaction's hash, and the line that stands where there is
nothing else to tell.
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """One executed message of ours; `terms` are the fields that must be equal in two runs."""

    height: int
    kind: str
    subject: str
    terms: str = ""

    @property
    def told(self) -> tuple[str, str, str]:
        """The message without its height, which may differ after a kill."""
        return self.kind, self.subject, self.terms


@dataclass(frozen=True, slots=True)
class Footprint:
    """All of it, as two runs must have it alike.

    Not in it, as a daemon that was down for a moment may do it a block or two later: heights, the periods of
    single usage records and the amounts and number of withdrawals, as a lease is also withdrawn when another
    one is due (their sums are in it), gas and fees, how the
    chain's own shares of payments were rounded, which lines share a status commit, and how often
    a notice was sent: its key tells the receiver.
    """

    messages: Counter[tuple[str, str, str]]
    failed: int
    money: int
    withdrawn: tuple[int, ...]
    usage: int
    settled: int
    objects: ObjectCounts
    told: frozenset[str]
    untold: frozenset[str]
    noticed: frozenset[str]
    shown: tuple[tuple[str, str], ...]


def footprint(scenario: Scenario) -> Footprint:
    """The footprint of a run."""
    outside = scenario.outside
    records = usage_records(scenario)
    return Footprint(
        messages=_counted(messages(outside)),
        failed=sum(tx.outcome.code != 0 for tx in transactions(outside)),
        money=_money(scenario),
        withdrawn=tuple(_withdrawn(scenario, lease(number)) for number in (WEB, USAGE, LATER)),
        usage=sum(_cost(each) for each in records),
        settled=sum(_cost(each) for each in records if each.settled),
        objects=outside.object_counts,
        told=frozenset(line for line in lines(outside) if not line.startswith(VARYING)),
        untold=frozenset({tx.hash for tx in transactions(outside)} - hashes_told(outside)),
        noticed=frozenset(outside.notices.keys()),
        shown=outside.page.shown(),
    )


def _counted(sent: list[Sent]) -> Counter[tuple[str, str, str]]:
    """Each message with its number; withdrawals of a lease count once."""
    counts = Counter(each.told for each in sent)
    return Counter({told: 1 if told[0] == "MsgWithdrawLease" else n for told, n in counts.items()})


def transactions(outside: Outside) -> Iterator[Included]:
    """Our transactions in blocks, in order."""
    for block in outside.chain.ledger:
        yield from (tx for tx in block.txs if addresses.of_public_key(decode_tx(tx.data).public) == OURS)


def messages(outside: Outside) -> list[Sent]:
    """Our executed messages, in order."""
    done = [tx for tx in transactions(outside) if tx.outcome.code == 0]
    return [_sent(tx.height, each) for tx in done for each in decode_tx(tx.data).messages]


def usage_records(scenario: Scenario) -> list[settlement.UsageRecord]:
    """The records of the usage-billed order by period, without duplicates."""
    request = settlement.QueryUsageRecordsByOrderRequest(order_id=str(lease(USAGE).order))
    path = "/virtengine.settlement.v1.Query/UsageRecordsByOrder"
    raw = scenario.outside.chain.query(path, request.SerializeToString())
    found = settlement.QueryUsageRecordsByOrderResponse.FromString(raw).usage_records
    return sorted({each.usage_id: each for each in found}.values(), key=lambda each: each.period_start)


def overlaps(records: list[settlement.UsageRecord]) -> list[tuple[str, str]]:
    """Records whose periods overlap."""
    return [(a.usage_id, b.usage_id) for a, b in pairwise(records) if b.period_start < a.period_end]


def lines(outside: Outside) -> list[str]:
    """The lines of the status commits, with each commit's subject once."""
    found: list[str] = []
    for body in outside.commits.log(BRANCH, "%B"):
        text = body.split("\n\nDesired-Revision:")[0]
        subject, _, rest = text.partition("\n\n")
        found += rest.splitlines() if rest else [subject]
    return found


def hashes_told(outside: Outside) -> set[str]:
    """The transaction hashes in the trailers of status commits."""
    form = "%(trailers:key=Tx-Hash,valueonly)"
    return {word for body in outside.commits.log(BRANCH, form) for word in body.split()}


def _sent(height: int, message: Message) -> Sent:
    kind = message.DESCRIPTOR.name
    match message:
        case market.MsgCreateBid():
            terms = f"{message.price.amount} {message.deposit.amount.amount}"
            return Sent(height, kind, str(message.id.dseq), terms)
        case market.MsgCloseBid():
            return Sent(height, kind, str(message.id.dseq), str(message.reason))
        case market.MsgWithdrawLease():
            return Sent(height, kind, str(message.id.dseq))
        case settlement.MsgRecordUsage() | settlement.MsgSettleOrder():
            return Sent(height, kind, message.order_id.split("/")[1])
        case MsgSend():
            return Sent(height, kind, message.to_address)
        case _:
            raise AssertionError(f"nobody told the provider to send {kind}")


def _withdrawn(scenario: Scenario, of: LeaseId) -> int:
    order = of.order
    request = market.QueryLeaseRequest()
    request.id.owner, request.id.dseq = order.owner, order.dseq
    request.id.gseq, request.id.oseq, request.id.provider = order.gseq, order.oseq, of.provider
    raw = scenario.outside.chain.query("/virtengine.market.v1beta5.Query/Lease", request.SerializeToString())
    found = market.QueryLeaseResponse.FromString(raw).escrow_payment.state
    return int(found.withdrawn.amount)


def _money(scenario: Scenario) -> int:
    """Our wallet, as if fees and the chain's shares of payments were still in it. Nobody else pays these
    shares in the story.
    """
    modules = (addresses.DISTRIBUTION, addresses.SETTLEMENT)
    fees = sum(decode_tx(tx.data).terms.fee for tx in transactions(scenario.outside))
    return fees + sum(scenario.alice.client.balance(each) for each in (OURS, *modules))


def _cost(record: settlement.UsageRecord) -> int:
    return sum(int(coin.amount) for coin in record.total_cost)
