"""Sends states of commits to a forge, with a back-off."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from reconciler.forge.client import ForgeClient
from reconciler.forge.errors import ForgeRefusedError, ForgeSilentError
from reconciler.forge.http import ForgeHttp, HttpBounds
from reconciler.forge.settings import ForgeSettings
from reconciler.values.backoff import RemoteFailure, wait_seconds
from reconciler.values.commit_status import CommitStatus
from reconciler.values.outcomes import Done, Failed, Outcome, Refused, Unknown

SECONDS = 10.0
LOGIN_FAILED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class SharedBackoff(Protocol):
    """The back-off of everything that contacts one host."""

    def wait_reason(self) -> str:
        """Why nothing is sent now, and until when; "" if requests may be sent."""

    def failed(self, failure: RemoteFailure, why: str, requested_seconds: float = 0) -> None:
        """Send nothing for a while; longer after each failure in a row."""


@dataclass(frozen=True, slots=True)
class _SendResult:
    """The outcome of a call, and the forge's Retry-After."""

    outcome: Outcome
    failure: RemoteFailure = RemoteFailure.OTHER
    wait_seconds: float = 0


@dataclass(slots=True)
class StatusSender:
    """`ports.Forge`, for one call at a time: no request during a back-off, which a changed `credential` (any
    version of the token) ends. `shared` is git's back-off for the same host: it applies here, and a rate
    limit of the forge applies there.
    """

    send: Callable[[CommitStatus], None]
    clock: Callable[[], float] = time.monotonic
    shared: SharedBackoff | None = None
    credential: Callable[[], object] = lambda: None
    _failures: int = 0
    _retry_at: float = 0
    _credential: object = None

    def set_status(self, state: CommitStatus) -> Outcome:
        """Send it; Unknown during a back-off."""
        if (credential := self.credential()) != self._credential:
            self._credential, self._failures, self._retry_at = credential, 0, 0
        if self.clock() < self._retry_at:
            return Unknown("the forge is not contacted during its back-off")
        if self.shared is not None and (why := self.shared.wait_reason()):
            return Unknown(why)
        ended = self._post(state)
        self._back_off(ended)
        return ended.outcome

    def _back_off(self, ended: _SendResult) -> None:
        if isinstance(ended.outcome, Done):
            self._failures = 0
            return
        self._failures += 1
        wait = wait_seconds(ended.failure, self._failures, ended.wait_seconds)
        self._retry_at = self.clock() + wait
        if self.shared is not None and ended.failure is RemoteFailure.RATE_LIMITED:
            self.shared.failed(ended.failure, "the forge limits the rate of requests", wait)

    def _post(self, state: CommitStatus) -> _SendResult:
        try:
            self.send(state)
        except ForgeSilentError as error:
            limited = error.wait_seconds or error.status == HTTPStatus.TOO_MANY_REQUESTS
            kind = RemoteFailure.RATE_LIMITED if limited else RemoteFailure.OTHER
            return _SendResult(Failed("ForgeSilent", str(error)), kind, error.wait_seconds)
        except ForgeRefusedError as error:
            kind = RemoteFailure.AUTHENTICATION if error.status in LOGIN_FAILED else RemoteFailure.OTHER
            return _SendResult(Refused("ForgeRefused", str(error)), kind)
        except Exception as error:  # such as an unreadable token: retried after the back-off
            return _SendResult(Failed("ForgeSilent", str(error), "see forge: in the host file"))
        return _SendResult(Done())


def status_sender(page: ForgeSettings, token: Callable[[], str]) -> Callable[[CommitStatus], None]:
    """Sends a state within ten seconds; the token is read each time, as its file may change."""

    def send(state: CommitStatus) -> None:
        http = ForgeHttp(token(), HttpBounds(seconds=SECONDS, tries=1), ca_file=page.ca_file)
        try:
            ForgeClient(page.repository, http).set_status(state, page.name)
        finally:
            http.close()

    return send
