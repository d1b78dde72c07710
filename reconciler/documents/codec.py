"""Values <-> JSON, strictly: every value comes back equal, and anything else is refused. Pure."""

from __future__ import annotations

import base64
import json
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache, lru_cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from reconciler.values.ids import DeploymentId, LeaseId, OrderId

Value = TypeVar("Value")
Json = Any
"""What json.loads gives; the decoders below narrow it."""

TAG = "type"
"""The key that says which member of a union a dataclass is."""

NUMBER_MAX = 10**100
"""The chain's own numbers end below it; one with a large exponent would take minutes to reckon with."""


class CodecError(ValueError):
    """Text that is not what this program writes; says where in the value."""


@dataclass(frozen=True, slots=True)
class Codec:
    """How one type is written and read."""

    encode: Callable[[Any], Json]
    decode: Callable[[Json], Any]


def dumps(kind: object, value: object) -> str:
    """The value as canonical JSON: equal values of a type give equal text."""
    return json.dumps(codec(kind).encode(value), sort_keys=True, separators=(",", ":"))


def loads(kind: type[Value], text: str) -> Value:
    """The value back, equal to what was written; raises CodecError for anything else."""
    value: Value = decode(kind, text)
    return value


def decode(kind: object, text: str) -> Any:
    """Like `loads`, for types that are no class (unions, tuples, new types)."""
    return codec(kind).decode(parse(text))


def parse(text: str) -> Json:
    """JSON with whole numbers alone; CodecError for anything else."""
    try:
        return json.loads(text, parse_float=_refuse_number, parse_constant=_refuse_number)
    except (ValueError, RecursionError) as error:
        raise CodecError(f"not JSON: {error}") from None


@cache
def codec(kind: Any) -> Codec:
    """The codec of a type; TypeError for a type that has none, a fault of the program."""
    if kind in _ATOMS:
        return _ATOMS[kind]
    if hasattr(kind, "__supertype__"):
        return codec(kind.__supertype__)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _union(arguments)
    if origin is tuple:
        return _tuple(arguments)
    if origin is frozenset:
        return _frozenset(codec(arguments[0]))
    if origin is Mapping:
        return _mapping(*arguments)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enum(kind)
    if isinstance(origin, type) and is_dataclass(origin):
        return _record(origin, dict(zip(_variables(origin), arguments, strict=True)))
    if isinstance(kind, type) and is_dataclass(kind):
        return _record(kind, {})
    raise TypeError(f"{kind!r} has no form in JSON")


def _refuse_number(text: str) -> Json:
    raise CodecError(f"{text} is not a whole number")


def _same(value: Any) -> Json:
    return value


def _exactly(kind: type, fits: Callable[[Any], bool]) -> Callable[[Json], Any]:
    def decode_exactly(tree: Json) -> Any:
        if type(tree) is not kind or not fits(tree):
            raise CodecError(f"{_short(tree)} is not {kind.__name__}")
        return tree

    return decode_exactly


def _text(parse: Callable[[str], Any]) -> Callable[[Json], Any]:
    def decode_text(tree: Json) -> Any:
        if type(tree) is not str:
            raise CodecError(f"{_short(tree)} is not text")
        try:
            return parse(tree)
        except (ValueError, InvalidOperation) as error:
            raise CodecError(f"{_short(tree)}: {error}") from None

    return decode_text


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite() or str(number) != text or not -100 < number.adjusted() < 100:
        raise ValueError("not a decimal number as this program writes it")
    return number


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _encode_bytes(value: bytes) -> Json:
    return base64.b64encode(value).decode()


def _often(parse: Callable[[str], Any]) -> Callable[[Json], Any]:
    """The text stands in many places of a value; it is read once."""
    read = lru_cache(maxsize=1 << 16)(_text(parse))

    def decode_often(tree: Json) -> Any:
        return read(tree) if type(tree) is str else _text(parse)(tree)

    return decode_often


_ATOMS: dict[Any, Codec] = {
    int: Codec(_same, _exactly(int, lambda number: -NUMBER_MAX < number < NUMBER_MAX)),
    str: Codec(_same, _exactly(str, lambda _: True)),
    bool: Codec(_same, _exactly(bool, lambda _: True)),
    bytes: Codec(_encode_bytes, _text(_bytes)),
    Decimal: Codec(str, _often(_decimal)),
    DeploymentId: Codec(str, _often(DeploymentId.parse)),
    LeaseId: Codec(str, _often(LeaseId.parse)),
    OrderId: Codec(str, _often(OrderId.parse)),
}


def _enum(kind: type[Enum]) -> Codec:
    members = {member.value: member for member in kind}
    return Codec(lambda value: value.value, _text(lambda text: members.get(text) or kind(text)))


def _items(tree: Json) -> list[Json]:
    if type(tree) is not list:
        raise CodecError(f"{_short(tree)} is not a list")
    return tree


def _tuple(arguments: tuple[Any, ...]) -> Codec:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        each = codec(arguments[0])
        return Codec(
            lambda value: [each.encode(v) for v in value],
            lambda tree: tuple(each.decode(t) for t in _items(tree)),
        )
    parts = [codec(a) for a in arguments]

    def decode_parts(tree: Json) -> tuple[Any, ...]:
        if len(_items(tree)) != len(parts):
            raise CodecError(f"{_short(tree)} has not {len(parts)} parts")
        return tuple(p.decode(t) for p, t in zip(parts, tree, strict=True))

    return Codec(lambda value: [p.encode(v) for p, v in zip(parts, value, strict=True)], decode_parts)


def _frozenset(each: Codec) -> Codec:
    return Codec(
        lambda value: sorted(each.encode(v) for v in value),
        lambda tree: frozenset(each.decode(t) for t in _items(tree)),
    )


def _object(tree: Json) -> dict[str, Json]:
    if type(tree) is not dict:
        raise CodecError(f"{_short(tree)} is not an object")
    return tree


def _mapping(key_kind: Any, value_kind: Any) -> Codec:
    key, each = codec(key_kind), codec(value_kind)
    return Codec(
        lambda value: {key.encode(k): each.encode(v) for k, v in value.items()},
        lambda tree: {key.decode(k): each.decode(t) for k, t in _object(tree).items()},
    )


def _union(members: tuple[Any, ...]) -> Codec:
    some = [m for m in members if m is not types.NoneType]
    inner = codec(some[0]) if len(some) == 1 else _tagged(tuple(some))
    if len(some) == len(members):
        return inner
    return Codec(
        lambda value: None if value is None else inner.encode(value),
        lambda tree: None if tree is None else inner.decode(tree),
    )


def _tagged(members: tuple[type, ...]) -> Codec:
    by_name = {m.__name__: codec(m) for m in members}
    for member in (get_origin(m) or m for m in members):
        if not is_dataclass(member) or TAG in get_type_hints(member):
            raise TypeError(f"{member.__name__} cannot be told apart in a union by its {TAG!r}")

    def encode_tagged(value: Any) -> Json:
        name = type(value).__name__
        return {TAG: name, **by_name[name].encode(value)}

    def decode_tagged(tree: Json) -> Any:
        rest = dict(_object(tree))
        name = rest.pop(TAG, None)
        if type(name) is not str or name not in by_name:
            raise CodecError(f"{_short(name)} is none of {', '.join(sorted(by_name))}")
        return by_name[name].decode(rest)

    return Codec(encode_tagged, decode_tagged)


def _record(kind: type, bound: Mapping[Any, Any]) -> Codec:
    """`bound` are the types that stand for the variables of a generic record."""
    hints = {name: bound.get(hint, hint) for name, hint in get_type_hints(kind).items()}
    parts = [_Part(each, codec(hints[each.name])) for each in fields(kind)]
    decoders = {part.name: part.codec.decode for part in parts}

    def encode_record(value: Any) -> Json:
        tree = {}
        for part in parts:
            found = getattr(value, part.name)
            if part.default is MISSING or found != part.default:
                tree[part.name] = part.codec.encode(found)
        return tree

    def decode_record(tree: Json) -> Any:
        found = _object(tree)
        try:
            return kind(**{name: decoders[name](part) for name, part in found.items()})
        except (KeyError, TypeError, CodecError):
            raise CodecError(_complaint(kind, parts, found)) from None

    return Codec(encode_record, decode_record)


def _variables(kind: type) -> tuple[Any, ...]:
    found: tuple[Any, ...] = getattr(kind, "__parameters__", ())
    return found


class _Part:
    """A field of a record; one that has its default is not written."""

    def __init__(self, field: Field[Any], codec: Codec) -> None:
        self.name, self.codec = field.name, codec
        made = field.default_factory
        self.default = field.default if made is MISSING else made()

    def fault(self, tree: Json) -> str:
        """What is wrong with a field's value; "" for nothing."""
        try:
            self.codec.decode(tree)
        except CodecError as error:
            return str(error)
        return ""


def _complaint(kind: type, parts: Sequence[_Part], found: dict[str, Json]) -> str:
    if unknown := found.keys() - {part.name for part in parts}:
        return f"{kind.__name__} has no {', '.join(sorted(unknown))}"
    for part in parts:
        if part.name in found and (why := part.fault(found[part.name])):
            return f"{kind.__name__}.{part.name}: {why}"
        if part.name not in found and part.default is MISSING:
            return f"{kind.__name__}.{part.name} is missing"
    return f"{_short(found)} is no {kind.__name__}"


def _short(tree: Json) -> str:
    text = repr(tree)
    return text if len(text) <= 60 else text[:57] + "..."
