"""Which addresses only this machine reaches."""

from __future__ import annotations

import pytest

from reconciler.values.listen_address import ListenAddress


@pytest.mark.parametrize(
    ("text", "is_loopback"),
    [
        ("127.0.0.1:8443", True),
        ("127.9.9.9:1", True),
        ("localhost:0", True),
        ("[::1]:8443", True),
        ("0.0.0.0:8443", False),
        ("[::]:8443", False),
        ("192.168.0.1:80", False),
        ("localhost.example.org:80", False),
        ("[::ffff:10.0.0.1]:80", False),
    ],
)
def test_loopback_is_recognised_and_the_text_round_trips(text: str, is_loopback: bool) -> None:
    assert ListenAddress.parse(text).is_loopback is is_loopback
    assert str(ListenAddress.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "8443", ":8443", "127.0.0.1", "127.0.0.1:", "h:65536", "::1:80", "h:-1"]
)
def test_other_texts_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"write them as 127\.0\.0\.1:8443"):
        ListenAddress.parse(text)
