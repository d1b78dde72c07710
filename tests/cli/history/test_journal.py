"""The `journal` commands."""

from __future__ import annotations

import json

import pytest

from reconciler.values.intents import Confirmation, IntentOutcome
from reconciler.values.times import utc_text
from tests.cli.conftest import Terminal
from tests.journal.facts import BID, LEASE, NOON, WITHDRAWAL, intent


def record(terminal: Terminal) -> None:
    intents = terminal.journal.intents
    first, second, third = intent("AB12", BID, WITHDRAWAL), intent("AC34"), intent("FF56")
    for each in (first, second, third):
        intents.record_intent(each)
    intents.record_end(Confirmation(first, IntentOutcome.LANDED, 91, NOON))
    intents.record_end(
        Confirmation(second, IntentOutcome.REFUSED, 92, NOON + 5, 5, "sdk", "insufficient funds")
    )
    terminal.servers.stop()


def test_transactions_are_listed_newest_first(terminal: Terminal) -> None:
    record(terminal)
    code, out, _ = terminal.run("journal", "list")
    assert code == 0
    rows = [line.split()[:5] for line in out.splitlines()[1:]]
    assert rows == [
        ["FF56", "open", "12300uve", "bid", "2446uve"],
        ["AC34", "refused", utc_text(NOON + 5), "92", "12300uve"],
        ["AB12", "landed", utc_text(NOON), "91", "12300uve"],
    ]
    assert out.splitlines()[3].endswith(f"bid 2446uve a block on order {LEASE.order} and 1 more")
    assert len(json.loads(terminal.run("journal", "list", "--limit", "1", "-o", "json")[1])) == 1


def test_show_has_every_message_and_the_reason_of_a_refusal(terminal: Terminal) -> None:
    record(terminal)
    code, out, _ = terminal.run("journal", "show", "ac")
    assert code == 0
    assert "outcome         refused in block 92" in out
    assert "refusal         insufficient funds (code 5)" in out
    landed = terminal.run("journal", "show", "AB12")[1]
    assert landed.count("message         ") == 2
    assert len(json.loads(terminal.run("journal", "show", "A", "-o", "json")[1])) == 2


@pytest.mark.parametrize(("asked", "exit_code"), [("0D", 1), ("xyz", 64), ("", 64)])
def test_a_hash_that_is_none_or_unknown_is_an_error(terminal: Terminal, asked: str, exit_code: int) -> None:
    record(terminal)
    code, out, err = terminal.run("journal", "show", asked)
    assert (code, out) == (exit_code, "")
    assert "journal list" in err
