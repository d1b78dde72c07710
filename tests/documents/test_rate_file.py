"""Rate files: what is read, and what is wrong, where, and what to do."""

from decimal import Decimal

import pytest

from reconciler.documents.rate_file import read_rate
from reconciler.values.rates import ExchangeRate

EXPECTED = ExchangeRate(Decimal("40.5"), 1_800_000_000)


@pytest.mark.parametrize(
    "content",
    [
        b'{"rate": "40.5", "time": "2027-01-15T08:00:00Z"}',
        b'{"rate": 40.5, "time": 1800000000, "source": "me"}\n',
        b"40.5 2027-01-15T08:00:00Z\n",
        b"40.5\n1800000000\n",
    ],
)
def test_a_rate_and_its_time(content: bytes) -> None:
    assert read_rate("usd", content) == EXPECTED


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "usd:1:1: it is empty or longer than 4096 bytes (write {"),
        (b"\xff", "usd:1:1: it is not plain text"),
        (
            b"0 1800000000",
            "usd:1:1: the rate is 0 (write the uve of one unit; at 0 everything would be free)",
        ),
        (b"0.000 1800000000", "usd:1:1: the rate is 0"),
        (b"-4 1800000000", "usd:1:1: the rate -4 is not a positive decimal number"),
        (b"4e9 1800000000", "usd:1:1: the rate 4e9 is not a positive decimal number"),
        (
            b"1" * 30 + b" 1800000000",
            "is not a positive decimal number (write the uve of one unit in plain digits",
        ),
        (b"40.5 yesterday", 'usd:1:1: yesterday is not a time (write it as "2026-12-01T12:00:00Z")'),
        (b"40.5", "usd:1:1: it is not a rate and a time (write 40.5 2026-12-01T12:00:00Z"),
        (b'{"rate": NaN, "time": 1800000000}', "usd:1:1: the rate NaN is not a positive decimal number"),
        (b'{"rate": true, "time": 1800000000}', "usd:1:1: rate or time is missing"),
        (b'{"rate": 40.5}', "usd:1:1: rate or time is missing"),
        (b'{"rate": 40.5,\n "time" 1}', "usd:2:9: not JSON: Expecting ':' delimiter"),
        (b'{"a":' * 700 + b"}" * 700, "usd:1:1: "),
    ],
)
def test_a_bad_file_is_named_with_what_to_do(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match="usd") as caught:
        read_rate("usd", content)
    assert message in str(caught.value)
