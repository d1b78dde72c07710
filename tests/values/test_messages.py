from __future__ import annotations

from decimal import Decimal

import pytest

from reconciler.values.desired import CloseReason
from reconciler.values.messages import (
    CloseBid,
    CreateBid,
    Message,
    RecordUsage,
    SettleUsage,
    WithdrawLease,
    describe,
    may_be_gated,
    subject_of,
    touched_escrow,
)
from tests.makers import lease_id, order_id, unit

LEASE = lease_id()
ID, ORDER = str(LEASE), str(order_id())

TABLE: list[tuple[Message, str, bool, bool, str]] = [
    (
        CreateBid(LEASE, Decimal("2446.50"), 5, (unit(),)),
        ID,
        False,
        False,
        f"bid 2446.5uve a block on order {ORDER}",
    ),
    (CloseBid(LEASE, CloseReason.UNSPECIFIED), ID, False, False, f"close our bid on order {ORDER}"),
    (CloseBid(LEASE, CloseReason.UNSTABLE, lease=True), ID, True, False, f"close lease {ID} (unstable)"),
    (WithdrawLease(LEASE, 7), ID, True, True, f"withdraw about 7uve from lease {ID}"),
    (RecordUsage(LEASE, 9, 1, 2), ID, False, False, f"record usage of 9uve for lease {ID}"),
    (SettleUsage(order_id(), ("u",), 9), ORDER, False, False, f"settle usage of 9uve for order {ORDER}"),
]


@pytest.mark.parametrize(("message", "about", "escrow", "gated", "words"), TABLE)
def test_subject_escrow_and_text_of_a_message(
    message: Message, about: str, escrow: bool, gated: bool, words: str
) -> None:
    """What settles an escrow account counts once a block (semantics 4.4), gates are semantics 1.5."""
    assert str(subject_of(message)) == about
    assert touched_escrow(message) == (LEASE.deployment if escrow else None)
    assert may_be_gated(message) is gated
    assert describe(message) == words
