"""States of commits told to a forge from a thread of their own: one that is slow or down holds up nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from reconciler.forge.client import Forge
from reconciler.forge.exchange import Bounds, Exchange
from reconciler.forge.faults import ForgeRefusedError, ForgeSilentError
from reconciler.forge.page import Page
from reconciler.values.commit_state import CommitState
from reconciler.values.outcomes import Done, Failed, Outcome, Refused, Unknown

SECONDS = 10.0

RESTS_SECONDS = (5.0, 15.0, 60.0, 300.0)
"""How long the forge is left alone after the first failure, the second, and so on."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """What came of one call, and how long the forge asks to be left alone."""

    outcome: Outcome
    wait_seconds: float = 0


@dataclass(slots=True)
class Teller:
    """`ports.Forge`: the first call sends, later ones with the same state give what came of it; one at a
    time, and none while the forge is left alone.
    """

    send: Callable[[CommitState], None]
    clock: Callable[[], float] = time.monotonic
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "forge"))
    _sent: tuple[CommitState, Future[_Ended]] | None = None
    _failures: int = 0
    _rests_until: float = 0

    def set_state(self, said: CommitState) -> Outcome:
        """Unknown while it is on its way or waits, then its outcome, once."""
        if self._sent is None:
            if self.clock() < self._rests_until:
                return Unknown("the forge is left alone for a while")
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
        usual = RESTS_SECONDS[min(self._failures, len(RESTS_SECONDS) - 1)]
        self._failures += 1
        self._rests_until = self.clock() + max(usual, ended.wait_seconds)

    def _post(self, said: CommitState) -> _Ended:
        try:
            self.send(said)
        except ForgeSilentError as error:
            return _Ended(Failed("ForgeSilent", str(error)), error.wait_seconds)
        except ForgeRefusedError as error:
            return _Ended(Refused("ForgeRefused", str(error)))
        except Exception as error:  # whatever it is, it must not reach the cycle
            return _Ended(Failed("ForgeSilent", str(error), "see forge: in the host file"))
        return _Ended(Done())


def sender(page: Page, token: Callable[[], str]) -> Callable[[CommitState], None]:
    """Sends one state within ten seconds; the token is asked for each time, as its file may change."""

    def send(said: CommitState) -> None:
        exchange = Exchange(token(), Bounds(seconds=SECONDS, tries=1))
        try:
            Forge(page.place, exchange).set_state(said, page.name)
        finally:
            exchange.close()

    return send
