"""Text from outside, bounded and free of control characters before it is logged, matched or stored."""

from __future__ import annotations

from functools import cache

LINE_MAX = 500
"""Default bound of a line, in characters."""

SENTENCE_MAX = 1000
"""Bound of a message with its quotes, in characters."""

_INVISIBLE_RANGES = (
    (0x00, 0x1F),  # C0 controls: ESC, CR, NUL, tab and newline
    (0x7F, 0x9F),  # DEL and the C1 controls, which some terminals take for escape sequences
    (0x00AD, 0x00AD),  # soft hyphen
    (0x061C, 0x061C),  # Arabic letter mark
    (0x180E, 0x180E),  # Mongolian vowel separator
    (0x200B, 0x200F),  # zero-width characters and direction marks
    (0x2028, 0x202E),  # line and paragraph separators, direction embeddings and overrides
    (0x2060, 0x206F),  # word joiner, direction isolates, deprecated format characters
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFF9, 0xFFFB),  # interlinear annotations
    (0xD800, 0xDFFF),  # lone surrogates, which no encoder accepts
    (0xE0000, 0xE007F),  # tags
)
_WHITE_SPACE = "\t\n\v\f\r\x85\u2028\u2029"
_INVISIBLE = tuple(code for first, last in _INVISIBLE_RANGES for code in range(first, last + 1))
_CLEANED: dict[int, str | None] = dict.fromkeys(_INVISIBLE) | {ord(sign): " " for sign in _WHITE_SPACE}
_ESCAPED = {code: f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}" for code in _INVISIBLE}


def one_line(text: str, characters_max: int = LINE_MAX) -> str:
    """The text as one printable line of at most `characters_max` characters; a cut is shown by `...`.

    White space of any kind becomes a space; control characters, direction marks and zero-width
    characters are removed. Linear in `characters_max`, however long the text is.
    """
    window = text[: 4 * characters_max + 64]
    line = " ".join(window.translate(_CLEANED).split())
    if len(line) <= characters_max and len(window) == len(text):
        return line
    return line[: max(characters_max - 3, 0)].rstrip() + "..."[:characters_max]


def printable(text: str, characters_max: int | None = None) -> str:
    """The text with each invisible character as an escape such as `\\u202e`; a cut is shown by `...`.

    Unlike `one_line`, a text with invisible characters never becomes equal to one without them, so the
    result can be compared and matched in place of the text.
    """
    if characters_max is None:
        return text if text.isascii() and text.isprintable() else text.translate(_ESCAPED)
    line = printable(text[:characters_max])
    if len(line) <= characters_max and len(text) <= characters_max:
        return line
    return line[: max(characters_max - 3, 0)] + "..."[:characters_max]


def visible(text: str, keep: str = "\n\t") -> str:
    """The text without its invisible characters, except those of `keep`."""
    return text if text.isascii() and text.isprintable() else text.translate(_removed(keep))


def clean_fields(value: object, *names: str) -> None:
    """Bound and clean fields of a frozen dataclass that quote text from outside, in its `__post_init__`."""
    for name in names:
        object.__setattr__(value, name, one_line(getattr(value, name), SENTENCE_MAX))


@cache
def _removed(keep: str) -> dict[int, None]:
    return {code: None for code in _INVISIBLE if chr(code) not in keep}
