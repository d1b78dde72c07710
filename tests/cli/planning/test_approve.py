"""The owner's word: by whom, on what, for exactly one digest."""

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
        waiting={b.digest: b for b in breaches}, approvals={a.breach.digest: a for a in approvals}
    )
    terminal.journal.journal.remember(plan(memory), NOON)


def test_it_is_kept_with_who_and_when_and_the_daemon_is_woken(terminal: Terminal) -> None:
    waiting(terminal, JUMP, OTHER)
    code, out, err = terminal.say("approve", JUMP.digest[:8].upper())
    assert (code, err) == (0, "")
    [kept] = terminal.journal.journal.approvals()
    assert kept.breach == JUMP
    assert kept.by == getpass.getuser()
    assert abs(kept.at - time.time()) < 60
    assert out == (
        f"{kept.by} approved on the host that commit cccccccccccc passes price_change_percent (20): "
        "gpu goes from 1uve to 2uve\n"
    )
    assert terminal.wake.count == 1
    assert [e.event for e in terminal.journal.outbox.unpublished()] == [kept]


def test_without_a_daemon_it_waits_in_the_journal(terminal: Terminal) -> None:
    waiting(terminal, JUMP)
    terminal.servers.stop()
    code, out, _ = terminal.say("approve", JUMP.digest)
    assert code == 0
    assert out.endswith("no daemon answers; its next cycle applies the approval\n")
    assert len(terminal.journal.journal.approvals()) == 1


def test_behind_sudo_it_is_the_one_who_asked(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "olga")
    waiting(terminal, JUMP)
    assert terminal.say("approve", JUMP.digest)[1].startswith("olga approved")


def test_what_does_not_wait_is_not_approved(terminal: Terminal) -> None:
    waiting(terminal, JUMP)
    code, _, err = terminal.say("approve", OTHER.digest)
    assert code == 1
    assert err == (
        f"error: nothing is held under {OTHER.digest}: it has changed or is done; "
        "`provider-daemon get holds -o wide` lists the digests\n"
    )
    assert terminal.journal.journal.approvals() == ()


def test_too_few_digits_and_what_is_no_digest_are_refused(terminal: Terminal) -> None:
    waiting(terminal, JUMP)
    for odd in (JUMP.digest[:7], "nothex__", JUMP.digest + "0", "; rm -rf"):
        code, _, err = terminal.say("approve", odd)
        assert code == 1
        assert "is not a digest; write 8 to 64 hex digits of a hold's digest" in err


def test_what_may_be_two_things_is_neither(terminal: Terminal) -> None:
    memory = Memory(waiting={"ab" * 30 + "cafe": JUMP, "ab" * 30 + "beef": OTHER})
    terminal.journal.journal.remember(plan(memory), NOON)
    code, _, err = terminal.say("approve", "abababab")
    assert code == 1
    assert "matches" in err
    assert terminal.journal.journal.approvals() == ()


def test_twice_is_told(terminal: Terminal) -> None:
    waiting(terminal, approvals=(Approval(JUMP, "olga", NOON),))
    assert terminal.say("approve", JUMP.digest)[2] == (
        "error: olga approved it already, and the approval is in force\n"
    )


def test_a_host_without_a_journal_says_so(terminal: Terminal) -> None:
    (terminal.home.directory / "state" / "journal.sqlite").rename(terminal.home.directory / "gone")
    code, _, err = terminal.say("approve", JUMP.digest)
    assert code == 1
    assert "there is no journal" in err
