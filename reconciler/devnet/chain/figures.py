"""Numbers that stand in messages as text: what is none is refused when the transaction is read."""

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


def wrong_figure(message: Message) -> str | None:
    """What the node says of the first number, in a message or the messages in it, that is none."""
    name = _FIGURES.get(message.DESCRIPTOR.full_name)
    if name is not None:
        return _wrong(getattr(message, name))
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        for part in (value,) if isinstance(value, Message) else value:
            wrong = wrong_figure(part)
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
