"""A schedule gives the same funding at every height as the arithmetic of each account alone."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from reconciler.values.escrow import blocks_left, due_gross
from reconciler.values.funding import Funding, FundingByLease, FundingSchedule, LeaseFunds, TimeLeft
from reconciler.values.ids import DeploymentId, LeaseId, OrderId
from reconciler.values.money import after_take
from reconciler.values.observed import EscrowAccount, Payment, State
from tests.makers import ALICE, US

LOW, CRITICAL, TAKE = 600, 60, 2
amounts = st.decimals("0", "40", places=3, allow_nan=False, allow_infinity=False)
states = st.sampled_from([State.OPEN, State.OPEN, State.OPEN, State.CLOSED])


@st.composite
def accounts(draw: st.DrawFn, dseq: int) -> EscrowAccount:
    def payment(gseq: int) -> Payment:
        lease = LeaseId(OrderId(ALICE, dseq, gseq, 1), US)
        return Payment(lease, draw(states), draw(amounts), draw(amounts), Decimal(0), 0)

    payments = tuple(payment(gseq) for gseq in range(1, draw(st.integers(1, 3)) + 1))
    funds = draw(st.decimals("-1", "2000", places=2, allow_nan=False, allow_infinity=False))
    return EscrowAccount(DeploymentId(ALICE, dseq), draw(states), draw(st.integers(90, 110)), funds, payments)


@st.composite
def markets(draw: st.DrawFn) -> dict[LeaseId, EscrowAccount | None]:
    """The account of each lease, None if it is unknown."""
    found: dict[LeaseId, EscrowAccount | None] = {}
    for dseq in range(1, draw(st.integers(1, 5)) + 1):
        account = draw(accounts(dseq))
        known = draw(st.booleans()) or draw(st.booleans())
        found |= {payment.lease: account if known else None for payment in account.payments}
    return found


def expected(account: EscrowAccount | None, lease: LeaseId, height: int, seconds: Decimal) -> TimeLeft:
    if account is None or account.state is not State.OPEN:
        return TimeLeft(Funding.EXHAUSTED if account else Funding.HEALTHY)
    blocks, due = blocks_left(account, height), due_gross(account, lease, height)
    if blocks is None:
        return TimeLeft(Funding.HEALTHY, accrued_uve=due)
    left = int(blocks * seconds)
    if blocks < 0:
        return TimeLeft(Funding.EXHAUSTED, blocks, left, due)
    state = Funding.CRITICAL if left < CRITICAL else Funding.LOW if left < LOW else Funding.HEALTHY
    return TimeLeft(state, blocks, left, due)


@given(markets(), st.integers(95, 400), st.decimals("0.5", "7", places=2))
def test_the_funding_at_a_height_is_that_of_each_account(
    held: dict[LeaseId, EscrowAccount | None], height: int, seconds: Decimal
) -> None:
    schedule = FundingSchedule.of({lease: LeaseFunds.of(lease, account) for lease, account in held.items()})
    funding = FundingByLease(schedule, height, seconds, LOW, CRITICAL)
    wanted = {lease: expected(account, lease, height, seconds) for lease, account in held.items()}
    assert dict(funding) == wanted
    assert {lease: funding.state_of(lease) for lease in held} == {k: left.state for k, left in wanted.items()}
    assert sorted(funding.underfunded()) == sorted(
        lease for lease, left in wanted.items() if left.state is not Funding.HEALTHY
    )
    for blocks in (-1, 0, 10):
        near = {k for k, x in wanted.items() if x.blocks_left is not None and x.blocks_left <= blocks}
        assert set(funding.ending(blocks)) == near
    due = sum(after_take(left.accrued_uve, TAKE) for left in wanted.values())
    assert funding.accrued_after_take(TAKE) == due
