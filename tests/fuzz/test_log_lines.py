"""Any event becomes one bounded, printable line without its secrets."""

from __future__ import annotations

import logging

from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.logs import LINE_MAX, JournalFormatter, JsonFormatter, PlainFormatter, RedactingFilter
from reconciler.cli.redaction import redacted
from reconciler.values.text import one_line, printable, visible
from tests.fuzz.bounded import QUICK, bounded, is_safe, texts

SECRETS = ("ghp_0123456789abcdef0123", "https://me:0123456789abcdef@h/a", 'password="0123456789abcdef"')


def line_of(message: str, *arguments: object, error: BaseException | None = None) -> list[str]:
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("reconciler.chain", logging.INFO, "", 1, message, arguments, info)
    RedactingFilter().filter(record)
    return [form.format(record) for form in (PlainFormatter(), JournalFormatter(), JsonFormatter())]


@QUICK
@given(texts(), texts(), st.sampled_from(SECRETS))
def test_any_log_line_is_bounded_and_redacted(before: str, after: str, secret: str) -> None:
    with bounded(len(before) + len(after)):
        lines = line_of("%s", f"{before} {secret} {after}", error=ValueError(after))
    for line in lines:
        assert len(line) <= 2 * LINE_MAX + 200
        assert is_safe(line)
        assert "0123456789a" not in line


@QUICK
@given(texts())
def test_any_text_is_redacted_and_sanitized(text: str) -> None:
    text = text[: 1 << 15]  # four times what a line is made of
    with bounded(len(text)):
        redacted(text)
        redacted(text, cut=True)
        visible(text)
        assert len(one_line(text, 200)) <= 200
        assert len(printable(text, 200)) <= 200
