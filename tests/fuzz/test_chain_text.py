"""Text from the chain, from the wire through a plan to the log and into a bid."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.chain.keys import key_from_words
from reconciler.chain.proto import market_v1beta5_pb2
from reconciler.chain.wire_market import order_of
from reconciler.chain.wire_messages import wire_of
from reconciler.chain.wire_values import TEXT_MAX
from reconciler.planning.planner import plan
from reconciler.reports.plan_text import plan_text
from reconciler.values.messages import CreateBid
from reconciler.values.observed import State
from reconciler.values.plans import SendTransaction
from reconciler.values.refusals import read_refusal
from tests import makers
from tests.chain.test_keys import WORDS
from tests.fuzz.bounded import QUICK, bounded, is_safe, texts
from tests.fuzz.test_log_lines import line_of

KEY = key_from_words(WORDS["provider"])
WORD = texts(surrogates=False)
PAIRS = st.lists(st.tuples(WORD, WORD), max_size=3)
MANY = st.sampled_from((1, 1, 1, 1, 1_000))
MESSAGE_BYTES_MAX = 16 << 20
"""About four times what a node can send in one message."""


def wire_order(owner: str, denom: str, wanted: Any, own: Any, signers: list[str]) -> bytes:
    """An order as bytes, as a node sends it."""
    group = {
        "requirements": {
            "attributes": [{"key": key, "value": value} for key, value in wanted],
            "signed_by": {"all_of": signers, "any_of": signers[1:]},
        },
        "resources": [
            {
                "count": 1,
                "price": {"denom": denom, "amount": str(5_000 * 10**18)},
                "resource": {
                    "id": 1,
                    "cpu": {"units": {"val": b"100"}, "attributes": [{"key": k, "value": v} for k, v in own]},
                    "memory": {"quantity": {"val": b"1048576"}},
                    "storage": [{"name": owner, "quantity": {"val": b"1048576"}}],
                    "gpu": {"units": {"val": b"0"}},
                },
            }
        ],
    }
    made = market_v1beta5_pb2.Order(
        id={"owner": owner, "dseq": 1, "gseq": 1, "oseq": 1}, state="open", spec=group, created_at=995
    )
    return made.SerializeToString()


@settings(QUICK, max_examples=25)
@given(WORD, st.one_of(st.just("uve"), WORD), PAIRS, PAIRS, st.lists(WORD, max_size=2), MANY)
def test_the_plan_of_any_order_is_bounded_and_safe(
    owner: str, denom: str, wanted: Any, own: Any, signers: list[str], times: int
) -> None:
    if times * sum(len(key) + len(value) for key, value in wanted) > MESSAGE_BYTES_MAX:
        times = 1
    raw = wire_order(owner or "x", denom, wanted * times, own, signers)
    with bounded(len(raw)):
        order = order_of(market_v1beta5_pb2.Order.FromString(raw), State.ACTIVE, State.OPEN)
        made = plan(makers.planning_input(makers.market(orders=[order])))
        shown = plan_text(made)
        for hold in made.holds:
            for line in line_of("held %s: %s: %s", hold.subject.name, hold.reason, hold.message):
                assert is_safe(line)
        for message in _bids(made.actions):
            assert len(wire_of(message, KEY).SerializeToString()) < 100 * 8 * TEXT_MAX
    assert is_safe(shown.replace("\n", ""))
    assert len(shown) < 20_000


@QUICK
@given(texts())
def test_any_refusal_is_bounded_and_safe(text: str) -> None:
    with bounded(len(text)):
        refusal = read_refusal(text)
        assert is_safe(refusal.words)
        assert len(refusal.words) <= 1_000
        assert refusal.sequence is None or all(number < 10**20 for number in refusal.sequence)
        refusal.gas_price_needed(200_000)


def _bids(actions: Any) -> list[CreateBid]:
    sent = [each for each in actions if isinstance(each, SendTransaction)]
    return [message for each in sent for message in each.messages if isinstance(message, CreateBid)]


def test_hidden_characters_do_not_change_an_orders_attributes() -> None:
    """Removing invisible characters would make a required attribute equal to ours."""
    raw = wire_order("ve1alice", "uve", [("region", "e\u200bu")], [], [])
    order = order_of(market_v1beta5_pb2.Order.FromString(raw), State.ACTIVE, State.OPEN)
    assert order.attributes == (("region", "e\\u200bu"),)
    made = plan(makers.planning_input(makers.market(orders=[order])))
    assert [hold.reason for hold in made.holds if hold.subject.name == str(order.id)] == ["AttributesMissing"]
    plain = wire_order("ve1alice", "uve", [("region", "eu")], [], [])
    order = order_of(market_v1beta5_pb2.Order.FromString(plain), State.ACTIVE, State.OPEN)
    assert len(_bids(plan(makers.planning_input(makers.market(orders=[order]))).actions)) == 1


def test_an_expired_continue_token_is_refused() -> None:
    wanted = [("region", "eu")] * 300
    raw = wire_order("ve1alice", "uve", wanted, [], ["auditor"] * 300)
    order = order_of(market_v1beta5_pb2.Order.FromString(raw), State.ACTIVE, State.OPEN)
    assert order.attributes[-1] == ("...", "")
    assert "..." in order.signed_by_all
