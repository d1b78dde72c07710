"""Every recorded message decodes without a field unknown, equals its JSON and encodes to the same bytes."""

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from reconciler.chain.proto import cosmos_abci_pb2, cosmos_tx_pb2
from reconciler.chain.stubs import SERVED, methods_of
from tests.chain.recordings import Step, every_step, queries, signed

METHODS = {method.path: method for service in SERVED.values() for method in methods_of(service)}
ANY = "google.protobuf.Any"


def inside(message: Message) -> Iterator[Message]:
    """The message and every message in it, the content of each Any included."""
    yield message
    if message.DESCRIPTOR.full_name == ANY:
        yield from inside(content(message))
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            continue
        for part in [value] if isinstance(value, Message) else value:
            yield from inside(part)


def content(wrapped: Any) -> Message:
    descriptor = descriptor_pool.Default().FindMessageTypeByName(wrapped.type_url.removeprefix("/"))
    return message_factory.GetMessageClass(descriptor).FromString(wrapped.value)


def decoded(kind: type[Message], raw: bytes) -> Message:
    """The message in these bytes, after a look at every corner of it."""
    message = kind.FromString(raw)
    assert message.SerializeToString(deterministic=True) == raw
    for part in inside(message):
        assert len(UnknownFieldSet(part)) == 0, part.DESCRIPTOR.full_name
        if part.DESCRIPTOR.full_name == ANY:
            assert content(part).SerializeToString(deterministic=True) == part.value  # type: ignore[attr-defined]  # an Any
    return message


def as_json(message: Message) -> Any:
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


@pytest.mark.parametrize("step", list(queries()), ids=lambda step: step.place)
def test_recorded_queries_decode(step: Step) -> None:
    method = METHODS["/" + step.line["method"]]
    request = decoded(method.request, bytes.fromhex(step.line["request_hex"]))
    assert request == json_format.ParseDict(step.line["request"], method.request())
    if "response_hex" in step.line:
        response = decoded(method.response, bytes.fromhex(step.line["response_hex"]))
        assert response == json_format.ParseDict(step.line["response"], method.response())
        assert as_json(response) == step.line["response"]


@pytest.mark.parametrize("step", list(signed()), ids=lambda step: step.place)
def test_recorded_transactions_decode(step: Step) -> None:
    raw = decoded(cosmos_tx_pb2.TxRaw, bytes.fromhex(step.line["tx_hex"]))
    assert isinstance(raw, cosmos_tx_pb2.TxRaw)
    body = decoded(cosmos_tx_pb2.TxBody, raw.body_bytes)
    auth = decoded(cosmos_tx_pb2.AuthInfo, raw.auth_info_bytes)
    assert body == json_format.ParseDict(step.line["body"], cosmos_tx_pb2.TxBody())
    assert isinstance(auth, cosmos_tx_pb2.AuthInfo)
    assert auth.fee.gas_limit == step.line["gas_limit"]
    unordered = step.line["body"].get("unordered", False)
    assert auth.signer_infos[0].sequence == (0 if unordered else step.line["sequence"])


def test_recorded_message_responses_decode() -> None:
    answers = [
        step.line["result"]["data"] for step in every_step() if (step.line.get("result") or {}).get("data")
    ]
    assert len(answers) > 200
    for answer in answers:
        decoded(cosmos_abci_pb2.TxMsgData, b64decode(answer))


def test_every_recording_is_used() -> None:
    assert (len(list(queries())), len(list(signed()))) == (481, 402)
