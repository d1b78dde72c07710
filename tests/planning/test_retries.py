from __future__ import annotations

import pytest

from reconciler.planning.retries import (
    FIRST_SECONDS,
    LONGEST_SECONDS,
    prune,
    retry_hold,
    with_failure,
    without_failure,
)
from reconciler.values.ids import LeaseId, workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.memory import Memory, Retry, WorkloadMemory
from reconciler.values.observed import Market, State
from reconciler.values.plans import Hold, Reason
from reconciler.values.subjects import EffectKey
from tests.makers import NOW, US, bid, lease, lease_id, market, order, order_id

KEY, OTHER = EffectKey.parse("ApplyWorkload:1-1-1-abcdefghij"), EffectKey.parse("PrepareAdapter:ansible")
LATER = Retry(1, NOW, "Unreachable", "no answer", "see that it runs")
NEVER = Retry(1, None, "ChainRefused", "bid exists")


def after(times: int) -> Retry:
    retries: dict[EffectKey, Retry] = {}
    for _ in range(times):
        retries = with_failure(retries, KEY, NOW, LATER)
    return retries[KEY]


def test_the_wait_doubles_up_to_an_hour() -> None:
    waits = [(after(n).retry_at or 0) - NOW for n in (1, 2, 3, 99)]
    assert waits == [FIRST_SECONDS, 2 * FIRST_SECONDS, 4 * FIRST_SECONDS, LONGEST_SECONDS]
    assert after(3).failures == 3


def test_what_is_refused_for_good_is_never_tried_again() -> None:
    assert with_failure({}, KEY, NOW, NEVER)[KEY].retry_at is None
    kept = Memory(retries={KEY: NEVER})
    assert retry_hold(kept, KEY, KEY.subject, NOW + 10**9) == Hold(
        KEY.subject, Reason.REFUSED_BEFORE, "bid exists"
    )


def test_a_failure_holds_until_its_time() -> None:
    kept = Memory(retries={KEY: Retry(2, NOW + 30, "Unreachable", "no answer", "see that it runs")})
    why = "failed 2 times, last: no answer; see that it runs"
    assert retry_hold(kept, KEY, KEY.subject, NOW + 29) == Hold(KEY.subject, Reason.TRY_LATER, why)
    assert retry_hold(kept, KEY, KEY.subject, NOW + 30) is None
    assert retry_hold(kept, OTHER, KEY.subject, NOW) is None


def test_a_clock_that_is_set_back_ends_a_back_off() -> None:
    waiting = Memory(retries={KEY: Retry(9, NOW + 30, "Unreachable", "no answer")})

    assert retry_hold(waiting, KEY, KEY.subject, NOW + 30 - LONGEST_SECONDS) is not None
    assert retry_hold(waiting, KEY, KEY.subject, NOW + 29 - LONGEST_SECONDS) is None


def test_what_worked_is_forgotten_and_nothing_else_is_touched() -> None:
    retries = {KEY: LATER, OTHER: NEVER}
    assert without_failure(retries, KEY) == {OTHER: NEVER}
    assert without_failure(retries, EffectKey("ApplyWorkload", OTHER.subject)) is retries


BUSY = market(orders=[order(1)], bids=[bid(2)], leases=[lease(3)])
ENDED = market(leases=[lease(3, state=State.CLOSED)])
DOUBTED = market(leases=[lease(3, state=State.CLOSED)], unconfirmed={lease_id(3): "another node says active"})


@pytest.mark.parametrize(
    ("key", "seen", "kept"),
    [
        (f"CreateBid:{lease_id(1)}", BUSY, True),
        (f"CreateBid:{lease_id(2)}", BUSY, False),
        (f"CloseBid:{lease_id(2)}", BUSY, True),
        (f"CloseBid:{lease_id(3)}", BUSY, True),
        (f"CloseBid:{lease_id(4)}", BUSY, False),
        (f"WithdrawLease:{lease_id(3)}", BUSY, True),
        (f"WithdrawLease:{lease_id(3)}", market(), False),
        (f"RecordUsage:{lease_id(4)}", BUSY, False),
        (f"SettleUsage:{order_id(3)}", BUSY, True),
        (f"SettleUsage:{order_id(4)}", BUSY, False),
        ("PrepareAdapter:kubernetes", BUSY, True),
        (f"ApplyWorkload:{workload_id(lease_id(3))}", BUSY, True),
        (f"ApplyWorkload:{workload_id(lease_id(3))}", ENDED, False),
        (f"ApplyWorkload:{workload_id(lease_id(3))}", DOUBTED, True),
        (f"NotifyTenant/low:{workload_id(lease_id(3))}", ENDED, False),
        (f"RemoveWorkload:{workload_id(lease_id(3))}", ENDED, True),
        (f"ApplyWorkload:{workload_id(lease_id(4))}", BUSY, True),
    ],
)
def test_failures_are_remembered_as_long_as_what_they_are_about(key: str, seen: Market, kept: bool) -> None:
    retries = {EffectKey.parse(key): NEVER}
    known = WorkloadMemory(lease_id(3), "kubernetes", Phase.RUNNING)
    memory = Memory(retries=retries, workloads={workload_id(known.lease): known})
    assert prune(memory, seen) == (retries if kept else {})


def test_pruning_changes_nothing_that_stays() -> None:
    retries = {EffectKey.parse(f"WithdrawLease:{LeaseId(order_id(3), US)}"): NEVER}
    assert prune(Memory(retries=retries), BUSY) is retries
