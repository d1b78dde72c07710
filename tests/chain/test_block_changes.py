"""What blocks touch, from recorded events."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.chain.block_changes import BlockChanges, needs_transactions
from reconciler.chain.block_reader import BlockReader
from reconciler.chain.keys import key_from_words
from reconciler.chain.proto import cosmos_authz_pb2, market_v1beta5_pb2
from reconciler.chain.rpc import BlockEvent, BlockResults, Rpc, TxOutcome
from reconciler.chain.transactions import Signer, Terms, pack_any, sign_tx
from reconciler.chain.wire_market import lease_id_to
from reconciler.chain.wire_values import AMOUNT_MAX
from reconciler.values.ids import DeploymentId, LeaseId, OrderId
from reconciler.values.observed import SETTLEMENT_MODULE
from tests.chain.recordings import Step, transcript
from tests.chain.test_keys import WORDS, recorded

PROVIDER = "ve15yk64u7zc9g9k2yr2wmzeva5qgwxps6y605mkk"
ALICE = "ve1avgyh77ycn997ja45q5q8ss8y9mr424ju8e86f"
RIVAL = "ve1knuunh0lmwyrkjmrj7sky49uxk3peyzh7dh50p"


def outcome(step: Step) -> TxOutcome:
    result = step.line["result"]
    events = tuple(
        BlockEvent(each["type"], tuple((a["key"], a["value"]) for a in each["attributes"]), 0)
        for each in result["events"]
    )
    return TxOutcome(result["code"], result.get("codespace", ""), result.get("log", ""), events)


def block(*steps: Step, events: tuple[BlockEvent, ...] = ()) -> tuple[BlockResults, tuple[bytes, ...]]:
    height = int(steps[0].line["height"]) if steps else 1
    outcomes = tuple(outcome(step) for step in steps)
    return BlockResults(height, outcomes, events), tuple(bytes.fromhex(step.line["tx_hex"]) for step in steps)


def gathered(*steps: Step, address: str = PROVIDER) -> BlockChanges:
    touched = BlockChanges(address)
    touched.add_block(*block(*steps))
    return touched


def at(name: str, number: int) -> Step:
    return transcript(name)[number]


def test_a_new_deployment_makes_a_new_order() -> None:
    touched = gathered(at("market-lifecycle", 32))
    order = OrderId(ALICE, 1001, 1, 1)
    assert (touched.created, touched.deployments) == ({order}, {order.deployment})
    assert not touched.wallet
    assert not touched.transfers


def test_our_bid_changes_bid_and_wallet() -> None:
    touched = gathered(at("market-lifecycle", 40))
    assert touched.bids == {LeaseId(OrderId(ALICE, 1001, 1, 1), PROVIDER)}
    assert touched.wallet
    assert [t.amount for t in touched.transfers] == [int(_fee(at("market-lifecycle", 40))), 500_000]
    (landed,) = touched.landed.values()
    assert (landed.hash, landed.code) == (at("market-lifecycle", 40).line["hash"], 0)


def test_a_new_lease_changes_the_order_and_all_its_bids() -> None:
    touched = gathered(at("market-lifecycle", 51), address=RIVAL)
    order = OrderId(ALICE, 1001, 1, 1)
    assert touched.orders == {order}
    assert touched.leases == {LeaseId(order, PROVIDER)}


def test_a_withdrawal_is_recognized_by_its_message() -> None:
    step = at("market-lifecycle", 74)
    results, txs = block(step)
    assert needs_transactions(results, ALICE)
    touched = BlockChanges(ALICE)
    touched.add_block(results, txs)
    assert touched.deployments == {DeploymentId(ALICE, 1001)}
    assert not touched.wallet


def test_the_closing_reason_is_read_from_the_event() -> None:
    touched = gathered(at("market-lifecycle", 92))
    (reason,) = touched.closed.values()
    assert reason.startswith("lease_closed_reason_")


def test_a_failed_transaction_changes_only_the_wallet() -> None:
    step = at("market-lifecycle", 46)
    assert step.line["result"]["code"] != 0
    touched = gathered(step)
    assert touched.wallet
    assert not touched.bids
    assert len(touched.transfers) == 1
    (landed,) = touched.landed.values()
    assert "bid exists" in landed.log


def test_foreign_transfers_need_no_transactions() -> None:
    send = next(
        step
        for step in transcript("auth-and-rpc")
        if step.line.get("result", {})
        and step.line["result"].get("code") == 0
        and step.line["signer"] == "alice"
    )
    assert not needs_transactions(block(send)[0], PROVIDER)
    assert needs_transactions(block(send)[0], ALICE)


def test_a_message_inside_an_exec_message_is_found() -> None:
    lease = LeaseId(OrderId(ALICE, 7, 1, 1), RIVAL)
    inner = pack_any(market_v1beta5_pb2.MsgWithdrawLease(id=lease_id_to(lease)))
    wrapped = cosmos_authz_pb2.MsgExec(grantee="x", msgs=[inner])
    key = key_from_words(WORDS["bob"])
    raw = sign_tx([wrapped], Signer("c", 1, 1), Terms(1, 1, 1), key).raw
    events = (BlockEvent("message", (("action", "/cosmos.authz.v1beta1.MsgExec"),), 0),)
    results = BlockResults(5, (TxOutcome(0, "", "", events),), ())
    assert needs_transactions(results, PROVIDER)
    touched = BlockChanges(PROVIDER)
    touched.add_block(results, (raw,))
    assert touched.deployments == {lease.deployment}
    assert not touched.everything
    for _ in range(5):
        wrapped = cosmos_authz_pb2.MsgExec(grantee="x", msgs=[pack_any(wrapped)])
    touched.add_block(results, (sign_tx([wrapped], Signer("c", 1, 1), Terms(1, 1, 1), key).raw,))
    assert touched.everything


def test_an_end_block_payout_marks_our_settlements_as_changed() -> None:
    ends = (("sender", SETTLEMENT_MODULE), ("recipient", PROVIDER), ("amount", "4700uve"))
    touched = BlockChanges(PROVIDER)
    touched.add_block(BlockResults(9, (), (BlockEvent("transfer", ends),)), ())
    assert touched.all_settlements
    assert touched.wallet
    assert [(t.tx, t.amount) for t in touched.transfers] == [("", 4700)]


@pytest.mark.parametrize("value", ["", "null", "[]", "not json", '"text"', "{}", '{"owner":"x","dseq":"y"}'])
def test_an_unparseable_event_requires_a_full_view(value: str) -> None:
    event = BlockEvent("virtengine.market.v1.EventOrderClosed", (("id", value),), 0)
    other = BlockEvent("virtengine.cert.v1.EventCreated", (("id", value),), 0)
    touched = BlockChanges(PROVIDER)
    touched.add_block(BlockResults(9, (TxOutcome(0, "", "", (other,)),), ()), ())
    assert touched.is_empty
    touched.add_block(BlockResults(9, (TxOutcome(0, "", "", (event,)),), ()), (b"garbage",))
    assert touched.everything


TOLD_WHOLE = ("market-lifecycle", "escrow", "more-market-and-escrow", "settlement", "bid-refusals")
"""Transcripts in which every transaction's result was recorded."""


@pytest.mark.parametrize("name", TOLD_WHOLE)
def test_recorded_balances_are_the_genesis_balances_and_the_transfers(name: str) -> None:
    steps = transcript(name)
    start = {
        account["address"]: int(account["balance_after_genesis_uve"])
        for account in steps[0].line["genesis"]["accounts"]
    }
    done = [step for step in steps if step.line.get("result")]
    checked = 0
    for step in steps:
        if step.line.get("method") == "cosmos.tx.v1beta1.Service/BroadcastTx":
            break  # what it sent was not recorded
        if step.line.get("method") != "cosmos.bank.v1beta1.Query/Balance" or "response" not in step.line:
            continue
        address, height = step.line["request"]["address"], int(step.line["height"])
        if address not in start or step.line["request"].get("denom") != "uve":
            continue
        touched = gathered(*(each for each in done if int(each.line["height"]) <= height), address=address)
        change = sum(t.amount * ((t.recipient == address) - (t.sender == address)) for t in touched.transfers)
        assert start[address] + change == int(step.line["response"]["balance"]["amount"]), step.place
        checked += 1
    assert checked > 0


def test_an_empty_block_changes_nothing() -> None:
    assert BlockChanges(PROVIDER).is_empty
    assert not replace(BlockChanges(PROVIDER), provider=True).is_empty
    assert recorded()["provider"][0] == PROVIDER


def _fee(step: Step) -> str:
    events = [each for each in outcome(step).events if each.type == "tx"]
    return next(each.value("fee") for each in events if each.value("fee")).removesuffix("uve")


def test_bids_of_other_providers_have_their_price_until_they_close() -> None:
    steps = [
        step for step in transcript("market-lifecycle") if "result" in step.line and "tx_hex" in step.line
    ]
    touched = BlockChanges(PROVIDER)
    prices: dict[LeaseId, Decimal | None] = {}
    for step in steps:
        touched.add_block(*block(step))
        prices |= touched.rival_bids
        for event in outcome(step).events:
            if event.type.endswith("EventBidClosed") and RIVAL in event.value("id"):
                assert None in touched.rival_bids.values()
    assert prices
    assert all(bid.provider != PROVIDER for bid in prices)
    assert {type(price) for price in prices.values()} <= {Decimal, type(None)}
    assert any(price for price in prices.values())


@pytest.mark.parametrize(
    "price", ['{"denom":"uact","amount":"1"}', '{"amount":"1"}', '{"denom":"uve"}', "7", ""]
)
def test_a_bid_without_a_price_in_uve_is_no_rival(price: str) -> None:
    order = {"owner": ALICE, "dseq": "7", "gseq": 1, "oseq": 1, "provider": RIVAL, "bseq": 0}
    attributes = (("id", json.dumps(order)), ("price", price))
    touched = BlockChanges(PROVIDER)
    touched.add_events([BlockEvent("virtengine.market.v1.EventBidCreated", attributes)], 5, "")
    assert list(touched.rival_bids.values()) == [None]
    assert not touched.everything


def test_transfers_whose_sum_is_impossible_are_an_error() -> None:
    ends = (("sender", ALICE), ("recipient", PROVIDER), ("amount", f"{AMOUNT_MAX // 2 + 1}uve"))
    touched, event = BlockChanges(PROVIDER), BlockEvent("transfer", ends)
    touched.add_events([event], 9, "")
    with pytest.raises(ValueError, match="impossible amount"):
        touched.add_events([event], 9, "")


def test_impossible_transfers_in_the_index_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = (("sender", ALICE), ("recipient", PROVIDER), ("amount", f"{2**63}uve"))
    found = [("AB", 9, TxOutcome(0, "", "", (BlockEvent("transfer", ends),)))]
    rpc = Rpc("http://127.0.0.1:1")
    monkeypatch.setattr(Rpc, "search", lambda *_: found)
    assert BlockReader(rpc, PROVIDER).search_transfers(8, 9) is None
