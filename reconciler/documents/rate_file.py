"""The file of an exchange rate: JSON with `rate` and `time`, or both as plain words."""

import json
import re
from decimal import Decimal

from reconciler.documents.document import Node
from reconciler.values.rates import ExchangeRate
from reconciler.values.times import parsed_unix_seconds, unix_seconds

RATE_BYTES_MAX = 4_096
EXAMPLE = '{"rate": "40.5", "time": "2026-12-01T12:00:00Z"}'
_RATE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,18})?")


def read_rate(path: str, content: bytes) -> ExchangeRate:
    """The rate in a file; ValueError with `file:line:column: message (advice)`."""
    try:
        text = content.decode("ascii").strip()
    except UnicodeDecodeError:
        raise _fault(path, "it is not plain text", f"write {EXAMPLE}") from None
    if len(content) > RATE_BYTES_MAX or not text:
        raise _fault(path, f"it is empty or longer than {RATE_BYTES_MAX} bytes", f"write {EXAMPLE}")
    rate, time = _json_words(path, text) if text.startswith("{") else _plain_words(path, text)
    if not _RATE.fullmatch(rate):
        advice = "write the uve of one unit in plain digits, at most 12 and 18 after the point"
        raise _fault(path, f"the rate {rate[:40]} is not a positive decimal number", advice)
    if not (uve := Decimal(rate)):
        raise _fault(path, "the rate is 0", "write the uve of one unit; at 0 everything would be free")
    at = unix_seconds(time) or parsed_unix_seconds(time)
    if not at:
        raise _fault(path, f"{time[:40]} is not a time", 'write it as "2026-12-01T12:00:00Z"')
    return ExchangeRate(uve, int(at))


def _plain_words(path: str, text: str) -> tuple[str, str]:
    words = text.split()
    if len(words) != 2:
        raise _fault(path, "it is not a rate and a time", f"write 40.5 2026-12-01T12:00:00Z, or {EXAMPLE}")
    return words[0], words[1]


def _json_words(path: str, text: str) -> tuple[str, str]:
    try:
        found: Node = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except json.JSONDecodeError as error:
        raise _fault(
            path, f"not JSON: {error.msg}", f"write {EXAMPLE}", (error.lineno, error.colno)
        ) from None
    except RecursionError:
        raise _fault(path, "not JSON: too deep", f"write {EXAMPLE}") from None
    rate, time = (found.get(key) if isinstance(found, dict) else None for key in ("rate", "time"))
    if not isinstance(rate, str) or not isinstance(time, str):
        raise _fault(path, "rate or time is missing", f"write {EXAMPLE}")
    return rate, time


def _fault(path: str, message: str, advice: str, place: tuple[int, int] = (1, 1)) -> ValueError:
    return ValueError(f"{path}:{place[0]}:{place[1]}: {message} ({advice})")
