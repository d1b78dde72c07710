"""The `approve` command: who approved which digest, and which digests are refused."""

from __future__ import annotations

import getpass
import time
from dataclasses import replace

import pytest

from reconciler.values.approvals import Approval, Breach
from reconciler.values.memory import Memory
from tests.cli.conftest import Terminal
from tests.journal.facts import NOON, plan

JUMP = Breach("c" * 40, "price_change_percent", "20", ("gpu goes from 1uve to 2uve",))
OTHER = replace(JUMP, limit="removals_per_revision", objects=("deletes x",))


def waiting(terminal: Terminal, *breaches: Breach, approvals: tuple[Approval, ...] = ()) -> None:
    memory = Memory(
        approvable={b.digest: b for b in breaches}, approvals={a.breach.digest: a for a in approvals}
    )
    terminal.journal.journal.remember(plan(memory), NOON)


def test_an_approval_is_stored_with_account_and_time_and_wakes_the_daemon(terminal: Terminal) -> None:
    waiting(terminal, JUMP, OTHER)
    code, out, err = terminal.run("approve", JUMP.digest[:8].upper())
    assert (code, err) == (0, "")
    [kept] = terminal.journal.journal.approvals()
    assert kept.breach == JUMP
    assert kept.by == getpass.getuser()
    assert abs(kept.at - time.time()) < 60
    assert out == (
        f"{kept.by} approved commit cccccccccccc to exceed price_change_percent (20): "
        "gpu goes from 1uve to 2uve\n"
    )
    assert terminal.wake.count == 1
    assert [e.event for e in terminal.journal.outbox.unpublished()] == [kept]


def test_without_a_daemon_the_approval_waits_in_the_journal(terminal: Terminal) -> None:
    waiting(terminal, JUMP)
    terminal.servers.stop()
    code, out, _ = terminal.run("approve", JUMP.digest)
    assert code == 0
    assert out.endswith("no daemon answers; its next cycle applies the approval\n")
    assert len(terminal.journal.journal.approvals()) == 1


def test_sudo_records_the_invoking_account(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "olga")
    waiting(terminal, JUMP)
    assert terminal.run("approve", JUMP.digest)[1].startswith("olga approved")


def test_a_digest_that_nothing_waits_for_is_refused(terminal: Terminal) -> None:
    waiting(terminal, JUMP)
    code, _, err = terminal.run("approve", OTHER.digest)
    assert code == 1
    assert err == (
        f"error: nothing is held under {OTHER.digest}: it has changed or is done; "
        "`provider-daemon get holds -o wide` lists the digests\n"
    )
    assert terminal.journal.journal.approvals() == ()


def test_short_or_malformed_digests_are_refused(terminal: Terminal) -> None:
    waiting(terminal, JUMP)
    for odd in (JUMP.digest[:7], "nothex__", JUMP.digest + "0", "; rm -rf"):
        code, _, err = terminal.run("approve", odd)
        assert code == 1
        assert "is not a digest; write 8 to 64 hex digits of a hold's digest" in err


def test_an_ambiguous_digest_is_refused(terminal: Terminal) -> None:
    memory = Memory(approvable={"ab" * 30 + "cafe": JUMP, "ab" * 30 + "beef": OTHER})
    terminal.journal.journal.remember(plan(memory), NOON)
    code, _, err = terminal.run("approve", "abababab")
    assert code == 1
    assert "matches" in err
    assert terminal.journal.journal.approvals() == ()


def test_a_second_approval_is_refused(terminal: Terminal) -> None:
    waiting(terminal, approvals=(Approval(JUMP, "olga", NOON),))
    assert terminal.run("approve", JUMP.digest)[2] == (
        "error: olga approved it already, and the approval is in force\n"
    )


def test_without_a_journal_it_fails(terminal: Terminal) -> None:
    (terminal.home.directory / "state" / "journal.sqlite").rename(terminal.home.directory / "gone")
    code, _, err = terminal.run("approve", JUMP.digest)
    assert code == 1
    assert "there is no journal" in err
