"""The models as JSON Schemas, for editors and for CI outside Python (draft 2020-12)."""

import json
from collections.abc import Mapping
from typing import Any

from reconciler.documents.kinds import KINDS, Kind

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ALL = "all.json"


def schemas() -> Mapping[str, str]:
    """File name -> JSON text: one schema a kind, and `all.json`, which goes by the file's `kind`."""
    texts = {kind.schema: _text(_schema(kind)) for kind in KINDS}
    return texts | {ALL: _text(_all_schema())}


def _schema(kind: Kind) -> dict[str, Any]:
    schema = _tidy(kind.model.model_json_schema(by_alias=True, mode="validation"))
    assert isinstance(schema, dict)
    return {"$schema": DIALECT, "title": kind.name, **{k: v for k, v in schema.items() if k != "title"}}


def _all_schema() -> dict[str, Any]:
    return {
        "$schema": DIALECT,
        "title": "Any file of a state repository",
        "type": "object",
        "properties": {"kind": {"enum": [kind.name for kind in KINDS]}},
        "required": ["kind"],
        "allOf": [
            {"if": {"properties": {"kind": {"const": kind.name}}}, "then": {"$ref": kind.schema}}
            for kind in KINDS
        ],
    }


def _tidy(node: Any) -> Any:
    """Leave out what editors show as noise: titles of fields, and null, which no file of ours may hold."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = _without_null({key: _tidy(value) for key, value in node.items() if not _is_noise(key, value)})
    if "description" in node:
        node["description"] = " ".join(str(node["description"]).split())
    return node


def _is_noise(key: str, value: Any) -> bool:
    return (key == "title" and isinstance(value, str)) or (key == "default" and value is None)


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    choices = node.get("anyOf")
    if not isinstance(choices, list) or {"type": "null"} not in choices:
        return node
    kept = [choice for choice in choices if choice != {"type": "null"}]
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    return {**kept[0], **rest} if len(kept) == 1 else {**rest, "anyOf": kept}


def _text(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
