"""Fields of decoded messages: numbers in text that Go refuses, and fields that Go always writes."""

from __future__ import annotations

import re

from google.protobuf.message import Message

_FIGURES = {
    "cosmos.base.v1beta1.Coin": "amount",
    "cosmos.base.v1beta1.DecCoin": "amount",
    "virtengine.base.resources.v1beta4.ResourceValue": "val",
}
_MOST_BITS = 256
_FORM = re.compile(rb"[+-]?[0-9]*")


def malformed_number(message: Message) -> str | None:
    """The node's error for the first malformed number in a message, None if there is none."""
    name = _FIGURES.get(message.DESCRIPTOR.full_name)
    if name is not None:
        return _wrong(getattr(message, name))
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        for part in (value,) if isinstance(value, Message) else value:
            wrong = malformed_number(part)
            if wrong is not None:
                return wrong
    return None


def _wrong(value: str | bytes) -> str | None:
    data = value.encode() if isinstance(value, str) else value
    if not _FORM.fullmatch(data) or data in (b"+", b"-"):
        shown = data.decode(errors="replace").replace('"', '\\"')
        return f'math/big: cannot unmarshal "{shown}" into a *big.Int'
    if len(data) > 100 or abs(int(data or b"0")).bit_length() > _MOST_BITS + 59:
        return "integer out of range"
    return None


_ALWAYS = {
    "virtengine.deployment.v1beta4.GroupSpec": ("requirements",),
    "virtengine.base.attributes.v1.PlacementRequirements": ("signed_by",),
    "virtengine.deployment.v1beta4.ResourceUnit": ("resource", "price"),
    "virtengine.base.resources.v1beta4.CPU": ("units",),
    "virtengine.base.resources.v1beta4.Memory": ("quantity",),
    "virtengine.base.resources.v1beta4.Storage": ("quantity",),
    "virtengine.base.resources.v1beta4.GPU": ("units",),
    "virtengine.market.v1beta5.ResourceOffer": ("resources",),
}


def complete(message: Message) -> None:
    """Set the always-present fields of a message and of the messages in it."""
    for name in _ALWAYS.get(message.DESCRIPTOR.full_name, ()):
        getattr(message, name).SetInParent()
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for part in (value,) if isinstance(value, Message) else value:
            complete(part)
