"""The reference of every file and key as Markdown, generated from the schemas: `docs/reference/`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.documents.forms import (
    AMOUNT,
    CPU,
    DELAY,
    DURATION,
    FORMS,
    LIST_PRICE,
    MARGIN,
    PRICE,
    SIZE,
    TextForm,
)
from reconciler.documents.kinds import KINDS, OLDER, FileKind
from reconciler.documents.migrating import renamed
from reconciler.documents.model import API_VERSION
from reconciler.documents.schemas import ALL, HOST, kind_schema

WHERE = {
    "Config": "`config.yaml` in the state repository",
    "Pricing": "`pricing.yaml` in the state repository",
    "KubernetesAdapter": "`adapters/kubernetes.yaml`, or any `adapters/NAME.yaml`, in the state repository",
    "AnsibleAdapter": "`adapters/ansible.yaml`, or any `adapters/NAME.yaml`, in the state repository",
    "Workload": "`workloads/<id>.yaml` in the state repository, one per lease",
    "Host": "`/etc/provider-daemon.yaml`, or the file of `--host` or `$PROVIDER_DAEMON_HOST`; outside the "
    "repository, so no pull request can change it",
}
UNITS = {
    PRICE.pattern: "uve",
    LIST_PRICE.pattern: "uve, or a currency",
    AMOUNT.pattern: "uve",
    MARGIN.pattern: "1 is 100 %",
    DURATION.pattern: "s, m, h, d",
    DELAY.pattern: "s, m, h, d",
    CPU.pattern: "millicores or cores",
    SIZE.pattern: "bytes",
}
"""Units of forms that measure something."""
ENDINGS = {"_percent": "%", "_seconds": "seconds", "_blocks": "blocks"}
"""Units by the ending of a number's name."""
BOUNDS = {
    "minimum": "from {}",
    "maximum": "to {}",
    "minItems": "at least {}",
    "maxItems": "at most {}",
}
HEAD = "Generated from the schemas by `make schemas`; changes here are overwritten."


@dataclass(frozen=True, slots=True)
class ReferenceKey:
    """One key of a kind: its dotted path, its schema, and whether it is required."""

    path: str
    schema: Mapping[str, Any]
    required: bool


def reference() -> Mapping[str, str]:
    """File name -> Markdown: a page for each kind, and README.md with the text formats."""
    kinds = (*KINDS, HOST)
    pages = {_page_name(kind): _page(kind) for kind in kinds}
    return pages | {"README.md": _index(kinds)}


def _page_name(kind: FileKind) -> str:
    return kind.schema.replace(".json", ".md")


def _index(kinds: Sequence[FileKind]) -> str:
    files = [f"| [{kind.name}]({_page_name(kind)}) | {WHERE[kind.name]} | {kind.schema} |" for kind in kinds]
    forms = [f"| {form.noun} | {UNITS.get(form.pattern, '')} | {form.advice} |" for form in FORMS.values()]
    version = API_VERSION.rpartition("/")[2]
    return "\n".join(
        [
            "# Every file and key",
            "",
            HEAD,
            "",
            "| kind | where | schema |",
            "|---|---|---|",
            *files,
            "",
            f"The newest version is `{API_VERSION}`. A file is read in the version of its `apiVersion`;",
            "the default is v1alpha1. `provider-daemon migrate` rewrites files into the newest version and",
            f"keeps comments. The schemas' `$id` ends in `{version}/<kind>`; `{ALL}` selects by `kind`.",
            "`init` writes them into `.schemas/`, to which the first line of each template file points",
            "editors, and `migrate` keeps them current.",
            "",
            "An unlisted key is an error, and so is a key without a value.",
            "",
            "## Forms",
            "",
            "| text | unit | how to write it |",
            "|---|---|---|",
            *forms,
            "",
        ]
    )


def _page(kind: FileKind) -> str:
    schema = kind_schema(kind)
    top = _newest(schema)
    rows = [_row(key) for key in _keys(top, "", schema.get("$defs", {}))]
    return "\n".join(
        [
            f"# {kind.name}",
            "",
            HEAD,
            "",
            f"{WHERE[kind.name]}. {top['description']}",
            *_notes(kind),
            "",
            "| key | type | unit | default | meaning |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _notes(kind: FileKind) -> Iterator[str]:
    if kind is HOST:
        yield ""
        yield "It is read once at start. (restart): a change applies after `systemctl restart"
        yield "provider-daemon`. (live): the file that the key names is read again when it changes."
    for version, forms in OLDER.items():
        if kind.model in forms:
            for names, new in renamed(forms[kind.model], kind.model).items():
                yield ""
                path = ".".join((*names[:-1], new))
                yield f"In {version.rpartition('/')[2]}, `{path}` is called `{names[-1]}`."


def _newest(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "then" not in schema:
        return schema
    newest: Mapping[str, Any] = schema["$defs"][_target(schema["then"])]
    return newest


def _target(schema: Mapping[str, Any]) -> str:
    return str(schema["$ref"]).removeprefix("#/$defs/")


def _keys(schema: Mapping[str, Any], prefix: str, definitions: Mapping[str, Any]) -> Iterator[ReferenceKey]:
    """Every key in the order of the models, each followed by the keys inside it; NAME is any other key."""
    for name, inner in schema.get("properties", {}).items():
        here = f"{prefix}{name}"
        yield ReferenceKey(here, inner, name in schema.get("required", ()))
        items = inner.get("items", {})
        if "$ref" in inner:
            yield from _keys(definitions[_target(inner)], f"{here}.", definitions)
        elif "$ref" in items:
            yield from _keys(definitions[_target(items)], f"{here}[].", definitions)
    if isinstance(others := schema.get("additionalProperties"), Mapping):
        yield ReferenceKey(f"{prefix}NAME", others, required=False)


def _row(key: ReferenceKey) -> str:
    schema = key.schema
    default = "**required**" if key.required else _default(schema)
    cells = (f"`{key.path}`", _type(schema), _unit(key), default, _cell(schema["description"]))
    return f"| {' | '.join(cells)} |"


def _default(schema: Mapping[str, Any]) -> str:
    if "default" not in schema or "$ref" in schema:
        return ""
    value = schema["default"]
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, float):
        return f"`{value:g}`"
    return '`""`' if value == "" else f"`{value}`"


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema or "oneOf" in schema:
        return "mapping"
    if form := _form(schema):
        return f"[{form.noun}](README.md#forms)"
    if choices := _choices(schema):
        return " or ".join(f"`{choice}`" for choice in choices)
    match schema.get("type"):
        case "boolean":
            return "`true` or `false`"
        case "integer":
            return _bounded("whole number", schema)
        case "number":
            return _bounded("number", schema)
        case "array":
            items = schema["items"]
            noun = "list of mappings" if "$ref" in items else f"list: {_type(items)}"
            return _bounded(noun, schema)
        case _:
            longest = schema.get("maxLength")
            return f"text, at most {longest} characters" if longest else "text"


def _choices(schema: Mapping[str, Any]) -> Sequence[str]:
    return schema.get("enum") or ([schema["const"]] if "const" in schema else [])


def _bounded(noun: str, schema: Mapping[str, Any]) -> str:
    shown = [text.format(schema[key]) for key, text in BOUNDS.items() if key in schema]
    return f"{noun} {' '.join(shown)}" if shown else noun


def _unit(key: ReferenceKey) -> str:
    form = _form(key.schema)
    ending = next((unit for ending, unit in ENDINGS.items() if key.path.endswith(ending)), "")
    return UNITS.get(form.pattern, "") if form else ending


def _form(schema: Mapping[str, Any]) -> TextForm | None:
    """The form of a text, also if a number is allowed in its place."""
    choices = schema.get("anyOf", [schema])
    return next((FORMS[c["pattern"]] for c in choices if c.get("pattern") in FORMS), None)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
