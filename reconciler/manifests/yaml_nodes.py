"""YAML as a tree of nodes, as gopkg.in/yaml.v3 parses it: first document only, aliases kept.

Built on parser events without recursion, with bounds on depth and size; aliases share their node, and the
decoder bounds how often nodes are read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

import yaml
from yaml import events

from reconciler.manifests.errors import ManifestError
from reconciler.values.integers import UINT64_MAX

DEPTH_MAX = 64
NODES_MAX = 20_000
TEXT_BYTES_MAX = 1 << 20
_TAGS = "tag:yaml.org,2002:"
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = frozenset({"true", "True", "TRUE", "false", "False", "FALSE"})
_FLOATS = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0[0-7]*|[1-9][0-9]{0,19})")
"""Of up to 20 decimal digits, as `int` refuses thousands; more are no 64-bit integer."""
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}.*)?")


class NodeKind(Enum):
    """The kinds of nodes."""

    SCALAR = "scalar"
    SEQUENCE = "sequence"
    MAPPING = "mapping"
    ALIAS = "alias"


@dataclass(slots=True)
class YamlNode:
    """One node; `content` lists keys and values of a mapping in turn. `tag` is short, such as `!!str`; the
    value of an alias is its anchor.
    """

    kind: NodeKind
    tag: str
    value: str = ""
    line: int = 0
    content: list[YamlNode] = field(default_factory=list)

    @property
    def target(self) -> YamlNode:
        """The node itself, or that which an alias refers to."""
        return self.content[0] if self.kind is NodeKind.ALIAS else self

    @property
    def is_null(self) -> bool:
        """Whether it is null or empty."""
        return self.tag == "!!null"

    @property
    def is_merge(self) -> bool:
        """Whether it is the key `<<`."""
        return self.kind is NodeKind.SCALAR and self.tag == "!!merge"


def parse_yaml(content: bytes) -> YamlNode | None:
    """The first document; None if there is none; ManifestError if it is not YAML or too large."""
    if len(content) > TEXT_BYTES_MAX:
        raise ManifestError(f"the file is larger than {TEXT_BYTES_MAX} bytes")
    tree = _Tree()
    try:
        for event in yaml.parse(content, Loader=yaml.CLoader):
            if isinstance(event, events.DocumentEndEvent):
                break
            tree.take(event)
    except yaml.MarkedYAMLError as error:
        raise ManifestError(_syntax_error(error)) from None
    except yaml.YAMLError as error:
        raise ManifestError(f"yaml: {getattr(error, 'reason', error)}") from None
    return tree.root


def _syntax_error(error: yaml.MarkedYAMLError) -> str:
    """With the line as Go counts it: of the context, else of the problem, one less if no scanner found it."""
    marks = [mark.line for mark in (error.context_mark, error.problem_mark) if mark and mark.line]
    line = marks[0] + isinstance(error, yaml.scanner.ScannerError) if marks else 0
    return f"yaml: {f'line {line}: ' if line else ''}{error.problem}"


class _Tree:
    """Builds the tree with a stack of open containers."""

    def __init__(self) -> None:
        self.root: YamlNode | None = None
        self._open: list[YamlNode] = []
        self._anchors: dict[str, YamlNode] = {}
        self._count = 0

    def take(self, event: events.Event) -> None:
        """Add the node of one event."""
        if isinstance(event, (events.SequenceEndEvent, events.MappingEndEvent)):
            self._open.pop()
        elif isinstance(event, events.NodeEvent):
            node = self._node(event)
            self._add(node)
            if isinstance(event, (events.SequenceStartEvent, events.MappingStartEvent)):
                self._open.append(node)
                if len(self._open) > DEPTH_MAX:
                    raise ManifestError(f"yaml: line {node.line}: nested deeper than {DEPTH_MAX} levels")

    def _add(self, node: YamlNode) -> None:
        self._count += 1
        if self._count > NODES_MAX:
            raise ManifestError(f"yaml: more than {NODES_MAX} values")
        if self._open:
            self._open[-1].content.append(node)
        elif self.root is None:
            self.root = node

    def _node(self, event: events.NodeEvent) -> YamlNode:
        mark = event.start_mark
        line = mark.line + 1 if mark else 0
        if isinstance(event, events.AliasEvent):
            anchor = str(event.anchor)
            target = self._anchors.get(anchor)
            if target is None:
                raise ManifestError(f"yaml: unknown anchor '{anchor}' referenced")
            if any(target is each for each in self._open):
                raise ManifestError(f"yaml: anchor '{anchor}' value contains itself")
            return YamlNode(NodeKind.ALIAS, "", anchor, line, [target])
        node = _valued(event, line)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node


def _valued(event: events.NodeEvent, line: int) -> YamlNode:
    tag = str(getattr(event, "tag", None) or "")
    tag = "" if tag == "!" else tag.replace(_TAGS, "!!", 1)
    if isinstance(event, events.ScalarEvent):
        if tag not in ("", "!!str", "!!binary") and tag != (found := plain_tag(event.value)):
            raise ManifestError(f"yaml: cannot decode {found} `{event.value}` as a {tag}")
        return YamlNode(NodeKind.SCALAR, tag or _scalar_tag(event), event.value, line)
    if isinstance(event, events.SequenceStartEvent):
        return YamlNode(NodeKind.SEQUENCE, tag or "!!seq", "", line)
    return YamlNode(NodeKind.MAPPING, tag or "!!map", "", line)


def _scalar_tag(event: events.ScalarEvent) -> str:
    if event.style:
        return "!!str"
    return "!!merge" if event.value == "<<" else plain_tag(event.value)


def plain_tag(text: str) -> str:
    """The tag of a scalar without quotes and tag."""
    if text in _NULLS:
        return "!!null"
    if text in _BOOLEANS:
        return "!!bool"
    if _FLOATS.fullmatch(text):
        return "!!float"
    if text[0] not in "0123456789+-.":
        return "!!str"
    if _DATE.fullmatch(text):
        return "!!timestamp"
    plain = text.replace("_", "")
    if _INTEGER.fullmatch(plain) and -(2**63) <= yaml_integer(plain) <= UINT64_MAX:
        return "!!int"
    return "!!float" if _FLOAT.fullmatch(plain) else "!!str"


def yaml_integer(text: str) -> int:
    """The value of a scalar with the tag `!!int`."""
    plain = text.replace("_", "").lower()
    digits = plain.lstrip("+-")
    is_octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    value = int(digits, 8) if is_octal else int(digits, 0)
    return -value if plain.startswith("-") else value
