"""Values to JSON and back, strictly: a value comes back equal, any other text is rejected. Pure."""

from __future__ import annotations

import base64
import json
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache, lru_cache, partial
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from reconciler.values.ids import DeploymentId, LeaseId, OrderId
from reconciler.values.subjects import EffectKey, Subject
from reconciler.values.text import one_line

Value = TypeVar("Value")
Json = Any
"""A value as json.loads returns it."""

TAG = "type"
"""The key that names the class of a union's member."""

NUMBER_MAX = 10**100
"""Above every number of the chain; arithmetic on a number with a large exponent takes minutes."""


class CodecError(ValueError):
    """Text that this program does not write; the message starts with the path in the value."""


@dataclass(frozen=True, slots=True)
class Codec:
    """Encoder and decoder of one type."""

    encode: Callable[[Any], Json]
    decode: Callable[[Json], Any]


def dumps(kind: object, value: object) -> str:
    """The value as canonical JSON: equal values of a type give equal text."""
    return dump(codec(kind).encode(value))


def dump(tree: Json) -> str:
    """Canonical JSON text."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":"))


def loads(kind: type[Value], text: str) -> Value:
    """The value that `dumps` wrote; CodecError for any other text."""
    value: Value = decode(kind, text)
    return value


def decode(kind: object, text: str) -> Any:
    """Like `loads`, for types that are not classes (unions, tuples, new types)."""
    return codec(kind).decode(parse(text))


def parse(text: str) -> Json:
    """JSON without fractions and exponents; CodecError for any other text."""
    try:
        return json.loads(text, parse_float=_refuse_number, parse_constant=_refuse_number)
    except (ValueError, RecursionError) as error:
        raise CodecError(f"not JSON: {error}") from None


@cache
def codec(kind: Any) -> Codec:
    """The codec of a type; TypeError (a programming error) for a type without a JSON form."""
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
        variables = origin.__parameters__  # type: ignore[attr-defined]  # a generic class has them
        return _record(origin, dict(zip(variables, arguments, strict=True)))
    if isinstance(kind, type) and is_dataclass(kind):
        return _record(kind, {})
    raise TypeError(f"{kind!r} has no JSON form")


def _refuse_number(text: str) -> Json:
    raise CodecError(f"{text} is not a whole number")


def _checked(tree: Json, kind: type) -> Any:
    if type(tree) is not kind:
        raise CodecError(f"{_short(tree)} is not {_NAMES[kind]}")
    return tree


_NAMES = {int: "a whole number", str: "text", bool: "true or false", list: "a list", dict: "an object"}


def _same(value: Any) -> Json:
    return value


def _plain(kind: type) -> Codec:
    return Codec(_same, lambda tree: _checked(tree, kind))


def _number(tree: Json) -> int:
    number: int = _checked(tree, int)
    if not -NUMBER_MAX < number < NUMBER_MAX:
        raise CodecError(f"{_short(tree)} is too large")
    return number


def _text(parse: Callable[[str], Any]) -> Callable[[Json], Any]:
    def decode_text(tree: Json) -> Any:
        try:
            return parse(_checked(tree, str))
        except CodecError:
            raise
        except (ValueError, InvalidOperation) as error:
            raise CodecError(f"{_short(tree)}: {error}") from None

    return decode_text


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite() or str(number) != text or not -100 < number.adjusted() < 100:
        raise ValueError("not a decimal number as this program writes it")
    return number


def _cached(parse: Callable[[str], Any]) -> Codec:
    """Of a value that occurs in many places of another: each text is parsed once."""
    return Codec(str, _text(lru_cache(maxsize=1 << 16)(parse)))


_ATOMS: dict[Any, Codec] = {
    int: Codec(_same, _number),
    str: _plain(str),
    bool: _plain(bool),
    bytes: Codec(
        lambda value: base64.b64encode(value).decode(), _text(partial(base64.b64decode, validate=True))
    ),
    Decimal: _cached(_decimal),
    DeploymentId: _cached(DeploymentId.parse),
    LeaseId: _cached(LeaseId.parse),
    OrderId: _cached(OrderId.parse),
    Subject: _cached(Subject.parse),
    EffectKey: _cached(EffectKey.parse),
}


def _enum(kind: type[Enum]) -> Codec:
    members = {member.value: member for member in kind}
    return Codec(lambda value: value.value, _text(lambda text: members.get(text) or kind(text)))


def _tuple(arguments: tuple[Any, ...]) -> Codec:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        each = codec(arguments[0])
        return Codec(
            lambda value: [each.encode(v) for v in value],
            lambda tree: tuple(each.decode(t) for t in _checked(tree, list)),
        )
    parts = [codec(a) for a in arguments]

    def decode_parts(tree: Json) -> tuple[Any, ...]:
        if len(_checked(tree, list)) != len(parts):
            raise CodecError(f"{_short(tree)} has not exactly {len(parts)} items")
        return tuple(p.decode(t) for p, t in zip(parts, tree, strict=True))

    return Codec(lambda value: [p.encode(v) for p, v in zip(parts, value, strict=True)], decode_parts)


def _frozenset(each: Codec) -> Codec:
    return Codec(
        lambda value: sorted(each.encode(v) for v in value),
        lambda tree: frozenset(each.decode(t) for t in _checked(tree, list)),
    )


def _mapping(key_kind: Any, value_kind: Any) -> Codec:
    key, each = codec(key_kind), codec(value_kind)
    return Codec(
        lambda value: {key.encode(k): each.encode(v) for k, v in value.items()},
        lambda tree: {key.decode(k): each.decode(t) for k, t in _checked(tree, dict).items()},
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
            raise TypeError(f"{member.__name__} cannot be a union member with the key {TAG!r}")

    def encode_tagged(value: Any) -> Json:
        name = type(value).__name__
        return {TAG: name, **by_name[name].encode(value)}

    def decode_tagged(tree: Json) -> Any:
        rest = dict(_checked(tree, dict))
        name = rest.pop(TAG, None)
        if type(name) is not str or name not in by_name:
            raise CodecError(f"{_short(name)} is none of {', '.join(sorted(by_name))}")
        return by_name[name].decode(rest)

    return Codec(encode_tagged, decode_tagged)


def _record(kind: type, bound: Mapping[Any, Any]) -> Codec:
    """`bound` are the types of a generic record's variables; fields with their default are not written."""
    hints = {name: bound.get(hint, hint) for name, hint in get_type_hints(kind).items()}
    codecs = {each.name: codec(hints[each.name]) for each in fields(kind)}
    parts = [(each.name, codecs[each.name].encode, _default(each)) for each in fields(kind)]
    required = [name for name, _, default in parts if default is MISSING]
    decoders = {name: each.decode for name, each in codecs.items()}

    def encode_record(value: Any) -> Json:
        tree = {}
        for name, encode, default in parts:
            part = getattr(value, name)
            if default is MISSING or part != default:
                tree[name] = encode(part)
        return tree

    def decode_record(tree: Json) -> Any:
        values = {}
        for name, part in _checked(tree, dict).items():
            if name not in decoders:
                raise CodecError(f"{kind.__name__} has no {one_line(name, 60)}")
            try:
                values[name] = decoders[name](part)
            except CodecError as error:
                raise CodecError(f"{kind.__name__}.{name}: {error}") from None
        for name in required:
            if name not in values:
                raise CodecError(f"{kind.__name__}.{name} is missing")
        return kind(**values)

    return Codec(encode_record, decode_record)


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _short(tree: Json) -> str:
    text = repr(tree)
    return text if len(text) <= 60 else text[:57] + "..."
