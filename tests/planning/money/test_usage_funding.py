"""A workload that is billed by usage is served while its settlement escrow pays, and no longer."""

from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.desired import CloseReason, Config, Desired, Escrow, OnCritical, Usage, Workload
from reconciler.values.funding import Funding, FundingSource
from reconciler.values.memory import UsageMemory
from reconciler.values.messages import CloseBid, RecordUsage
from reconciler.values.observed import EscrowAccount, OrderSettlement, State, UsageRecord
from reconciler.values.plans import ApplyWorkload, Plan, Reason, SendTransaction
from reconciler.values.readings import Seen
from tests.makers import HEIGHT, NOW, account, adapter, desired, lease_id, order_id, running, workload
from tests.planning.money.usage_cases import FILE, RATE, billed, escrow, metered, side_of, usage_case

GRACE = 900
NONE = OrderSettlement(None)


def closings(made: Plan) -> list[CloseBid]:
    sent = [m for a in made.actions if isinstance(a, SendTransaction) for m in a.messages]
    return [m for m in sent if isinstance(m, CloseBid)]


def is_served(case: PlanningInput) -> bool:
    """Neither stopped nor closed; both or none."""
    made = plan(case)
    stops = [a for a in made.actions if isinstance(a, ApplyWorkload) and a.workload.paused]
    assert bool(stops) == bool(closings(made))
    exhausted = made.funding[lease_id()].state is Funding.EXHAUSTED
    assert bool(stops) == exhausted
    reasons = {h.reason for h in made.holds if h.ours}
    assert not exhausted or reasons & {
        *(Reason.ESCROW_EXHAUSTED, Reason.NO_SETTLEMENT_ESCROW),
        *(Reason.ESCROW_NOT_OURS, Reason.FOREIGN_DENOMINATION),
    }
    return not stops


@pytest.mark.parametrize(
    ("file", "denied"),
    [(workload(cpu=900_000), ()), (workload(image="docker.io/evil/x:1"), ("docker.io/evil/*",))],
    ids=["asks for too much", "is denied"],
)
def test_a_file_that_cannot_be_applied_does_not_keep_the_old_workload_running(
    file: Workload, denied: tuple[str, ...]
) -> None:
    wanted = desired(file, config=Config(images_denied=denied))
    assert is_served(usage_case(wanted=wanted))
    assert not is_served(usage_case(side_of(escrow(state=State.REFUNDED)), wanted=wanted))


@pytest.mark.parametrize("state", [State.REFUNDED, State.RELEASED, State.EXPIRED, State.DISPUTED])
def test_serving_stops_at_once_when_the_escrow_has_ended(state: State) -> None:
    assert not is_served(usage_case(side_of(escrow(state=state, balance=0))))
    assert is_served(usage_case())


@pytest.mark.parametrize(
    "side",
    [
        NONE,
        side_of(escrow(state=State.PENDING, lease="", recipient="")),
        side_of(escrow(recipient="ve1stranger")),
        side_of(escrow(depositor="ve1stranger")),
        side_of(escrow(depositor="ve1stranger", state=State.REFUNDED)),
        side_of(escrow(balance=0, other_denoms=("uact",))),
    ],
    ids=["none", "pending", "for a stranger", "of a stranger", "of a stranger, refunded", "another coin"],
)
def test_a_lease_without_an_escrow_of_its_own_is_served_for_a_while(side: OrderSettlement) -> None:
    first = usage_case(side, UsageMemory())
    assert is_served(first)
    assert plan(first).memory.usage[lease_id()].unfunded_since == NOW
    assert plan(first).funding[lease_id()].state is Funding.UNFUNDED
    for since, served in ((GRACE - 1, True), (GRACE, False)):
        assert is_served(usage_case(side, UsageMemory(unfunded_since=NOW - since))) is served


def test_the_grace_is_configured() -> None:
    short = desired(FILE, config=Config(usage=Usage(unfunded_grace_seconds=60)))
    assert not is_served(usage_case(NONE, UsageMemory(unfunded_since=NOW - 60), wanted=short))


def test_an_escrow_that_comes_in_time_ends_the_grace() -> None:
    funded = usage_case(usage=UsageMemory(unfunded_since=NOW - GRACE + 1))
    assert is_served(funded)
    assert plan(funded).memory.usage[lease_id()].unfunded_since == 0


@pytest.mark.parametrize(("balance", "served"), [(61 * RATE, True), (61 * RATE - 1, False)])
def test_serving_stops_before_usage_reaches_the_balance(balance: int, served: bool) -> None:
    """Open records and what is metered are not there any more; a minute more must still be paid."""
    spent = 70_000 + 100_000 + RATE
    record = UsageRecord("usage-1", str(lease_id()), "fixed", NOW - 80, NOW - 40, 70_000, b"s", False, False)
    settled = replace(record, id="usage-2", cost=10**9, settled=True)
    assert is_served(usage_case(side_of(escrow(balance=spent + balance), record, settled))) is served


@pytest.mark.parametrize(
    ("block_seconds", "seconds", "served"), [(1, 67, True), (1, 66, False), (6, 97, True)]
)
def test_serving_stops_before_the_expiry(block_seconds: int, seconds: int, served: bool) -> None:
    """In time for the closing, the last record and its settlement."""
    case = usage_case(side_of(escrow(expires_at=NOW + seconds)), block_seconds=Decimal(block_seconds))
    assert is_served(case) is (served and block_seconds == 1)


@pytest.mark.parametrize(("wanted", "rate"), [(desired(FILE), RATE), (desired(), 2445)])
def test_what_does_not_run_is_reckoned_at_the_size_of_its_file_or_else_of_its_lease(
    wanted: Desired, rate: int
) -> None:
    """An escrow that pays no minute of it is not begun on; a restart changes nothing."""
    idle = metered(uve="0", services=())
    for minutes, left in ((1, 0), (2, 60)):
        side = side_of(escrow(balance=minutes * 60 * rate))
        found = plan(usage_case(side, idle, adapters=adapter(), wanted=wanted)).funding[lease_id()]
        assert (found.blocks_left, found.source) == (left, FundingSource.SETTLEMENT)


def test_the_last_usage_is_recorded_when_nothing_runs_any_more() -> None:
    low = side_of(escrow(balance=100_000 + RATE))
    runs = [m for a in plan(usage_case(low)).actions if isinstance(a, SendTransaction) for m in a.messages]
    assert not any(isinstance(m, RecordUsage) for m in runs)
    stopped = adapter(replace(running(FILE), paused=True, ready=False))
    made = plan(usage_case(low, adapters=stopped))
    sent = [m for a in made.actions if isinstance(a, SendTransaction) for m in a.messages]
    assert [m.amount for m in sent if isinstance(m, RecordUsage)] == [100_000]


def test_the_closing_says_why_and_keeps_the_ceiling() -> None:
    case = usage_case(side_of(escrow(state=State.REFUNDED)))
    [message] = closings(plan(case))
    assert (message.reason, message.lease) == (CloseReason.UNSPECIFIED, True)
    assert "usage" in message.why
    held = plan(replace(case, limits=replace(case.limits, closings_per_hour=0)))
    assert closings(held) == []
    assert Reason.CEILING in {h.reason for h in held.holds}
    assert any(isinstance(a, ApplyWorkload) and a.workload.paused for a in held.actions)


def test_a_reason_from_the_repository_comes_first() -> None:
    file = replace(FILE, close=CloseReason.DECOMMISSION)
    [message] = closings(plan(usage_case(side_of(escrow(state=State.REFUNDED)), wanted=desired(file))))
    assert message.reason is CloseReason.DECOMMISSION


def test_the_sooner_of_account_and_escrow_is_shown() -> None:
    lasting = usage_case()
    left = plan(lasting).funding[lease_id()]
    assert (left.state, left.source) == (Funding.HEALTHY, FundingSource.SETTLEMENT)
    poor = account(billed(), funds=120, settled_at=HEIGHT - 100)
    short = plan(with_account(lasting, poor)).funding[lease_id()]
    assert (short.state, short.blocks_left, short.source) == (Funding.CRITICAL, 20, FundingSource.ACCOUNT)
    assert short.accrued_uve == left.accrued_uve == 100


def with_account(case: PlanningInput, other: EscrowAccount) -> PlanningInput:
    """With another account of its deployment."""
    market = case.seen_market
    assert market is not None
    accounts = {order_id().deployment: other}
    return replace(case, market=Seen(replace(market, accounts=accounts)))


def test_an_escrow_that_is_nearly_used_up_is_held_but_not_paused() -> None:
    """No tenant can add to a settlement escrow, so that a pause would only waste what was paid for."""
    config = Config(escrow=Escrow(low_seconds=7_200, on_critical=OnCritical.PAUSE, critical_seconds=3_600))
    near = usage_case(side_of(escrow(expires_at=NOW + 1_000)), wanted=desired(FILE, config=config))
    assert plan(near).funding[lease_id()].state is Funding.CRITICAL
    assert is_served(near)
    [hold] = [h for h in plan(near).holds if h.reason is Reason.ESCROW_CRITICAL]
    assert "second escrow" in hold.message


def test_a_lease_at_a_price_needs_no_settlement_escrow() -> None:
    plain = usage_case(NONE, UsageMemory(), lease=replace(billed(), usage_billed=False))
    assert is_served(plain)
    assert plan(plain).funding[lease_id()].source is FundingSource.ACCOUNT


def test_the_smallest_price_on_a_large_escrow_is_served_until_the_expiry() -> None:
    one = billed()
    nearly_all = replace(one.payment, rate=RATE + 1 - Decimal("1e-18"))
    assert is_served(usage_case(side_of(escrow(balance=10**15)), lease=replace(one, payment=nearly_all)))
