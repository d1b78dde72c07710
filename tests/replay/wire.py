"""Protobuf answers, compared by bytes or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from reconciler.chain.stubs import SERVED, Unary, methods_of
from tests.replay.comparing import differences

_EXACT = (
    "virtengine.",
    "cosmos.bank.v1beta1.Query/",
    "cosmos.auth.v1beta1.Query/",
    "cosmos.base.node.v1beta1.Service/Config",
)
_MASKED = {"next_key", "invoice_id", "idempotency_key"}
METHODS: dict[str, Unary[Message, Message]] = {
    method.path.lstrip("/"): method for service in SERVED.values() for method in methods_of(service)
}


def answer_differences(method: str, recorded_hex: str, got: bytes) -> Iterator[str]:
    """How an answer differs from the recorded bytes."""
    kind = METHODS[method].response
    recorded = bytes.fromhex(recorded_hex)
    if method.startswith(_EXACT):
        if recorded == got:
            return
        want, have = _masked(kind.FromString(recorded)), _masked(kind.FromString(got))
        if want.SerializeToString(deterministic=True) == have.SerializeToString(deterministic=True):
            return
        lines = list(differences(as_json(want), as_json(have)))
        yield from lines or ["the bytes differ, not what they say"]
        return
    yield from differences(as_json(kind.FromString(recorded)), as_json(kind.FromString(got)))


def as_json(message: Message, *, defaults: bool = False) -> Any:
    """Protobuf's JSON mapping with original names; without defaults by default."""
    return MessageToDict(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=defaults,
    )


def _masked(message: Message) -> Message:
    for field, value in message.ListFields():
        if field.name in _MASKED:
            setattr(message, field.name, b"set" if isinstance(value, bytes) else "set")
        elif field.message_type is not None:
            for part in (value,) if isinstance(value, Message) else value:
                if isinstance(part, Message):
                    _masked(part)
    return message
