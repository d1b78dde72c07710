"""Validation errors of pydantic as faults: the position in the file, a message, and advice."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias, get_args

from annotated_types import MaxLen
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from reconciler.documents.corrections import correction_of
from reconciler.documents.document import Document, Node
from reconciler.documents.forms import AMOUNT, FORMS, IMAGE, LIST_PRICE, PRICE, TEXT, TextForm
from reconciler.documents.model import API_VERSION
from reconciler.values.adapters import AdapterKind
from reconciler.values.desired import Fault, Fix
from reconciler.values.images import parse_image
from reconciler.values.money import DENOM, parse_rate

FAULTS_MAX = 20
"""Faults reported per file."""

_NUMBER_AND_WORD = re.compile(r"[0-9]+(?:\.[0-9]+)?[A-Za-z]*")
_AMOUNT = re.compile(r"([0-9]+)(?:\.([0-9]+))?(?: ?[a-z]{3})?")
_PORTS = re.compile(r"([0-9]{1,5}):([0-9]{1,5})")
_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")
Steps: TypeAlias = tuple[str | int, ...]
_NAMED: dict[str, tuple[Steps, ...]] = {
    "services_twice": (("services", "*", "name"),),
    "env_twice": (("env", "*", "name"),),
    "names_twice": (("groups", "*", "name"), ("groups", "*", "hosts", "*", "name")),
}
"""By the kind of error: the paths of names that must be unique; * is each entry of a list."""
_KINDS, _TAGS = " or ".join(AdapterKind), frozenset[str](AdapterKind)
"""The kinds in words; in an error's location they are the tags of a union and no keys."""
_EXPECTED = {
    "bool_type": ("true or false", "write true or false"),
    "int_type": ("a whole number", "write it without a fraction"),
    "list_type": ("a list", "write each entry on its own line after a dash"),
    "string_type": ("a string", "write a string"),
    "model_attributes_type": ("a mapping (keys with values)", "write its keys below it, indented"),
    "model_type": ("a mapping (keys with values)", "write its keys below it, indented"),
}
"""By the kind of error: the expected value, and the default advice."""

_ADVICE = {
    "env_source": 'write value: TEXT for a public value, secret: "name/key" for a confidential one',
    "password_source": 'write secret: "name/key", and grant that secret in the host file',
    "ip_not_global": "add global: true, or remove ip",
    "hosts_not_http": "add global: true and as: 80, or remove hosts and http_options",
    "ports_twice": "give each its own port with as:, or remove one",
    "probe_kind": "write port: 8080 with path: /health, port: 8080 alone, or command: [...]",
    "service_unknown": "name a service of this file",
    "volumes_twice": "give each volume its own name and mount",
}
"""By the kind of error of a model as a whole."""


class _Located(NamedTuple):
    """A value and its path."""

    steps: Steps
    value: Node


def validation_faults(
    document: Document, model: type[BaseModel], error: ValidationError
) -> tuple[Fault, ...]:
    """One fault per error, ordered by position; beyond FAULTS_MAX the last one counts the rest."""
    details = error.errors(include_url=False)
    faults = sorted(_fault(document, model, detail) for detail in details)
    if len(faults) <= FAULTS_MAX:
        return tuple(faults)
    last = faults[FAULTS_MAX - 1]
    more = Fault(
        last.path,
        last.line,
        last.column,
        f"and {len(faults) - FAULTS_MAX} more faults in this file",
        "fix these first",
    )
    return (*faults[:FAULTS_MAX], more)


def empty_faults(document: Document, model: type[BaseModel]) -> tuple[Fault, ...]:
    """A fault for each key without a value; keys that follow it and belong below it are named."""
    root = document.root if isinstance(document.root, dict) else {}
    for key, value in root.items():
        inner = {field.alias or name for name, field in _fields(model, (key,)).items()}
        if value is None and (outside := [other for other in root if other in inner]):
            message = f"the keys {outside[0]} to {outside[-1]}" if outside[1:] else f"the key {outside[0]}"
            advice = f"indent each of these lines by two spaces, as they belong to {key}"
            return (document.fault((outside[0],), f"{message} must be below {key}", advice, of_key=True),)
    return document.empty_values()


def _fault(document: Document, model: type[BaseModel], detail: ErrorDetails) -> Fault:
    path = detail["loc"]
    steps = tuple(step for step in path if step not in _TAGS)
    match detail["type"]:
        case "missing":
            parent = steps[:-1]
            field = _field(model, path)
            advice = f"add it: {field.description.strip()}" if field and field.description else "add it"
            return document.fault(parent, f"the key {steps[-1]} is missing", advice, of_key=True)
        case "extra_forbidden":
            key = str(steps[-1])
            return document.fault(steps, f"unknown key {key}", _nearest(key, model, path), of_key=True)
        case "union_tag_not_found":
            return document.fault(steps, "the key kind is missing", f"add kind: {_KINDS}", of_key=True)
        case "union_tag_invalid":
            tag = _shown(detail.get("ctx", {}).get("tag"))
            return document.fault((*steps, "kind"), f"{tag} is not supported", f"write {_KINDS}")
        case "services_twice" | "names_twice" | "env_twice" as kind:
            name = detail.get("ctx", {}).get("name", "")
            second = _second(document, [(*steps, *path) for path in _NAMED[kind]], name)
            advice = "remove one of the two" if kind == "env_twice" else "give each a unique name"
            return document.fault(second, detail["msg"], advice)
        case _:
            message, advice, fix = _sentence(detail, _field(model, path))
            return replace(document.fault(steps, message, advice), fix=fix)


def _second(document: Document, paths: Sequence[Steps], name: str) -> Steps:
    """The path of the second occurrence of a name."""
    found = [at for path in paths for at in _matching(document.root, path) if at.value == name]
    places = sorted((document.place(at.steps), at.steps) for at in found)
    return places[1][1] if len(places) > 1 else ()


def _matching(node: Node, path: Steps, steps: Steps = ()) -> Iterator[_Located]:
    """The values at a path."""
    if not path:
        yield _Located(steps, node)
    elif isinstance(path[0], int) and isinstance(node, list):
        yield from _matching(node[path[0]], path[1:], (*steps, path[0]))
    elif path[0] == "*":
        for index, inner in enumerate(node if isinstance(node, list) else ()):
            yield from _matching(inner, path[1:], (*steps, index))
    elif isinstance(node, dict) and path[0] in node:
        yield from _matching(node[str(path[0])], path[1:], (*steps, path[0]))


class _Sentence(NamedTuple):
    """A message and its advice, and the fix if only one text can have been meant."""

    message: str
    advice: str
    fix: Fix | None = None


def _sentence(detail: ErrorDetails, field: FieldInfo | None) -> _Sentence:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    form = _form_of(field) or FORMS.get(str(context.get("pattern")))
    if form and isinstance(value, str) and (correction := correction_of(value, form)):
        fix = Fix(value, correction.text) if correction.is_certain else None
        return _Sentence(f"{_shown(value)} {correction.fault}", f"write {correction.text}", fix)
    if kind in _EXPECTED and (form is None or form is TEXT):
        message = f"{_shown(value)} is not {_EXPECTED[kind][0]}"
        return _Sentence(message, _type_advice(kind, value), _type_fix(kind, value))
    if kind == "literal_error":
        return _literal_sentence(detail)
    return _Sentence(*_words(detail, form))


def _words(detail: ErrorDetails, form: TextForm | None) -> tuple[str, str]:
    """A message and its advice."""
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    shown = _shown(value)
    if form in (PRICE, AMOUNT, LIST_PRICE) and kind in ("string_type", "string_pattern_mismatch"):
        return _money_sentence(value, form)
    if form is IMAGE and kind in ("image", "string_pattern_mismatch"):
        return _image_sentence(value)
    if form is not None and kind in ("string_type", "string_pattern_mismatch"):
        return f"{shown} is not {form.noun}", form.advice
    if kind in _EXPECTED:
        return f"{shown} is not {_EXPECTED[kind][0]}", _type_advice(kind, value)
    if kind == "address_range" and form is not None:
        return detail["msg"].replace("'", '"'), form.advice
    if kind == "checksum":
        return f"{shown} has a {detail['msg']}", "copy the whole address again"
    if kind in _ADVICE:
        return detail["msg"], _ADVICE[kind]
    return _bound_sentence(kind, shown, context) or (detail["msg"], "docs/reference describes every key")


def _money_sentence(value: Any, form: TextForm) -> tuple[str, str]:
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        if value < 0:
            return f"{text} is negative", f"write a positive number and {DENOM}"
        return f"{text} has no denomination", f"write {text}{DENOM}"
    if not isinstance(value, str):
        return f"{_shown(value)} is not {form.noun}", form.advice
    if re.match(r"-[0-9.]", text):
        return f"{_shown(value)} is negative", "write a positive number"
    whole, places = (18, 0) if form is AMOUNT else (12, 18)
    if (found := _AMOUNT.fullmatch(text)) and (len(found[1]) > whole or len(found[2] or "") > places > 0):
        after = f" and {places} after the point" if places else ""
        return f"{_shown(value)} has too many digits", f"at most {whole} whole digits{after}"
    if _NUMBER_AND_WORD.fullmatch(text):
        try:
            parse_rate(text)
        except ValueError as error:
            message, _, advice = str(error).partition("; ")
            return message.replace("'", '"'), advice
    return f"{_shown(value)} is not {form.noun}", form.advice


def _image_sentence(value: str) -> tuple[str, str]:
    try:
        parse_image(value)
    except ValueError as error:
        message, _, advice = str(error).partition("; ")
        return f"{_shown(value)} {message}", advice
    return f"{_shown(value)} is not {IMAGE.noun}", IMAGE.advice


def _literal_sentence(detail: ErrorDetails) -> _Sentence:
    value, expected = detail["input"], str(detail.get("ctx", {}).get("expected", ""))
    if detail["loc"] == ("apiVersion",):
        return _Sentence(f"{_shown(value)} is not a supported version", f"write {API_VERSION}")
    names = [name.strip("'") for name in re.split(", | or ", expected)]
    same = [name for name in names if isinstance(value, str) and name.lower() == value.lower()]
    message = f"{_shown(value)} is not supported"
    if len(same) == 1:
        return _Sentence(message, f"write {same[0]}", Fix(value, same[0]))
    return _Sentence(message, f"write {expected}".replace("'", ""))


def _bound_sentence(kind: str, shown: str, context: Mapping[str, Any]) -> tuple[str, str] | None:
    match kind:
        case "greater_than_equal":
            return f"{shown} is too small", f"at least {context['ge']}"
        case "less_than_equal":
            return f"{shown} is too large", f"at most {context['le']}"
        case "too_short":
            return "the list is too short", f"at least {context['min_length']}"
        case "too_long":
            return (
                f"the list has {context['actual_length']} entries",
                f"at most {context['max_length']}",
            )
        case "string_too_long":
            return "the text is too long", f"at most {context['max_length']} characters"
        case _:
            return None


def _type_advice(kind: str, value: Any) -> str:
    if kind == "string_type" and not isinstance(value, list | dict) and value is not None:
        return f"put it in quotes: {json.dumps(_bare(value))}"
    if kind == "int_type" and isinstance(value, str) and value.isdecimal():
        return f"remove the quotes: {value}"
    if kind == "bool_type":
        word = str(value).lower()
        return f"remove the quotes: {word}" if word in ("true", "false") else _EXPECTED[kind][1]
    if kind == "int_type" and isinstance(value, str) and (pair := _PORTS.fullmatch(value)):
        return f"write port: {pair[2]} and as: {pair[1]}"
    if kind == "list_type" and isinstance(value, str):
        return f"write it in brackets: [{json.dumps(value)}]"
    if kind == "list_type" and isinstance(value, dict) and value:
        return _list_advice(value)
    if kind.startswith("model_") and isinstance(value, str) and (pair := _VARIABLE.fullmatch(value)):
        return f"write {{name: {pair[1]}, value: {json.dumps(pair[2], ensure_ascii=False)}}}"
    return _EXPECTED[kind][1]


def _type_fix(kind: str, value: Any) -> Fix | None:
    """Quotes that are missing or too many."""
    bare = _bare(value)
    if kind == "string_type" and isinstance(value, int | Decimal):
        return Fix(bare, json.dumps(bare))
    is_whole = kind == "int_type" and isinstance(value, str) and value.isdecimal()
    is_switch = kind == "bool_type" and value in ("true", "false")
    return Fix(json.dumps(value), bare) if is_whole or is_switch else None


def _list_advice(value: dict[str, Any]) -> str:
    """A mapping where a list is expected: an entry without its dash, or variables as keys."""
    key, inner = next(iter(value.items()))
    if key != "name" and not isinstance(inner, list | dict):
        return f"write each entry as - {{name: {key}, value: {json.dumps(_bare(inner), ensure_ascii=False)}}}"
    return f"begin each entry with a dash: - {key}:"


def _shown(value: Any) -> str:
    match value:
        case None:
            return "an empty value"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case str():
            return json.dumps(value if len(value) <= 60 else value[:60] + "...", ensure_ascii=False)
        case _:
            return _bare(value)


def _bare(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _nearest(key: str, model: type[BaseModel], steps: tuple[str | int, ...]) -> str:
    known = [field.alias or name for name, field in _fields(model, steps[:-1]).items()]
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.7)
    return f"did you mean {close[0]}?" if close else f"known keys: {', '.join(known)}"


def _fields(model: type[BaseModel], steps: tuple[str | int, ...]) -> Mapping[str, FieldInfo]:
    """The fields of the model at a path; in a union, a step is the kind of one of its models."""
    found: tuple[type[BaseModel], ...] = (model,)
    for step in steps:
        if isinstance(step, int):
            continue
        if len(found) > 1:
            found = tuple(each for each in found if each.model_fields["kind"].default == step)
        elif found:
            field = _named(found[0], step)
            others = vars(found[0]).get("__annotations__", {}).get("__pydantic_extra__")
            found = tuple(models_in(field.annotation if field else others))
    return found[0].model_fields if len(found) == 1 else {}


def _field(model: type[BaseModel], steps: tuple[str | int, ...]) -> FieldInfo | None:
    names = tuple(step for step in steps if isinstance(step, str))
    if not names:
        return None
    for name, field in _fields(model, names[:-1]).items():
        if names[-1] in (field.alias, name):
            return field
    return None


def _named(model: type[BaseModel], key: str) -> FieldInfo | None:
    return next((f for name, f in model.model_fields.items() if key in (f.alias, name)), None)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


def _form_of(field: FieldInfo | None) -> TextForm | None:
    """The text form of the field, or of the entries of its list."""
    if field is None:
        return None
    for entry in (*field.metadata, *_metadata_in(field.annotation)):
        pattern = getattr(entry, "pattern", None)
        if isinstance(pattern, str):
            return FORMS.get(pattern)
    return None


def _metadata_in(annotation: Any) -> Iterator[Any]:
    for entry in getattr(annotation, "__metadata__", ()):
        yield from getattr(entry, "metadata", ()) or (entry,)
    for argument in get_args(annotation):
        if not isinstance(argument, FieldInfo | MaxLen):
            yield from _metadata_in(argument)
