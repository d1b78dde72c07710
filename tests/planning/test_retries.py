from __future__ import annotations

import pytest

from reconciler.planning.retries import FIRST_SECONDS, LONGEST_SECONDS, failed, held_back, prune, worked
from reconciler.values.ids import LeaseId
from reconciler.values.memory import Memory, Retry
from reconciler.values.observed import Market
from reconciler.values.plans import Hold, Reason
from tests.makers import NOW, US, bid, lease, lease_id, market, order, order_id

LATER = Retry(1, NOW, "Unreachable", "no answer", "see that it runs")
NEVER = Retry(1, 0, "ChainRefused", "bid exists")


def after(times: int) -> Retry:
    retries: dict[str, Retry] = {}
    for _ in range(times):
        retries = failed(retries, "k", NOW, LATER)
    return retries["k"]


def test_the_wait_doubles_up_to_an_hour() -> None:
    waits = [after(n).next_try - NOW for n in (1, 2, 3, 99)]
    assert waits == [FIRST_SECONDS, 2 * FIRST_SECONDS, 4 * FIRST_SECONDS, LONGEST_SECONDS]
    assert after(3).failures == 3


def test_what_is_refused_for_good_is_never_tried_again() -> None:
    assert failed({}, "k", NOW, NEVER)["k"].next_try == 0
    kept = Memory(retries={"k": NEVER})
    assert held_back(kept, "k", "s", NOW + 10**9) == Hold("s", Reason.REFUSED_BEFORE, "bid exists")


def test_a_failure_holds_until_its_time() -> None:
    kept = Memory(retries={"k": Retry(2, NOW + 30, "Unreachable", "no answer", "see that it runs")})
    why = "failed 2 times, last: no answer; see that it runs"
    assert held_back(kept, "k", "s", NOW + 29) == Hold("s", Reason.TRY_LATER, why)
    assert held_back(kept, "k", "s", NOW + 30) is None
    assert held_back(kept, "other", "s", NOW) is None


def test_what_worked_is_forgotten_and_nothing_else_is_touched() -> None:
    retries = {"k": LATER, "other": NEVER}
    assert worked(retries, "k") == {"other": NEVER}
    assert worked(retries, "unknown") is retries


BUSY = market(orders=[order(1)], bids=[bid(2)], leases=[lease(3)])


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
        ("ApplyWorkload:1-1-1-abcdefghij", BUSY, True),
    ],
)
def test_failures_are_remembered_as_long_as_what_they_are_about(key: str, seen: Market, kept: bool) -> None:
    assert prune({key: NEVER}, seen) == ({key: NEVER} if kept else {})


def test_pruning_changes_nothing_that_stays() -> None:
    retries = {f"WithdrawLease:{LeaseId(order_id(3), US)}": NEVER}
    assert prune(retries, BUSY) is retries
