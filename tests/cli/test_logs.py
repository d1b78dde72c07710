import json
import logging
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable

import pytest

from reconciler.cli.logs import (
    LINE_MAX,
    READ_MAX,
    JournalFormatter,
    JsonFormatter,
    PlainFormatter,
    RedactingFilter,
)
from reconciler.cli.redaction import redacted

RECORD = logging.LogRecord(
    "reconciler.adapters.kubernetes", logging.WARNING, "", 1, "it %s", ("broke\nhere",), None
)


def test_an_event_is_one_line_with_its_module() -> None:
    RECORD.created = 0
    assert (
        PlainFormatter().format(RECORD) == "1970-01-01T00:00:00Z warning adapters.kubernetes: it broke | here"
    )
    assert JournalFormatter().format(RECORD) == "<4>adapters.kubernetes: it broke | here"


def test_json_on_request() -> None:
    RECORD.created = 0
    assert json.loads(JsonFormatter().format(RECORD)) == {
        "time": "1970-01-01T00:00:00Z",
        "level": "warning",
        "place": "adapters.kubernetes",
        "message": "it broke | here",
    }


WORDS = "abandon ability able about above absent absorb abstract absurd abuse access accident"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:pass@forge.example/a.git is gone", "https://***@forge.example/a.git is gone"),
        ("ssh://git@forge.example/a and user@host:path", "ssh://***@forge.example/a and user@host:path"),
        ("asked with Authorization: Bearer abcdef123456", "asked with Authorization: Bearer ***"),
        ("passphrase=hunter22, then", "passphrase=***, then"),
        ('{"token": "abc", "a": 1}', '{"token": ***, "a": 1}'),
        ("http://x.example/hook?token=abc&a=1", "http://x.example/hook?token=***&a=1"),
        ("eyJhbGciOiJSUzI1.eyJzdWIiOiJh.c2lnbmF0dXJl refused", "*** refused"),
        ("ghp_0123456789abcdef refused", "*** refused"),
        ("-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----", "***"),
        (f"these are {WORDS} herein", "these are *** herein"),
        (f"these are {WORDS.upper()}", "these are ***"),
        (WORDS.replace(" ", '", "'), "***"),
        ("my-own-password = 'a b c' then", "my-own-password = *** then"),
        ('"token": "a\\"b c", "x": 1', '"token": ***, "x": 1'),
        ('secret="never closed, and more', "secret=***"),
        ("https://me:p@ss@forge.example/a", "https://***@forge.example/a"),
        ("token-eyJhbGciOiJSUzI1.eyJzdWIiOiJh.c2lnbmF0dXJl", "token-***"),
    ],
)
def test_secrets_are_hidden(text: str, shown: str) -> None:
    assert redacted(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "the passphrase file /etc/provider-daemon.passphrase cannot be read: No such file",
        "a token or certificate, or allow it in the host file",
        "bid withheld: order ve1abc/1000002/1/1: PriceTooLow: it pays at most 100uve a block",
        "able about above absent absorb abstract are words; so are many others that stand in a sentence here",
        "transaction CADBB6301D74 (7254uve fee): usage submitted: 100uve for lease 1000003-1-1-e5lfracxyy",
    ],
)
def test_ordinary_text_is_not_redacted(text: str) -> None:
    assert redacted(text) == text


def test_events_of_every_source_are_redacted() -> None:
    try:
        raise OSError("https://me:pass@forge.example failed")
    except OSError as error:
        told = logging.LogRecord(
            "reconciler.git", logging.ERROR, "", 1, "%s broke", (f"mnemonic: {WORDS}",), None
        )
        told.exc_info = (type(error), error, None)
    assert RedactingFilter().filter(told)
    line = JournalFormatter().format(told)
    assert "pass" not in line
    assert "abandon" not in line
    assert line.startswith("<3>git: mnemonic: *** broke: OSError('https://***@forge")


def record(message: object, *arguments: object, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("reconciler.cycle.run", logging.ERROR, "", 1, message, arguments, info)


def lines_of(made: logging.LogRecord) -> list[str]:
    RedactingFilter().filter(made)
    return [form.format(made) for form in (PlainFormatter(), JournalFormatter(), JsonFormatter())]


class UnshowableError(Exception):
    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __repr__


HOSTILE = {
    "escapes": lambda: record("it says %s", "\x1b]0;title\x07\x1b[2J\x9b31m\r\x08" * 1_000),
    "a line of another": lambda: record("order %s", "x\n<0>kernel: all is lost\r\n<3>reconciler: fake"),
    "direction": lambda: record("moniker %s", "\u202egnp.exe\u2066\u200b\ufeff\udcff"),
    "a megabyte": lambda: record("attribute %s", "a-" * 2**19),
    "a megabyte of nothing": lambda: record("attribute %s", "\x00" * 2**20 + "x"),
    "words of no list": lambda: record("attribute %s", "abc " * 2**18),
    "arguments that do not fit": lambda: record("%d %s", "x"),
    "an argument that cannot be shown": lambda: record("%s", UnshowableError()),
    "no text": lambda: record(b"\x1b[2J" * 1_000),
    "an error of many lines": lambda: record("it broke", error=ValueError("a\x1b[2J\nb" * 10_000)),
    "an error that cannot be shown": lambda: record("it broke", error=UnshowableError()),
    "a name": lambda: logging.LogRecord("x\n\x1b" * 500, logging.INFO, "", 1, "m", (), None),
}


@pytest.mark.parametrize("made", HOSTILE.values(), ids=HOSTILE)
def test_any_event_is_one_short_printable_line(
    made: Callable[[], logging.LogRecord],
) -> None:
    began = time.process_time()
    for line in lines_of(made()):
        assert len(line) <= 2 * LINE_MAX + 200, "JSON escapes some"
        assert not [sign for sign in line if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert time.process_time() - began < 1


def test_an_exception_names_where_it_was_raised_and_what_caused_it() -> None:
    def inner() -> None:
        raise KeyError("password=hunter2\n")

    try:
        try:
            inner()
        except KeyError as error:
            raise RuntimeError("the cycle failed") from error
    except RuntimeError as error:
        line = lines_of(record("stopped", error=error))[1]
    assert line.startswith("<3>cycle.run: stopped: RuntimeError('the cycle failed') at cli/test_logs.py:")
    assert " < KeyError('password=***" in line
    assert "in inner, cli/test_logs.py:" in line
    assert "hunter2" not in line


SECRETS = {
    "a token": "ghp_" + "0123456789abcdef" * 4,
    "a web token": "eyJhbGciOiJSUzI1." + "QUJD" * 40 + "." + "QUJD" * 40,
    "a password": 'password="correct horse battery staple"',
    "an address": "https://me:0123456789abcdef@forge.example/a.git",
    "a mnemonic": WORDS,
    "a key": "-----BEGIN EC PRIVATE KEY-----\n" + "QUJD" * 40 + "\n-----END EC PRIVATE KEY-----",
}
SHOWN = ("0123456789ab", "QUJDQUJD", "horse", "abandon", "ability")


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_secret_at_the_cut_is_hidden(secret: str) -> None:
    # What comes before shrinks to a few characters, so that the end of what is read is shown.
    filler = 'secret="' + "x" * (READ_MAX - 200) + '" '
    for less in range(0, 420, 7):
        text = filler[: len(filler) - less - 2] + '" ' + secret + " the end of it" * 1_000
        line = lines_of(record("%s", text))[0]
        assert len(line) < 700, "what is hidden does not count"
        assert not [each for each in SHOWN if each in line]
    for less in range(0, 420, 7):
        line = lines_of(record("%s", "x " * ((LINE_MAX - less) // 2) + secret))[0]
        assert not [each for each in SHOWN if each in line]


def test_an_invisible_character_hides_no_secret() -> None:
    assert "hunter2" not in lines_of(record("pass\u200bword=\x00hunter2"))[0]


STRAY = """
import logging, sys, threading, warnings
from reconciler.cli.logs import log_to_stderr
log_to_stderr("text")
def fail():
    raise ValueError("\\x1b[2Ja\\nb token=abcdef")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
warnings.warn("\\x1b[2Ja\\nb")
fail()
"""


@pytest.mark.parametrize("stream", [{}, {"JOURNAL_STREAM": "8:1"}], ids=["stderr", "journal"])
def test_uncaught_exceptions_and_warnings_are_logged(stream: dict[str, str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", STRAY], env=stream, capture_output=True, text=True, check=False, timeout=60
    )
    lines = ran.stderr.splitlines()
    assert [line.split(": ")[1].split(" ")[0] for line in lines] == ["thread", "<string>:10", "the"], (
        ran.stderr
    )
    assert ran.stderr.replace("\n", "").isprintable()
    assert "abcdef" not in ran.stderr
    assert ran.returncode == 1
