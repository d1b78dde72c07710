"""Views as JSON, and their JSON Schemas: times are RFC 3339 or null (unknown), decimals are text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from reconciler.reports.list_view import ListView
from reconciler.values.times import UNKNOWN, Timestamp, utc_text

REFERENCE = "#/components/schemas/{name}"


def view_json(view: object) -> bytes:
    """The view in one line."""
    return msgspec.json.encode(view, enc_hook=_encoded)


def view_text(view: object) -> str:
    """The view indented, with a final newline."""
    return msgspec.json.format(view_json(view), indent=2).decode() + "\n"


def list_text(view: ListView[Any]) -> str:
    """The page of a list with one item a line, as lists are long."""
    items = b",\n".join(map(view_json, view.items))
    rest = view_json({"total": view.total, "next": view.next})
    return f'{{"items": [\n{items.decode()}\n], {rest[1:].decode()}\n'


def view_tree(view: object) -> Any:
    """The view as dicts and lists, for a YAML writer."""
    return msgspec.to_builtins(view, enc_hook=_encoded)


def view_schemas(kinds: Iterable[type]) -> tuple[dict[type, Any], dict[str, Any]]:
    """A JSON Schema for each view, and the referenced schemas by name."""
    ordered = sorted(kinds, key=str)
    made, named = msgspec.json.schema_components(ordered, schema_hook=_schema, ref_template=REFERENCE)
    for schema in named.values():
        if "properties" in schema:
            schema["required"] = sorted(schema["properties"])
    return dict(zip(ordered, made, strict=True)), named


def _encoded(value: object) -> object:
    if isinstance(value, Timestamp):
        text = utc_text(value)
        return None if text == UNKNOWN else text
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")  # as msgspec expects of a hook


def _schema(kind: type) -> dict[str, Any]:
    if kind is Timestamp:
        return {"type": ["string", "null"], "format": "date-time"}
    raise NotImplementedError(f"{kind.__name__} has no JSON form")  # as msgspec expects of a hook
