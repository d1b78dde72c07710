"""States of commits told to a forge from a thread of their own: one that is slow or down holds up nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from reconciler.forge.client import ForgeClient
from reconciler.forge.errors import ForgeRefusedError, ForgeSilentError
from reconciler.forge.http import ForgeHttp, HttpBounds
from reconciler.forge.page import ForgePage
from reconciler.values.backoff import RemoteFailure, wait_seconds
from reconciler.values.commit_state import CommitState
from reconciler.values.outcomes import Done, Failed, Outcome, Refused, Unknown

SECONDS = 10.0
LOGIN_FAILED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class SharedBackoff(Protocol):
    """The back-off of all that contacts one host."""

    def rest(self) -> str:
        """Why nothing is sent now, and until when; "" where something may be."""

    def failed(self, failure: RemoteFailure, why: str, requested_seconds: float = 0) -> None:
        """Leave the host alone, longer after each failure in a row."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """What came of one call, and how long the forge asks to be left alone."""

    outcome: Outcome
    failure: RemoteFailure = RemoteFailure.OTHER
    wait_seconds: float = 0


@dataclass(slots=True)
class StatusSender:
    """`ports.Forge`: the first call sends, later ones with the same state give what came of it; one at a
    time, and none while the forge is left alone; a changed `credential` (any mark of the token) ends that.
    `shared` is git's back-off on the same host: it holds here too, and a rate limit of the forge holds there.
    """

    send: Callable[[CommitState], None]
    clock: Callable[[], float] = time.monotonic
    shared: SharedBackoff | None = None
    credential: Callable[[], object] = lambda: None
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "forge"))
    _sent: tuple[CommitState, Future[_Ended]] | None = None
    _failures: int = 0
    _rests_until: float = 0
    _credential: object = None

    def set_state(self, said: CommitState) -> Outcome:
        """Unknown while it is on its way or waits, then its outcome, once."""
        if self._sent is None:
            if (credential := self.credential()) != self._credential:
                self._credential, self._failures, self._rests_until = credential, 0, 0
            if self.clock() < self._rests_until:
                return Unknown("the forge is left alone for a while")
            if self.shared is not None and (why := self.shared.rest()):
                return Unknown(why)
            self._sent = said, self._thread.submit(self._post, said)
        sent, future = self._sent
        if not future.done():
            return Unknown("it is on its way")
        self._sent = None
        ended = future.result()
        self._rest(ended)
        if sent == said:
            return ended.outcome
        if isinstance(ended.outcome, Failed | Refused):
            return Failed(ended.outcome.reason, ended.outcome.why)  # the forge's trouble is this one's, too
        return Unknown("another one was on its way")

    def close(self) -> None:
        """Send no more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _rest(self, ended: _Ended) -> None:
        if isinstance(ended.outcome, Done):
            self._failures = 0
            return
        self._failures += 1
        wait = wait_seconds(ended.failure, self._failures, ended.wait_seconds)
        self._rests_until = self.clock() + wait
        if self.shared is not None and ended.failure is RemoteFailure.RATE_LIMITED:
            self.shared.failed(ended.failure, "the forge limits how often it is contacted", wait)

    def _post(self, said: CommitState) -> _Ended:
        try:
            self.send(said)
        except ForgeSilentError as error:
            limited = error.wait_seconds or error.status == HTTPStatus.TOO_MANY_REQUESTS
            kind = RemoteFailure.RATE_LIMITED if limited else RemoteFailure.OTHER
            return _Ended(Failed("ForgeSilent", str(error)), kind, error.wait_seconds)
        except ForgeRefusedError as error:
            kind = RemoteFailure.AUTHENTICATION if error.status in LOGIN_FAILED else RemoteFailure.OTHER
            return _Ended(Refused("ForgeRefused", str(error)), kind)
        except Exception as error:  # whatever it is, it must not reach the cycle
            return _Ended(Failed("ForgeSilent", str(error), "see forge: in the host file"))
        return _Ended(Done())


def status_sender(page: ForgePage, token: Callable[[], str]) -> Callable[[CommitState], None]:
    """Sends one state within ten seconds; the token is asked for each time, as its file may change."""

    def send(said: CommitState) -> None:
        exchange = ForgeHttp(token(), HttpBounds(seconds=SECONDS, tries=1), ca_file=page.ca_file)
        try:
            ForgeClient(page.place, exchange).set_state(said, page.name)
        finally:
            exchange.close()

    return send
