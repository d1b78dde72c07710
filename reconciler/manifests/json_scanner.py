"""The first JSON value of a body, with the error texts of Go's encoding/json."""

from __future__ import annotations

import re
from typing import Any

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.go_text import quoted

DEPTH_MAX = 1_000
"""Of nested values; a manifest has 9 levels."""
VALUES_MAX = 20_000
ITEMS_MAX = 2_000
"""Of one list."""
_SPACE = re.compile(r"[ \t\r\n]*")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_LITERALS = {"true": True, "false": False, "null": None}
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_REPLACEMENT = "\ufffd"
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_PAIRS = re.compile(r"[\ud800-\udbff][\udc00-\udfff]")


class JsonNumber(str):
    """A number as written."""

    __slots__ = ()

    @property
    def is_integer(self) -> bool:
        """Whether it has neither fraction nor exponent."""
        return not set(self) & set(".eE")


class JsonObject:
    """The keys and values of an object in order; keys may repeat."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, Any]] = []


def first_value(body: bytes) -> Any:
    """The first JSON value; what follows is ignored. Numbers are JsonNumber, objects JsonObject.

    Bytes that are no UTF-8 inside strings are replaced; ManifestError if there is no JSON value.
    """
    scanner = _Scanner(body.decode(errors="surrogateescape"))
    if not scanner.rest():
        raise ManifestError("EOF")
    return scanner.value()


def only_value(body: bytes) -> Any:
    """As `first_value`; ManifestError also if anything but white space follows."""
    scanner = _Scanner(body.decode(errors="surrogateescape"))
    if not scanner.rest():
        raise ManifestError("EOF")
    value = scanner.value()
    if scanner.rest():
        raise ManifestError("more than one value")
    return value


class _Scanner:
    """Reads values from a text, from left to right, with a stack of open containers."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    def rest(self) -> bool:
        """Whether anything but white space follows."""
        self._place = _SPACE.match(self._text, self._place).end()  # type: ignore[union-attr]  # matches always
        return self._place < len(self._text)

    def value(self) -> Any:
        """The next value, of any depth."""
        stack: list[tuple[Any, str]] = []
        count = 0
        while True:
            count += 1
            if count > VALUES_MAX:
                raise ManifestError(f"more than {VALUES_MAX} values")
            done, value = self._start(stack)
            while done:
                if not stack:
                    return value
                container, key = stack.pop()
                if isinstance(container, JsonObject):
                    container.pairs.append((key, value))
                else:
                    container.append(value)
                    if len(container) > ITEMS_MAX:
                        raise ManifestError(f"a list of more than {ITEMS_MAX} values")
                done, value = self._next(stack, container)

    def _start(self, stack: list[tuple[Any, str]]) -> tuple[bool, Any]:
        """Read a scalar or an empty container, or open a container."""
        sign = self._peek()
        if sign not in "{[":
            return True, self._scalar(sign)
        self._place += 1
        if len(stack) >= DEPTH_MAX:
            raise ManifestError("exceeded max depth")
        if sign == "[":
            if self.rest() and self._text[self._place] == "]":
                self._place += 1
                return True, []
            stack.append(([], ""))
            return False, None
        if self.rest() and self._text[self._place] == "}":
            self._place += 1
            return True, JsonObject()
        stack.append((JsonObject(), self._key()))
        return False, None

    def _next(self, stack: list[tuple[Any, str]], container: Any) -> tuple[bool, Any]:
        """After an element: another follows, or the container ends."""
        is_object = isinstance(container, JsonObject)
        sign = self._peek()
        if sign == ("}" if is_object else "]"):
            self._place += 1
            return True, container
        if sign != ",":
            raise self._invalid("after object key:value pair" if is_object else "after array element")
        self._place += 1
        stack.append((container, self._key() if is_object else ""))
        return False, None

    def _key(self) -> str:
        if self._peek() != '"':
            raise self._invalid("looking for beginning of object key string")
        key = self._string()
        if self._peek() != ":":
            raise self._invalid("after object key")
        self._place += 1
        return key

    def _scalar(self, sign: str) -> Any:
        if sign == '"':
            return self._string()
        for word, value in _LITERALS.items():
            if sign == word[0]:
                self._literal(word)
                return value
        if sign in "-0123456789":
            return self._number()
        raise self._invalid("looking for beginning of value")

    def _literal(self, word: str) -> None:
        for expected in word:
            if self._at() != expected:
                raise self._invalid(f"in literal {word} (expecting '{expected}')")
            self._place += 1

    def _number(self) -> JsonNumber:
        found = _NUMBER.match(self._text, self._place)
        if found is None:
            self._place += 1
            self._at()
            raise self._invalid("in numeric literal")
        self._place = found.end()
        following = self._text[self._place : self._place + 1]
        has_fraction, has_exponent = "." in found[0], "e" in found[0].lower()
        if following == "." and not has_fraction and not has_exponent:
            self._place += 1
            self._at()
            raise self._invalid("after decimal point in numeric literal")
        if following and following in "eE" and not has_exponent:
            self._place += 1
            if self._at() in "+-":
                self._place += 1
                self._at()
            raise self._invalid("in exponent of numeric literal")
        return JsonNumber(found[0])

    def _string(self) -> str:
        self._place += 1
        parts: list[str] = []
        while True:
            end = _PLAIN.match(self._text, self._place).end()  # type: ignore[union-attr]  # matches always
            parts.append(_SURROGATES.sub(_REPLACEMENT, self._text[self._place : end]))
            self._place = end
            sign = self._at()
            if sign == '"':
                self._place += 1
                return _joined("".join(parts))
            if sign != "\\":
                raise self._invalid("in string literal")
            self._place += 1
            parts.append(self._escape())

    def _escape(self) -> str:
        sign = self._at()
        if sign != "u":
            if sign not in _ESCAPES:
                raise self._invalid("in string escape code")
            self._place += 1
            return _ESCAPES[sign]
        self._place += 1
        digits = _HEX.match(self._text, self._place)
        if digits is None:
            while self._at() in "0123456789abcdefABCDEF":
                self._place += 1
            raise self._invalid("in \\u hexadecimal character escape")
        self._place = digits.end()
        return chr(int(digits[0], 16))

    def _peek(self) -> str:
        """The next character that is no white space."""
        self.rest()
        return self._at()

    def _at(self) -> str:
        if self._place >= len(self._text):
            raise ManifestError("unexpected EOF")
        return self._text[self._place]

    def _invalid(self, context: str) -> ManifestError:
        byte = self._text[self._place].encode(errors="surrogateescape")[0]
        shown = {"'": "\\'", '"': '"'}.get(chr(byte), quoted(chr(byte))[1:-1])
        return ManifestError(f"invalid character '{shown}' {context}")


def _joined(text: str) -> str:
    """With escaped surrogate pairs as one character, and lone ones replaced."""
    if text.isascii() or not _SURROGATES.search(text):
        return text
    whole = _PAIRS.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)
    return _SURROGATES.sub(_REPLACEMENT, whole)
