"""Bytes to text, and the place of what is wrong with them."""

import pytest

from reconciler.documents.decoding import BYTES_MAX, decode
from reconciler.documents.faults import BrokenFileError


def test_a_byte_order_mark_and_any_line_ends_are_taken() -> None:
    assert decode("f", b"\xef\xbb\xbfa: 1\r\nb: \xc3\xa9\r") == "a: 1\r\nb: é\r"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfea\x00", "f:1:1: the file is UTF-16 (save it as UTF-8)"),
        (b"a: 1\nb: \xe9\n", "f:2:4: byte 0xe9 is not UTF-8 (save the file as UTF-8)"),
        (
            b"a: 1\r\nb: x\x1b[31m\n",
            "f:2:5: the invisible sign U+001B (remove it, or write it as an escape in quotes)",
        ),
        (
            "a: é\u202egpj".encode(),
            "f:1:5: the invisible sign U+202E (remove it, or write it as an escape in quotes)",
        ),
        (
            b"x" * (BYTES_MAX + 1),
            "f:1:1: the file has 1048577 bytes; at most 1048576 are read (split it)",
        ),
    ],
)
def test_what_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(BrokenFileError) as caught:
        decode("f", content)
    assert caught.value.fault.show() == message
