"""The context in which a message executes, and its events."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from reconciler.chain.proto.escrow_types_v1_pb2 import Account, Payment
from reconciler.devnet.chain.amounts import dec, spelled
from reconciler.devnet.chain.store import Branch


@dataclass(frozen=True, slots=True)
class ChainEventRecord:
    """A type and its attributes in order; every attribute is indexed."""

    kind: str
    attributes: tuple[tuple[str, str], ...]

    def marked(self, key: str, value: str) -> ChainEventRecord:
        """The same event with one more attribute at its end."""
        return ChainEventRecord(self.kind, (*self.attributes, (key, value)))


@dataclass(slots=True)
class EventLog:
    """Events in order."""

    events: list[ChainEventRecord] = field(default_factory=list)

    def emit(self, kind: str, *attributes: tuple[str, str]) -> None:
        """Add an event."""
        self.events.append(ChainEventRecord(kind, attributes))

    def typed(self, message: Message) -> None:
        """Add a typed event: the message's full name, its fields by name as JSON text."""
        fields = ((f.name, _json(message, f)) for f in message.DESCRIPTOR.fields)
        self.emit(message.DESCRIPTOR.full_name, *sorted(fields))

    def moved(self, sender: str, recipient: str, amount: str) -> None:
        """Add the four events of a transfer."""
        self.emit("coin_spent", ("spender", sender), ("amount", amount))
        self.emit("coin_received", ("receiver", recipient), ("amount", amount))
        self.emit("transfer", ("recipient", recipient), ("sender", sender), ("amount", amount))
        self.emit("message", ("sender", sender))


def _json(message: Message, f: Any) -> str:
    return json.dumps(_plain(getattr(message, f.name), f), separators=(",", ":"), ensure_ascii=False)


def _plain(value: object, f: Any) -> object:
    """A field as in Go's jsonpb: with defaults, 64-bit numbers as text, bytes as base64."""
    if isinstance(value, Message):
        shown = {g.name: _plain(getattr(value, g.name), g) for g in value.DESCRIPTOR.fields}
        if value.DESCRIPTOR.full_name == "cosmos.base.v1beta1.DecCoin":
            shown["amount"] = spelled(dec(str(shown["amount"])))
        return shown
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if f.enum_type is not None and isinstance(value, int):
        return str(f.enum_type.values_by_number[value].name)
    if f.cpp_type in (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64):
        return str(value)
    return value


NANOSECONDS = 10**9


@dataclass(slots=True)
class MessageCall:
    """The state that a message may change, its block, and its events."""

    state: Branch
    height: int
    time_ns: int
    hooks: Hooks
    events: EventLog = field(default_factory=EventLog)

    @property
    def time(self) -> int:
        """The block's time in unix seconds."""
        return self.time_ns // NANOSECONDS


@dataclass(frozen=True, slots=True)
class Hooks:
    """Actions of other modules when escrow closes an account or a payment."""

    account_closed: Callable[[MessageCall, Account], None]
    payment_closed: Callable[[MessageCall, Payment], None]
