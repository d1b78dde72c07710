"""Bytes to text: UTF-8 alone, of a bounded size, without invisible signs that mislead a reviewer."""

import re

from reconciler.documents.faults import BrokenFileError
from reconciler.values.desired import Fault

BYTES_MAX = 1024 * 1024
"""Largest file that is read, in bytes."""

BOM = b"\xef\xbb\xbf"
"""The byte order mark that some editors put before UTF-8; it is read over."""

# Controls but tab and line ends, DEL, C1, Unicode line ends (YAML 1.1 breaks lines there, editors do not),
# marks that turn the direction of writing (a diff then reads differently than it is), and non-characters.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)


def decode(path: str, content: bytes) -> str:
    """The text of a file, a byte order mark left out; BrokenFileError has the place of the first bad byte."""
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
        message = f"the invisible sign U+{ord(hidden.group()):04X}"
        raise BrokenFileError(
            Fault(path, line, column, message, "remove it, or write it as an escape in quotes")
        )
    return text


def _end_of(text: str) -> tuple[int, int]:
    lines = re.split(r"\r\n|\r|\n", text)
    return len(lines), len(lines[-1]) + 1
