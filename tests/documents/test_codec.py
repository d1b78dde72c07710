"""Values that the journal writes come back equal; any other text is rejected."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.documents.codec import CodecError, codec, decode, dumps, loads
from reconciler.values.ids import LeaseId, OrderId
from reconciler.values.intents import Confirmation, Intent
from reconciler.values.memory import Memory
from reconciler.values.messages import CreateBid, Message
from reconciler.values.observed import AdapterView
from reconciler.values.plans import Transition
from reconciler.values.readings import Seen, Unseen
from reconciler.values.records import EffectResult, Event
from tests.arbitrary import any_of


@pytest.mark.parametrize("kind", [Memory, Intent, Confirmation, Transition, EffectResult])
@settings(max_examples=60, deadline=None)
@given(draw=st.data())
def test_a_value_round_trips(kind: type, draw: st.DataObject) -> None:
    value = draw.draw(any_of(kind))
    text = dumps(kind, value)
    assert loads(kind, text) == value
    assert dumps(kind, loads(kind, text)) == text


@pytest.mark.parametrize("union", [Message, Event])
@settings(max_examples=60, deadline=None)
@given(draw=st.data())
def test_a_union_member_round_trips(union: object, draw: st.DataObject) -> None:
    value = draw.draw(any_of(union))
    back = decode(union, dumps(union, value))
    assert type(back) is type(value)
    assert back == value


def test_a_decimal_keeps_its_digits() -> None:
    bid = CreateBid(LeaseId(OrderId("o", 1, 1, 1), "p"), Decimal("1.500"), 5, ())
    assert str(loads(CreateBid, dumps(CreateBid, bid)).price) == "1.500"


def test_a_lease_id_is_a_mapping_key() -> None:
    memory = Memory(withdrawn_at={LeaseId(OrderId("o", 1, 2, 3), "p"): 7})
    assert json.loads(dumps(Memory, memory))["withdrawn_at"] == {"o/1/2/3/p": 7}


def test_a_missing_field_has_its_default() -> None:
    assert loads(Memory, '{"applied":"abc"}') == Memory(applied="abc")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("{", "not JSON"),
        ('{"height":1.0}', "1.0 is not a whole number"),
        ('{"height":NaN}', "NaN is not a whole number"),
        ('{"height":true}', "Memory.height: True is not a whole number"),
        ('{"height":"1"}', "Memory.height: '1' is not a whole number"),
        ('{"hight":1}', "Memory has no hight"),
        ('{"valid_blobs":[]}', "Memory.valid_blobs: [] is not an object"),
        ('{"closings":{}}', "Memory.closings: {} is not a list"),
        ('{"withdrawn_at":{"o/1/2/3":7}}', "is not owner/dseq/gseq/oseq"),
        ('{"ledger":{"spent":[[1]]}}', "Memory.ledger: WalletLedger.spent: [1] has not exactly 2 items"),
        ('{"workloads":{"w":{"adapter":"k","phase":"Running"}}}', "WorkloadMemory.lease is missing"),
        (
            '{"workloads":{"w":{"lease":"o/1/1/1/p","adapter":"k","phase":"running"}}}',
            "'running' is not a valid Phase",
        ),
    ],
)
def test_other_text_is_rejected_with_its_path(text: str, where: str) -> None:
    with pytest.raises(CodecError, match=re.escape(where)):
        loads(Memory, text)


@pytest.mark.parametrize("text", ['{"type":"Nothing"}', "{}", "[]", '{"type":["x"]}'])
def test_a_union_rejects_unknown_members(text: str) -> None:
    with pytest.raises(CodecError):
        decode(Message, text)


@pytest.mark.parametrize("text", ['"NaN"', '"1e5"', '"1_0"', '" 1"', "1"])
def test_a_decimal_in_another_notation_is_rejected(text: str) -> None:
    with pytest.raises(CodecError):
        decode(Decimal, text)


def test_a_type_without_a_json_form_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="float"):
        codec(float)


def test_a_union_member_may_not_carry_the_tag() -> None:
    @dataclass(frozen=True)
    class Typed:
        type: str

    with pytest.raises(TypeError, match="cannot be a union member"):
        codec(Typed | EffectResult)


def test_mapping_keys_are_sorted() -> None:
    kind = Mapping[str, int]
    assert dumps(kind, {"b": 1, "a": 2}) == dumps(kind, {"a": 2, "b": 1}) == '{"a":2,"b":1}'


def test_a_field_with_its_default_is_omitted_and_restored() -> None:
    assert dumps(Memory, Memory()) == "{}"
    assert dumps(Memory, Memory(height=7)) == '{"height":7}'
    assert loads(Memory, "{}") == Memory()
    assert loads(Memory, '{"height":0,"last_batch":""}') == Memory()


def test_a_reading_carries_its_class() -> None:
    view = AdapterView(Seen({}), Unseen("no answer; try again"))
    text = dumps(AdapterView, view)
    assert '"capacity":{"type":"Unseen","why":"no answer; try again"}' in text
    assert loads(AdapterView, text) == view


@pytest.mark.parametrize("text", ['{"height":[]}', '{"applied":{}}', '{"workloads":[]}', '{"closings":[{}]}'])
def test_a_field_of_another_type_is_rejected_with_its_path(text: str) -> None:
    with pytest.raises(CodecError, match=r"Memory\.\w+: "):
        loads(Memory, text)


def test_an_id_of_another_type_is_rejected() -> None:
    for text in ("[]", '["a"]', '{"a":1}', '"a/b"'):
        with pytest.raises(CodecError):
            decode(LeaseId, text)
