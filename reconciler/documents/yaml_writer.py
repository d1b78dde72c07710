"""Values to canonical YAML, which YAML 1.1 and 1.2 readers read alike."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from reconciler.documents.document import Node
from reconciler.documents.yaml_scalars import DoubtfulScalarError, plain_scalar

KEY_LENGTH_MAX = 500
"""Longest key; YAML readers look at most 1,024 characters ahead for the colon."""

# Only characters that no YAML reader takes for syntax; a colon or space only inside.
_PLAIN = re.compile(
    r"[A-Za-z0-9_/](?:[A-Za-z0-9_./@+=,;()-]|:(?=[A-Za-z0-9_./@+=,-])| (?=[A-Za-z0-9_./@+=,;()-]))*"
)
_ESCAPED = re.compile(
    '["\\\\\x00-\x1f\x7f-\xa0\xad\u2000-\u200f\u2028-\u202f\u2060-\u206f\ue000-\uf8ff\ufeff\ufff0-\uffff]'
)
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def write_yaml(root: Mapping[str, Node]) -> bytes:
    """The mapping as UTF-8 YAML, keys in the given order, indented by two spaces."""
    return ("\n".join(_mapping_lines(root, "")) + "\n").encode() if root else b"{}\n"


def _mapping_lines(mapping: Mapping[str, Node], indent: str) -> list[str]:
    lines: list[str] = []
    for key, value in mapping.items():
        if len(key) > KEY_LENGTH_MAX:
            raise ValueError(f"the key {key[:40]}... has more than {KEY_LENGTH_MAX} characters")
        lines += _entry_lines(f"{indent}{_text(key)}:", value, indent)
    return lines


def _entry_lines(head: str, value: Node, indent: str) -> list[str]:
    if isinstance(value, dict) and value:
        return [head, *_mapping_lines(value, indent + "  ")]
    if isinstance(value, list) and value:
        return [head, *_list_lines(value, indent + "  ")]
    return [f"{head} {_scalar(value)}"]


def _list_lines(items: Sequence[Node], indent: str) -> list[str]:
    lines: list[str] = []
    for item in items:
        if isinstance(item, dict) and item:
            first, *rest = _mapping_lines(item, indent + "  ")
            lines += [f"{indent}- {first.lstrip(' ')}", *rest]
        elif isinstance(item, list) and item:
            lines += [f"{indent}-", *_list_lines(item, indent + "  ")]
        else:
            lines.append(f"{indent}- {_scalar(item)}")
    return lines


def _scalar(value: Node) -> str:
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, int):
        return str(value)
    return "{}" if isinstance(value, dict) else "[]"


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"{value} is not a finite number")
    text = format(value, "f")
    return text if "." in text else f"{text}.0"


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and _reads_as_itself(text):
        return text
    return '"' + _ESCAPED.sub(lambda match: _escape(match.group()), text) + '"'


def _reads_as_itself(text: str) -> bool:
    try:
        return plain_scalar(text) == text
    except DoubtfulScalarError:
        return False


def _escape(character: str) -> str:
    return _SHORT_ESCAPES.get(character) or f"\\u{ord(character):04x}"
