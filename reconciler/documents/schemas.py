"""The models as JSON Schemas (draft 2020-12), for editors and for CI outside Python."""

import json
from collections.abc import Mapping
from typing import Any

from reconciler.documents.host_model import HostFile
from reconciler.documents.kinds import KINDS, OLDER, FileKind
from reconciler.documents.model import API_VERSION, FileModel

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ALL = "all.json"
HOST = FileKind("Host", "host.json", HostFile)
"""The host file is not part of a state repository; its schema is for editors."""

_VERSION = API_VERSION.rpartition("/")[2]


def schemas() -> Mapping[str, str]:
    """File name -> JSON text: one schema per kind, and `all.json`, which selects by the file's `kind`.

    Each is self-contained; its `$id` names the newest version that it covers.
    """
    texts = {kind.schema: _text(kind.schema, kind_schema(kind)) for kind in (*KINDS, HOST)}
    return texts | {ALL: _text(ALL, _all_schema())}


def kind_schema(kind: FileKind) -> dict[str, Any]:
    """The schema of one kind in all versions, selected by `apiVersion`."""
    older = {version: forms[kind.model] for version, forms in OLDER.items() if kind.model in forms}
    if not older:
        return {"title": kind.name, **_form(kind.model)}
    schema: dict[str, Any] = {"title": kind.name, "type": "object", "$defs": {}}
    newest = _defined(kind.model, schema["$defs"])
    choice: dict[str, Any] = _defined(older.pop(min(older)), schema["$defs"])
    for version, form in older.items():
        choice = _if_version(version, _defined(form, schema["$defs"]), choice)
    return schema | _if_version(API_VERSION, newest, choice)


def _if_version(version: str, then: dict[str, Any], otherwise: dict[str, Any]) -> dict[str, Any]:
    named = {"properties": {"apiVersion": {"const": version}}, "required": ["apiVersion"]}
    return {"if": named, "then": then, "else": otherwise}


def _defined(model: type[FileModel], definitions: dict[str, Any]) -> dict[str, Any]:
    """Add the model's schema to the definitions; returns a reference to it."""
    form = _form(model)
    definitions |= form.pop("$defs", {}) | {model.__name__: form}
    return {"$ref": f"#/$defs/{model.__name__}"}


def _form(model: type[FileModel]) -> dict[str, Any]:
    schema = _tidy(model.model_json_schema(by_alias=True, mode="validation"))
    assert isinstance(schema, dict)
    schema["properties"]["apiVersion"].pop("default")  # or an editor would fill in the oldest
    return {key: value for key, value in schema.items() if key != "title"}


def _all_schema() -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    choices = []
    for kind in KINDS:
        schema = kind_schema(kind)
        definitions |= schema.pop("$defs", {}) | {kind.name: schema}
        named = {"properties": {"kind": {"const": kind.name}}}
        choices.append({"if": named, "then": {"$ref": f"#/$defs/{kind.name}"}})
    return {
        "title": "Any file of a state repository",
        "type": "object",
        "properties": {"kind": {"enum": [kind.name for kind in KINDS]}},
        "required": ["kind"],
        "allOf": choices,
        "$defs": definitions,
    }


def _tidy(node: Any) -> Any:
    """Without titles of fields, which are noise in editors, and null, which no file may contain."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = _without_null({key: _tidy(value) for key, value in node.items() if not _is_noise(key, value)})
    if node.get("type") == "number" and "default" in node:
        node["default"] = float(node["default"])
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


def _text(name: str, schema: Mapping[str, Any]) -> str:
    stem = name.removesuffix(".json")
    head = {"$schema": DIALECT, "$id": f"tag:provider.virtengine.dev,2026:{_VERSION}/{stem}"}
    return json.dumps(head | dict(schema), indent=2, ensure_ascii=False) + "\n"
