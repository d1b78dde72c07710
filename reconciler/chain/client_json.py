"""Messages as JSON in the form of the chain's own client: proto order, every field (semantics 2, 7). Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

DECIMALS = frozenset({"cosmos.base.v1beta1.DecCoin.amount", "virtengine.escrow.types.v1.Balance.amount"})
"""Decimals that are integers times 10^18 on the wire."""

TEXTS = frozenset({"virtengine.base.resources.v1beta4.ResourceValue.val"})
"""Bytes fields with ASCII digits."""

WIDE = frozenset(
    {
        FieldDescriptor.TYPE_INT64,
        FieldDescriptor.TYPE_UINT64,
        FieldDescriptor.TYPE_SINT64,
        FieldDescriptor.TYPE_FIXED64,
        FieldDescriptor.TYPE_SFIXED64,
    }
)


def to_client_json(message: Message) -> dict[str, Any]:
    """The message as the JSON object that the chain's client prints."""
    fields: Iterable[Any] = message.DESCRIPTOR.fields  # the stubs have two classes of descriptors for one
    return {field.name: _field(message, field) for field in fields}


def _field(message: Message, field: FieldDescriptor) -> Any:
    value = getattr(message, field.name)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return dict(value)
    if field.is_repeated:
        return [_value(field, each) for each in value]
    if field.type == FieldDescriptor.TYPE_BYTES and not value and field.full_name not in TEXTS:
        return None
    return _value(field, value)


def _value(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is not None:
        return to_client_json(value)
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else value
    if field.full_name in DECIMALS:
        return decimal_text(value)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return value.decode() if field.full_name in TEXTS else base64.b64encode(value).decode()
    return str(value) if field.type in WIDE else value


def decimal_text(units: str) -> str:
    """`"1500000000000000000"` is `"1.500000000000000000"`."""
    number = int(units or "0")
    whole, fraction = divmod(abs(number), 10**18)
    return f"{'-' if number < 0 else ''}{whole}.{fraction:018d}"
