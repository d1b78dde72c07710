"""What transfers pay, from recorded transactions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from reconciler.chain.block_changes import BlockChanges
from reconciler.values.observed import SETTLEMENT_MODULE, Transfer, TransferCause
from tests.chain.recordings import Step, transcript
from tests.chain.test_block_changes import PROVIDER, at, block, outcome

ESCROW = "ve14pphss726thpwws3yc458hggufynm9x70ervuw"
DEPOSIT = 500_000
RECORDINGS = ("market-lifecycle", "escrow", "more-market-and-escrow", "settlement")


def transfers(*steps: Step) -> list[Transfer]:
    changes = BlockChanges(PROVIDER)
    changes.add_block(*block(*steps))
    return changes.transfers


def every_transfer() -> Iterator[tuple[Step, Transfer]]:
    for name in RECORDINGS:
        for step in transcript(name):
            if "tx_hex" in step.line and "result" in step.line:
                yield from ((step, each) for each in transfers(step))


def actions(step: Step) -> list[str]:
    found = [event.value("action") for event in outcome(step).events if event.type == "message"]
    return [each.rpartition(".")[2] for each in found if each]


def test_refunds_are_deposits_and_payments_have_their_lease() -> None:
    refunds, payments, settled = 0, 0, set()
    for step, each in every_transfer():
        if each.recipient != PROVIDER:
            continue
        if each.cause.is_refund:
            refunds += 1
            assert each.amount == DEPOSIT
            assert each.cause.lease is not None
        elif each.sender == SETTLEMENT_MODULE:
            settled |= {each.cause.lease}
        elif each.sender == ESCROW:
            payments += 1
            assert each.cause.deployment is not None, (step.line["note"], each)
    assert refunds >= 8
    assert payments >= 20
    assert settled - {None}, "orders that the recording made up are no order of the market"


def test_a_deposit_is_that_of_its_bid() -> None:
    bids = [
        each
        for step, each in every_transfer()
        if each.recipient == ESCROW and "MsgCreateBid" in actions(step)
    ]
    assert len(bids) >= 30
    assert all(each.cause.lease is not None and each.cause.lease.provider == PROVIDER for each in bids)
    many = [
        each.cause.lease for step, each in every_transfer() if len(actions(step)) > 10 and each.cause.lease
    ]
    assert len(set(many)) == len(many)


def test_a_message_that_pays_twice_pays_several_leases() -> None:
    """A withdrawal that finds the account empty pays out every payment of the deployment."""
    step, paid = next(
        (step, each)
        for step, each in every_transfer()
        if actions(step) == ["MsgWithdrawLease"] and each.recipient == PROVIDER and each.cause.lease
    )
    events = outcome(step).events
    of_lease = next(
        event
        for event in events
        if event.type == "transfer" and event.value("recipient") == PROVIDER and event.value("msg_index")
    )
    changes = BlockChanges(PROVIDER)
    changes.add_events((*events, of_lease), 7, "", bytes.fromhex(step.line["tx_hex"]))
    assert paid.cause.lease is not None
    causes = [each.cause for each in changes.transfers if each.recipient == PROVIDER]
    assert causes == [TransferCause(None, paid.cause.lease.deployment)] * 2


def test_a_fee_has_no_lease() -> None:
    fees = [each for step, each in every_transfer() if each.sender == PROVIDER and each.recipient != ESCROW]
    assert fees
    assert {each.cause for each in fees} == {TransferCause()}


def test_without_the_transaction_a_withdrawal_has_no_lease_but_a_refund_has() -> None:
    for step, each in every_transfer():
        changes = BlockChanges(PROVIDER)
        changes.add_events(outcome(step).events, 7, "")
        bare = next(other for other in changes.transfers if other.amount == each.amount)
        if each.cause.is_refund and "MsgCreateLease" not in actions(step):
            assert bare.cause == each.cause
        elif actions(step) == ["MsgWithdrawLease"] and not changes.closed:
            assert bare.cause.lease is None


@pytest.mark.parametrize("number", ["", "x", "9" * 30])
def test_an_index_that_is_none_gives_no_cause(number: str) -> None:
    step = at("market-lifecycle", 40)
    events = [
        replace(event, attributes=tuple((k, number if k == "msg_index" else v) for k, v in event.attributes))
        for event in outcome(step).events
    ]
    changes = BlockChanges(PROVIDER)
    changes.add_events(events, 7, "", bytes.fromhex(step.line["tx_hex"]))
    assert {each.cause for each in changes.transfers} == {TransferCause()}
