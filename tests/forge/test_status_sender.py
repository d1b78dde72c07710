"""States told from a thread of their own."""

from __future__ import annotations

import threading
import time

import pytest

from reconciler.forge.errors import ForgeRefusedError, ForgeSilentError
from reconciler.forge.status_sender import StatusSender
from reconciler.git.backoff import Backoff
from reconciler.values.backoff import WAITS_SECONDS, RemoteFailure
from reconciler.values.commit_state import CommitStatus, StatusState
from reconciler.values.outcomes import Done, Failed, Outcome, Refused, Unknown

RESTS_SECONDS = WAITS_SECONDS[RemoteFailure.OTHER]
STATE = CommitStatus("c" * 40, StatusState.SUCCESS, "applied")


class Clock:
    """Monotonic seconds that a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def settled(sender: StatusSender, said: CommitStatus = STATE) -> Outcome:
    """What comes of it, once it is known."""
    ends = time.monotonic() + 10
    while isinstance(outcome := sender.set_status(said), Unknown):
        assert time.monotonic() < ends, outcome.why
        time.sleep(0.005)
    return outcome


def test_a_state_is_sent_once_without_waiting() -> None:
    sent: list[CommitStatus] = []
    go = threading.Event()

    def send(said: CommitStatus) -> None:
        assert go.wait(10)
        sent.append(said)

    sender = StatusSender(send)
    began = time.monotonic()
    assert all(isinstance(sender.set_status(STATE), Unknown) for _ in range(100))
    assert time.monotonic() - began < 1
    go.set()
    assert settled(sender) == Done()
    assert sent == [STATE]
    sender.close()


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ForgeSilentError("down"), Failed("ForgeSilent", "down")),
        (ForgeRefusedError("no", 422), Refused("ForgeRefused", "no")),
        (OSError("no file"), Failed("ForgeSilent", "no file", "see forge: in the host file")),
        (ValueError("odd"), Failed("ForgeSilent", "odd", "see forge: in the host file")),
    ],
)
def test_the_back_off_grows(error: Exception, outcome: Outcome) -> None:
    clock, tries = Clock(), list[float]()

    def send(said: CommitStatus) -> None:
        tries.append(clock.seconds)
        raise error

    sender = StatusSender(send, clock)
    for rest in (*RESTS_SECONDS, RESTS_SECONDS[-1]):
        assert settled(sender) == outcome
        clock.seconds += rest - 0.1
        assert sender.set_status(STATE) == Unknown("the forge is not contacted during its back-off")
        clock.seconds += 0.1
    assert len(tries) == len(RESTS_SECONDS) + 1
    sender.close()


def test_the_back_off_follows_retry_after() -> None:
    clock = Clock()
    answers: list[Exception | None] = [ForgeSilentError("busy", 900), None, ForgeSilentError("down")]

    def send(said: CommitStatus) -> None:
        if (error := answers.pop(0)) is not None:
            raise error

    sender = StatusSender(send, clock)
    assert isinstance(settled(sender), Failed)
    clock.seconds = 899
    assert sender.set_status(STATE) == Unknown("the forge is not contacted during its back-off")
    clock.seconds = 900
    assert settled(sender) == Done()
    assert isinstance(settled(sender), Failed)
    clock.seconds += RESTS_SECONDS[0]
    answers.append(None)
    assert settled(sender) == Done()
    sender.close()


def test_another_state_waits_for_the_request_in_flight() -> None:
    sent: list[CommitStatus] = []
    sender = StatusSender(sent.append)
    other = CommitStatus("d" * 40, StatusState.PENDING, "held")
    sender.set_status(STATE)
    assert settled(sender, other) == Done()
    assert sent == [STATE, other]
    sender.close()


def test_a_failure_applies_to_the_next_state_too() -> None:
    go = threading.Event()

    def send(said: CommitStatus) -> None:
        assert go.wait(10)
        raise ForgeRefusedError("no such commit", 404)

    sender = StatusSender(send, Clock())
    assert isinstance(sender.set_status(STATE), Unknown)
    go.set()
    assert settled(sender, CommitStatus("d" * 40, StatusState.PENDING, "held")) == Failed(
        "ForgeRefused", "no such commit"
    )
    sender.close()


def test_a_rejected_login_is_retried_after_a_minute_or_with_another_token() -> None:
    clock, token, tries = Clock(), ["wrong"], []

    def send(said: CommitStatus) -> None:
        tries.append(token[0])
        if token[0] == "wrong":
            raise ForgeRefusedError("401", 401)

    sender = StatusSender(send, clock, credential=lambda: token[0])
    assert isinstance(settled(sender), Refused)
    for _ in range(11):
        clock.seconds += 5
        assert isinstance(sender.set_status(STATE), Unknown)
    token[0] = "right"
    assert settled(sender) == Done()
    assert tries == ["wrong", "right"]
    sender.close()


@pytest.mark.parametrize("error", [ForgeSilentError("busy", 900), ForgeSilentError("busy", status=429)])
def test_a_rate_limit_applies_to_git_on_the_same_host(error: Exception) -> None:
    def send(said: CommitStatus) -> None:
        raise error

    git = Backoff()
    sender = StatusSender(send, Clock(), shared=git)
    settled(sender)
    assert "the forge limits the rate of requests; failed once, next try at 2" in git.wait_reason()
    sender.close()


def test_nothing_is_sent_during_gits_back_off() -> None:
    sent: list[CommitStatus] = []
    git = Backoff()
    git.failed(RemoteFailure.AUTHENTICATION, "wrong password")
    sender = StatusSender(sent.append, shared=git)
    assert sender.set_status(STATE) == Unknown(git.wait_reason())
    assert sent == []
    sender.close()
