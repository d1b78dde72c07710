"""States sent to a forge, with a back-off."""

from __future__ import annotations

import pytest

from reconciler.forge.errors import ForgeRefusedError, ForgeSilentError
from reconciler.forge.status_sender import StatusSender
from reconciler.git.backoff import Backoff
from reconciler.values.backoff import WAITS_SECONDS, RemoteFailure
from reconciler.values.commit_status import CommitStatus, StatusState
from reconciler.values.outcomes import Done, Failed, Outcome, Refused, Unknown

RESTS_SECONDS = WAITS_SECONDS[RemoteFailure.OTHER]
STATE = CommitStatus("c" * 40, StatusState.SUCCESS, "applied")


class Clock:
    """Monotonic seconds that a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_state_is_sent_once() -> None:
    sent: list[CommitStatus] = []
    assert StatusSender(sent.append).set_status(STATE) == Done()
    assert sent == [STATE]


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
        assert sender.set_status(STATE) == outcome
        clock.seconds += rest - 0.1
        assert sender.set_status(STATE) == Unknown("the forge is not contacted during its back-off")
        clock.seconds += 0.1
    assert len(tries) == len(RESTS_SECONDS) + 1


def test_the_back_off_follows_retry_after() -> None:
    clock = Clock()
    answers: list[Exception | None] = [ForgeSilentError("busy", 900), None, ForgeSilentError("down")]

    def send(said: CommitStatus) -> None:
        if (error := answers.pop(0)) is not None:
            raise error

    sender = StatusSender(send, clock)
    assert isinstance(sender.set_status(STATE), Failed)
    clock.seconds = 899
    assert sender.set_status(STATE) == Unknown("the forge is not contacted during its back-off")
    clock.seconds = 900
    assert sender.set_status(STATE) == Done()
    assert isinstance(sender.set_status(STATE), Failed)
    clock.seconds += RESTS_SECONDS[0]
    answers.append(None)
    assert sender.set_status(STATE) == Done()


def test_a_rejected_login_is_retried_after_a_minute_or_with_another_token() -> None:
    clock, token, tries = Clock(), ["wrong"], []

    def send(said: CommitStatus) -> None:
        tries.append(token[0])
        if token[0] == "wrong":
            raise ForgeRefusedError("401", 401)

    sender = StatusSender(send, clock, credential=lambda: token[0])
    assert isinstance(sender.set_status(STATE), Refused)
    for _ in range(11):
        clock.seconds += 5
        assert isinstance(sender.set_status(STATE), Unknown)
    token[0] = "right"
    assert sender.set_status(STATE) == Done()
    assert tries == ["wrong", "right"]


@pytest.mark.parametrize("error", [ForgeSilentError("busy", 900), ForgeSilentError("busy", status=429)])
def test_a_rate_limit_applies_to_git_on_the_same_host(error: Exception) -> None:
    def send(said: CommitStatus) -> None:
        raise error

    git = Backoff()
    sender = StatusSender(send, Clock(), shared=git)
    sender.set_status(STATE)
    assert "the forge limits the rate of requests; failed once, next try at 2" in git.wait_reason()


def test_nothing_is_sent_during_gits_back_off() -> None:
    sent: list[CommitStatus] = []
    git = Backoff()
    git.failed(RemoteFailure.AUTHENTICATION, "wrong password")
    sender = StatusSender(sent.append, shared=git)
    assert sender.set_status(STATE) == Unknown(git.wait_reason())
    assert sent == []
