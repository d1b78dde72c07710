"""JSON decoded into typed values, from any thread."""

from __future__ import annotations

import threading
from typing import Any, TypeVar, cast

import msgspec

from reconciler.values.times import Timestamp, parsed_unix_seconds

Decoded = TypeVar("Decoded")

_building = threading.Lock()
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def decode_json(text: bytes | str, form: type[Decoded]) -> Decoded:
    """The text as a value of the type; msgspec.MsgspecError if it is no such value.

    msgspec describes a type at its first use and shows the unfinished description to other threads, where
    it ends the process with a segmentation fault. One lock for all types prevents this.
    """
    decoder = _decoders.get(form)
    if decoder is None:
        with _building:
            decoder = _decoders.setdefault(form, msgspec.json.Decoder(form, dec_hook=_custom))
    return cast(Decoded, decoder.decode(text))


def _custom(form: type, value: Any) -> Any:
    if form is Timestamp:
        return parsed_unix_seconds(value or "")
    raise NotImplementedError(f"{form.__name__} has no JSON form")  # as msgspec expects of a hook
