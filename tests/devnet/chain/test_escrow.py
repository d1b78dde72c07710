"""Escrow under any order of messages: coins are conserved, and every read is consistent."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from reconciler.chain.proto import deployment_v1beta4_pb2 as deployments
from reconciler.chain.proto import escrow_v1_pb2 as escrows
from reconciler.chain.proto import market_v1beta5_pb2 as markets
from reconciler.chain.proto.escrow_id_v1_pb2 import Account, Scope
from reconciler.devnet.chain.addresses import ESCROW
from reconciler.devnet.chain.amounts import ONE, dec, spelled, truncated, whole
from reconciler.devnet.chain.bank import balance
from reconciler.devnet.chain.tables import BALANCES, ESCROW_ACCOUNTS, ESCROW_PAYMENTS
from tests.devnet.chain.players import (
    RICH_UVE,
    Sending,
    World,
    accept,
    address,
    bid,
    deposit,
    order,
    place,
    withdraw,
)

NUMBERS = st.sampled_from([1, 12, 120])
PROVIDERS = st.sampled_from(["one", "two"])
BIG = Sending(gas=4_000_000, fee=100_000)


class Market(RuleBasedStateMachine):
    """Accounts that send any messages at any time, also several in a block."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.world.chain.limiter.enabled = False
        self.next: dict[str, int] = {}
        self.world.lease("alice", "one", 12, price=1000)
        self.world.lease("alice", "two", 120, price=7)

    @rule(number=NUMBERS)
    def post(self, number: int) -> None:
        self.send("alice", order("alice", number, amount=600_000))

    @rule(number=NUMBERS, who=PROVIDERS, price=st.sampled_from([1, 7, 1000]))
    def offer(self, number: int, who: str, price: int) -> None:
        self.send(who, bid("alice", who, number, price))

    @rule(number=NUMBERS, who=PROVIDERS)
    def accept(self, number: int, who: str) -> None:
        self.send("alice", accept("alice", who, number))

    @rule(number=NUMBERS, who=PROVIDERS)
    def withdraw(self, number: int, who: str) -> None:
        self.send(who, withdraw("alice", who, number))

    @rule(number=NUMBERS, who=PROVIDERS)
    def close_bid(self, number: int, who: str) -> None:
        id_ = {**place("alice", number), "provider": address(who)}
        self.send(who, markets.MsgCloseBid(id=id_, reason="lease_closed_reason_unstable"))

    @rule(number=NUMBERS, who=PROVIDERS)
    def close_lease(self, number: int, who: str) -> None:
        id_ = {**place("alice", number), "provider": address(who)}
        self.send("alice", markets.MsgCloseLease(id=id_))

    @rule(number=NUMBERS)
    def close(self, number: int) -> None:
        id_ = {"owner": address("alice"), "dseq": number}
        self.send("alice", deployments.MsgCloseDeployment(id=id_))

    @rule(number=NUMBERS, amount=st.sampled_from([1, 500_000]))
    def pay_in(self, number: int, amount: int) -> None:
        account = Account(scope=Scope.deployment, xid=f"{address('alice')}/{number}")
        msg = escrows.MsgAccountDeposit(signer=address("bob"), id=account, deposit=deposit(amount))
        self.send("bob", msg)

    @rule(blocks=st.sampled_from([1, 2, 500]))
    def wait(self, blocks: int) -> None:
        for _ in range(blocks):
            self.world.chain.step()
        self.next.clear()

    @invariant()
    def coins_are_kept(self) -> None:
        view = self.world.chain.view()
        assert sum(amount for _, amount in view.scan(BALANCES)) == 4 * RICH_UVE
        assert all(amount >= 0 for _, amount in view.scan(BALANCES))

    @invariant()
    def escrow_can_pay_what_it_owes(self) -> None:
        view = self.world.chain.view()
        owed = 0
        for _, account in view.scan(ESCROW_ACCOUNTS):
            owed += sum(dec(one.balance.amount) for one in account.deposits)
        owed += sum(dec(payment.balance.amount) for _, payment in view.scan(ESCROW_PAYMENTS))
        assert balance(view, ESCROW, "uve") * ONE >= owed

    def send(self, name: str, message: object) -> None:
        sequence = self.next.setdefault(name, self.world.sequence(name))
        how = Sending(gas=BIG.gas, fee=BIG.fee, sequence=sequence)
        checked = self.world.send(name, message, how=how)  # type: ignore[arg-type]  # always a message
        if not checked.code:
            self.next[name] += 1


Market.TestCase.settings = settings(max_examples=15, stateful_step_count=30, deadline=None)
test_whatever_people_do = Market.TestCase


@given(st.integers(-(10**30), 10**30))
def test_truncation_is_towards_zero(units: int) -> None:
    assert abs(truncated(units)) <= abs(units) < abs(truncated(units)) + ONE
    assert truncated(units) == whole(units) * ONE
    assert spelled(units).replace(".", "").lstrip("-").lstrip("0") == str(abs(units)).lstrip("0")
