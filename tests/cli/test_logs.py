import json
import logging

import pytest

from reconciler.cli.logs import Journal, Json, Plain, Redacting
from reconciler.cli.secrets import redacted

RECORD = logging.LogRecord(
    "reconciler.adapters.kubernetes", logging.WARNING, "", 1, "it %s", ("broke\nhere",), None
)


def test_one_line_an_event_that_a_grep_for_its_place_finds() -> None:
    RECORD.created = 0
    assert Plain().format(RECORD) == "1970-01-01T00:00:00Z warning adapters.kubernetes: it broke | here"
    assert Journal().format(RECORD) == "<4>adapters.kubernetes: it broke | here"


def test_json_on_request() -> None:
    RECORD.created = 0
    assert json.loads(Json().format(RECORD)) == {
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
def test_what_is_no_secret_is_told(text: str) -> None:
    assert redacted(text) == text


def test_events_are_redacted_however_they_came_about() -> None:
    try:
        raise OSError("https://me:pass@forge.example failed")
    except OSError as error:
        told = logging.LogRecord(
            "reconciler.repo", logging.ERROR, "", 1, "%s broke", (f"mnemonic: {WORDS}",), None
        )
        told.exc_info = (type(error), error, None)
    assert Redacting().filter(told)
    line = Journal().format(told)
    assert "pass" not in line
    assert "abandon" not in line
    assert line.startswith("<3>repo: mnemonic: *** broke: OSError('https://***@forge")
