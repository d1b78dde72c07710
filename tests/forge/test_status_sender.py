"""States told from a thread of their own."""

from __future__ import annotations

import threading
import time

import pytest

from reconciler.forge.errors import ForgeRefusedError, ForgeSilentError
from reconciler.forge.status_sender import StatusSender
from reconciler.git.backoff import Backoff
from reconciler.values.backoff import WAITS_SECONDS, RemoteFailure
from reconciler.values.commit_state import CommitStand, CommitState
from reconciler.values.outcomes import Done, Failed, Outcome, Refused, Unknown

RESTS_SECONDS = WAITS_SECONDS[RemoteFailure.OTHER]
SAID = CommitState("c" * 40, CommitStand.SUCCESS, "applied")


class Clock:
    """Monotonic seconds that a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def settled(teller: StatusSender, said: CommitState = SAID) -> Outcome:
    """What comes of it, once it is known."""
    ends = time.monotonic() + 10
    while isinstance(outcome := teller.set_state(said), Unknown):
        assert time.monotonic() < ends, outcome.why
        time.sleep(0.005)
    return outcome


def test_it_is_sent_once_and_nobody_waits() -> None:
    sent: list[CommitState] = []
    go = threading.Event()

    def send(said: CommitState) -> None:
        assert go.wait(10)
        sent.append(said)

    teller = StatusSender(send)
    began = time.monotonic()
    assert all(isinstance(teller.set_state(SAID), Unknown) for _ in range(100))
    assert time.monotonic() - began < 1
    go.set()
    assert settled(teller) == Done()
    assert sent == [SAID]
    teller.close()


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ForgeSilentError("down"), Failed("ForgeSilent", "down")),
        (ForgeRefusedError("no", 422), Refused("ForgeRefused", "no")),
        (OSError("no file"), Failed("ForgeSilent", "no file", "see forge: in the host file")),
        (ValueError("odd"), Failed("ForgeSilent", "odd", "see forge: in the host file")),
    ],
)
def test_a_forge_that_fails_is_left_alone_longer_and_longer(error: Exception, outcome: Outcome) -> None:
    clock, tries = Clock(), list[float]()

    def send(said: CommitState) -> None:
        tries.append(clock.seconds)
        raise error

    teller = StatusSender(send, clock)
    for rest in (*RESTS_SECONDS, RESTS_SECONDS[-1]):
        assert settled(teller) == outcome
        clock.seconds += rest - 0.1
        assert teller.set_state(SAID) == Unknown("the forge is left alone for a while")
        clock.seconds += 0.1
    assert len(tries) == len(RESTS_SECONDS) + 1
    teller.close()


def test_and_as_long_as_it_asks() -> None:
    clock = Clock()
    answers: list[Exception | None] = [ForgeSilentError("busy", 900), None, ForgeSilentError("down")]

    def send(said: CommitState) -> None:
        if (error := answers.pop(0)) is not None:
            raise error

    teller = StatusSender(send, clock)
    assert isinstance(settled(teller), Failed)
    clock.seconds = 899
    assert teller.set_state(SAID) == Unknown("the forge is left alone for a while")
    clock.seconds = 900
    assert settled(teller) == Done()
    assert isinstance(settled(teller), Failed)
    clock.seconds += RESTS_SECONDS[0]
    answers.append(None)
    assert settled(teller) == Done()
    teller.close()


def test_another_state_waits_for_the_one_on_its_way() -> None:
    sent: list[CommitState] = []
    teller = StatusSender(sent.append)
    other = CommitState("d" * 40, CommitStand.PENDING, "held")
    teller.set_state(SAID)
    assert settled(teller, other) == Done()
    assert sent == [SAID, other]
    teller.close()


def test_a_forge_in_trouble_is_so_for_the_next_state_too() -> None:
    go = threading.Event()

    def send(said: CommitState) -> None:
        assert go.wait(10)
        raise ForgeRefusedError("no such commit", 404)

    teller = StatusSender(send, Clock())
    assert isinstance(teller.set_state(SAID), Unknown)
    go.set()
    assert settled(teller, CommitState("d" * 40, CommitStand.PENDING, "held")) == Failed(
        "ForgeRefused", "no such commit"
    )
    teller.close()


def test_a_refused_login_is_tried_again_after_a_minute_or_with_another_token() -> None:
    clock, token, tries = Clock(), ["wrong"], []

    def send(said: CommitState) -> None:
        tries.append(token[0])
        if token[0] == "wrong":
            raise ForgeRefusedError("401", 401)

    teller = StatusSender(send, clock, credential=lambda: token[0])
    assert isinstance(settled(teller), Refused)
    for _ in range(11):
        clock.seconds += 5
        assert isinstance(teller.set_state(SAID), Unknown)
    token[0] = "right"
    assert settled(teller) == Done()
    assert tries == ["wrong", "right"]
    teller.close()


@pytest.mark.parametrize("error", [ForgeSilentError("busy", 900), ForgeSilentError("busy", status=429)])
def test_a_rate_limit_holds_for_git_on_the_same_host(error: Exception) -> None:
    def send(said: CommitState) -> None:
        raise error

    git = Backoff()
    teller = StatusSender(send, Clock(), shared=git)
    settled(teller)
    assert "the forge limits how often it is contacted; failed once, next try at 2" in git.rest()
    teller.close()


def test_while_git_leaves_the_host_alone_nothing_is_sent() -> None:
    sent: list[CommitState] = []
    git = Backoff()
    git.failed(RemoteFailure.AUTHENTICATION, "wrong password")
    teller = StatusSender(sent.append, shared=git)
    assert teller.set_state(SAID) == Unknown(git.rest())
    assert sent == []
    teller.close()
