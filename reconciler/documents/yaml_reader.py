"""A strict, bounded YAML subset: no anchors, aliases, tags, merge keys, directives or several documents.

Built on parser events only: PyYAML's composer overflows the C stack on 50,000 brackets, and aliases expand
only when the result is walked. Unsupported syntax is rejected at its first event.
"""

import re

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from reconciler.documents.document import BrokenFileError, Document, Mark, Node, SourcePosition
from reconciler.documents.syntax_faults import (
    COMMENT,
    ODD_SPACE,
    SAVE_AGAIN,
    odd_space_fault,
    syntax_fault,
    tab_fault,
)
from reconciler.documents.yaml_scalars import DoubtfulScalarError, plain_scalar
from reconciler.values.desired import Fault

DEPTH_MAX = 32
NODES_MAX = 50_000
MERGE_KEY = "<<"
_CONFLICT = re.compile(r"^(?:<{7}|\|{7}|={7}|>{7})(?: |\r?$)", re.MULTILINE)
"""A conflict marker of git; YAML would read one inside quotes as text."""
_ROUND_QUOTES = tuple("\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb")


def read_yaml(path: str, content: bytes) -> Document:
    """The file as plain values with positions; BrokenFileError with the first fault."""
    text = decode(path, content)
    if conflict := _CONFLICT.search(text):
        line = len(re.findall(r"\r\n?|\n", text[: conflict.start()])) + 1
        advice = "resolve it and remove the conflict markers"
        raise BrokenFileError(Fault(path, line, 1, "unresolved merge conflict", advice))
    builder = _Builder(path)
    scalars: list[ScalarEvent] = []
    has_tabs = "\t" in text
    try:
        for event in yaml.parse(text, Loader=yaml.CLoader):
            builder.take(event)
            if has_tabs and isinstance(event, ScalarEvent):
                scalars.append(event)
    except yaml.MarkedYAMLError as error:
        raise BrokenFileError(syntax_fault(path, text, error)) from None
    except yaml.YAMLError as error:
        raise BrokenFileError(Fault(path, 1, 1, f"not YAML: {error}", SAVE_AGAIN)) from None
    if has_tabs:
        _reject_tabs(path, text, scalars)
    return Document(path, builder.root, builder.marks)


def _reject_tabs(path: str, text: str, scalars: list[ScalarEvent]) -> None:
    """Reject tabs between scalars, on which YAML readers disagree; scalars and comments may contain them."""
    characters = list(text)
    for scalar in scalars:
        start, end = scalar.start_mark, scalar.end_mark
        assert start is not None and end is not None, "libyaml marks every event"  # noqa: PT018  # one claim
        for index in range(start.index, end.index):
            if characters[index] not in "\r\n":
                characters[index] = "x"
    for number, line in enumerate(re.split(r"\r\n?|\n", "".join(characters)), 1):
        column = COMMENT.split(line, 1)[0].find("\t") + 1
        if column:
            raise BrokenFileError(tab_fault(path, number, column))


class _Builder:
    """Builds values from events with a stack of open containers, without recursion."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.root: Node = None
        self.marks: dict[int, dict[str | int, Mark]] = {}
        self._stack: list[dict[str, Node] | list[Node]] = []
        self._keys: list[tuple[str, SourcePosition] | None] = []
        self._nodes = 0
        self._documents = 0

    def take(self, event: Event) -> None:
        """Process one event; BrokenFileError for unsupported syntax."""
        if isinstance(event, ScalarEvent):
            self._reject_properties(event)
            self._take_scalar(event)
        elif isinstance(event, MappingStartEvent):
            self._open({}, event)
        elif isinstance(event, SequenceStartEvent):
            self._open([], event)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self._stack.pop()
            self._keys.pop()
        elif isinstance(event, AliasEvent):
            raise self._broken(event, f"the alias *{event.anchor} is not supported", "write the value out")
        elif isinstance(event, DocumentStartEvent):
            self._start_document(event)

    def _start_document(self, event: DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            raise self._broken(event, "the file has a second document", "move it to its own file")
        if event.version or event.tags:
            raise self._broken(event, "directives (%) are not supported", "remove this line")

    def _reject_properties(self, event: NodeEvent) -> None:
        self._nodes += 1
        if self._nodes > NODES_MAX:
            raise self._broken(event, f"the file has more than {NODES_MAX} values", "split it")
        if event.anchor is not None:
            raise self._broken(event, f"the anchor &{event.anchor} is not supported", "write the value out")
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise self._broken(event, f"the tag {tag} is not supported", "remove it")

    def _open(
        self, container: dict[str, Node] | list[Node], event: MappingStartEvent | SequenceStartEvent
    ) -> None:
        self._reject_properties(event)
        if len(self._stack) >= DEPTH_MAX:
            raise self._broken(event, f"the nesting exceeds {DEPTH_MAX} levels", "reduce the nesting")
        if self._awaits_key():
            raise self._broken(event, "the key is a list or mapping", "use text")
        self._place(container, event)
        self._stack.append(container)
        self._keys.append(None)
        self.marks[id(container)] = {}

    def _take_scalar(self, event: ScalarEvent) -> None:
        value: Node = event.value
        if event.implicit[0] and (odd := ODD_SPACE.search(event.value)):
            position = _position_of(event)
            raise BrokenFileError(
                odd_space_fault(self.path, position.line, position.column + odd.start(), odd[0])
            )
        if event.implicit[0] and event.value.startswith(_ROUND_QUOTES):
            text = event.value.strip("".join(_ROUND_QUOTES))
            message = f"the typographic quote {event.value[0]} is not a quote in YAML"
            raise self._broken(event, message, f'write "{text}"')
        if event.implicit[0] and not (value == MERGE_KEY and self._awaits_key()):
            try:
                value = plain_scalar(event.value)
            except DoubtfulScalarError as error:
                raise self._broken(event, error.message, error.advice) from None
        if not self._awaits_key():
            self._place(value, event)
        elif value == MERGE_KEY and event.implicit[0]:
            raise self._broken(event, "merge keys (<<) are not supported", "write the values out")
        elif isinstance(value, str):
            self._take_key(value, event)
        else:
            raise self._broken(event, f"the key {event.value or '(empty)'} is not a word", "put it in quotes")

    def _take_key(self, key: str, event: Event) -> None:
        container = self._stack[-1]
        if key in container:
            first = self.marks[id(container)][key].key
            raise self._broken(event, f"duplicate key {key}", f"first on line {first.line}; remove one")
        self._keys[-1] = (key, _position_of(event))

    def _awaits_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1], dict) and self._keys[-1] is None

    def _place(self, value: Node, event: Event) -> None:
        if not self._stack:
            self.root = value
            return
        container = self._stack[-1]
        position = _position_of(event)
        if isinstance(container, list):
            self.marks[id(container)][len(container)] = Mark(position, position)
            container.append(value)
            return
        pending = self._keys[-1]
        assert pending is not None, "libyaml gives a key before its value"
        key, key_position = pending
        self.marks[id(container)][key] = Mark(key_position, key_position if value is None else position)
        container[key] = value
        self._keys[-1] = None

    def _broken(self, event: Event, message: str, advice: str) -> BrokenFileError:
        position = _position_of(event)
        return BrokenFileError(Fault(self.path, position.line, position.column, message, advice))


def _position_of(event: Event) -> SourcePosition:
    mark = event.start_mark
    assert mark is not None, "libyaml marks every event"
    return SourcePosition(mark.line + 1, mark.column + 1)


BYTES_MAX = 1024 * 1024
"""Largest accepted file."""

BOM = b"\xef\xbb\xbf"
"""The byte order mark that some editors write before UTF-8; ignored."""

# Control characters except tab and line ends, DEL, C1, Unicode line ends (YAML 1.1 breaks lines there,
# editors do not), bidirectional controls (they make a diff display differently), and non-characters.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)


def decode(path: str, content: bytes) -> str:
    """The text without a byte order mark; BrokenFileError with the position of the first invalid byte."""
    if len(content) > BYTES_MAX:
        message = f"the file has {len(content)} bytes; at most {BYTES_MAX} are read"
        raise BrokenFileError(Fault(path, 1, 1, message, "split it"))
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BrokenFileError(Fault(path, 1, 1, "the file is UTF-16", "save it as UTF-8"))
    try:
        text = content.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8")
        line, column = _end_of(before)
        message = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
        raise BrokenFileError(Fault(path, line, column, message, "save the file as UTF-8")) from None
    hidden = _HIDDEN.search(text)
    if hidden:
        line, column = _end_of(text[: hidden.start()])
        message = f"the invisible character U+{ord(hidden.group()):04X} is not allowed"
        raise BrokenFileError(Fault(path, line, column, message, "remove it, or escape it in quotes"))
    return text


def _end_of(text: str) -> tuple[int, int]:
    lines = re.split(r"\r\n|\r|\n", text)
    return len(lines), len(lines[-1]) + 1
