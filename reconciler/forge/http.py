"""Bytes to a forge and back: bounded in bytes, seconds and tries; no redirect is followed."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    SSLError,
)

from reconciler.forge.errors import ForgeRefusedError, ForgeSilentError
from reconciler.forge.wire import told
from reconciler.values.retry_after import requested_wait_seconds

Found = TypeVar("Found")

NEVER_SENT = (NewConnectionError, ConnectTimeoutError, NameResolutionError)
BUSY = frozenset({429, 503})
FIRST_WAIT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class HttpBounds:
    """How long one call may take in all, its repetitions included, how often it is tried, and the longest
    answer.
    """

    seconds: float = 30
    tries: int = 4
    bytes_max: int = 32 << 20


@dataclass(frozen=True, slots=True)
class ForgeRequest:
    """A request. `again` says that doing it twice is the same as once."""

    method: str
    url: str
    body: Mapping[str, object] | None = None
    again: bool = True


class ForgeHttp:
    """Asks one forge, with one token; any thread, one call at a time."""

    def __init__(
        self,
        token: str,
        bounds: HttpBounds | None = None,
        wait: Callable[[float], None] = time.sleep,
        ca_file: Path | None = None,
    ) -> None:
        self._token = token
        self._bounds = bounds or HttpBounds()
        self._wait = wait
        authorities = None if ca_file is None else str(ca_file)
        self._pool = urllib3.PoolManager(num_pools=2, maxsize=1, retries=False, ca_certs=authorities)

    def ask(self, ask: ForgeRequest) -> Any:
        """The answer's JSON, None where it is empty. Raises ForgeSilentError or ForgeRefusedError."""
        ends = time.monotonic() + self._bounds.seconds
        for number in range(self._bounds.tries):
            try:
                return self._once(ask, ends)
            except ForgeSilentError as error:
                wait = error.wait_seconds or FIRST_WAIT_SECONDS * 2**number
                is_last = number == self._bounds.tries - 1 or time.monotonic() + wait >= ends
                if is_last or (error.unsure and not ask.again):
                    raise
                self._wait(wait)
        raise AssertionError("a call is tried at least once")

    def close(self) -> None:
        """Let the connections go."""
        self._pool.clear()

    def _once(self, ask: ForgeRequest, ends: float) -> Any:
        left = ends - time.monotonic()
        host = urlsplit(ask.url).netloc
        late = f"{host} did not answer within {self._bounds.seconds:g} s; see that it runs and can be reached"
        status, headers, content = _within(left, lambda: self._send(ask, left), late)
        if 200 <= status < 300:
            return _json(content, host)
        said = told(_message(content), self._token)
        answered = f"{host} answered {status}" + (f" ({said})" if said else "")
        wait = requested_wait_seconds(status, headers, time.time())
        if status in BUSY or wait:
            more = f" and asks to wait {wait:.0f} s" if wait else ""
            unsure = status == 503 and not wait
            raise ForgeSilentError(f"{answered}{more}", wait, unsure=unsure, status=status)
        if status >= 500:
            raise ForgeSilentError(answered, unsure=True)
        raise ForgeRefusedError(f"{answered}: {_advice(status)}", status)

    def _send(self, ask: ForgeRequest, left: float) -> tuple[int, Mapping[str, str], bytes]:
        body = None if ask.body is None else json.dumps(ask.body).encode()
        host = urlsplit(ask.url).netloc
        try:
            answer = self._pool.request(
                ask.method,
                ask.url,
                body=body,
                headers=self._headers(body),
                redirect=False,
                preload_content=False,
                decode_content=False,
                timeout=urllib3.Timeout(connect=min(5.0, left), read=left),
            )
            try:
                content = answer.read(self._bounds.bytes_max + 1)
            finally:
                answer.close()
        except HTTPError as error:
            if isinstance(error, SSLError):
                raise ForgeSilentError(
                    f"the certificate of {host} is not trusted; name its authority in ca_file"
                ) from None
            never = isinstance(error, NEVER_SENT)
            why = f"{host} cannot be reached" if never else f"{host} broke off ({type(error).__name__})"
            raise ForgeSilentError(why, unsure=not never) from None
        if len(content) > self._bounds.bytes_max:
            raise ForgeRefusedError(f"{host} answers with more than {self._bounds.bytes_max} bytes")
        return answer.status, {k.lower(): v for k, v in answer.headers.items()}, content

    def _headers(self, body: bytes | None) -> dict[str, str]:
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "provider-daemon",
            "Authorization": f"token {self._token}",
        }
        return headers | ({"Content-Type": "application/json"} if body is not None else {})


def _within(seconds: float, work: Callable[[], Found], late: str) -> Found:
    """The work's end, or ForgeSilentError after so many seconds: a name that does not resolve, or an answer
    that drips, holds nobody up longer.
    """
    found: list[Found] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except Exception as error:  # handed to whoever waits
            failed.append(error)

    thread = threading.Thread(target=run, name="forge", daemon=True)
    thread.start()
    thread.join(max(seconds, 0.0))
    if failed:
        raise failed[0]
    if not found:
        raise ForgeSilentError(late, unsure=True)
    return found[0]


def _json(content: bytes, host: str) -> Any:
    if not content.strip():
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise ForgeRefusedError(f"{host} does not answer as a forge's API does; see its address") from None


def _message(content: bytes) -> bytes:
    """The message of an error that is JSON; what is not is a page, and says nothing."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return b""
    said = found.get("message") if isinstance(found, dict) else None
    return said.encode("utf-8", "replace") if isinstance(said, str) else b""


def _advice(status: int) -> str:
    if 300 <= status < 400:
        return "it has moved; name its new address, no redirect is followed"
    match status:
        case 401:
            return "the token is not known there; make a new one"
        case 403:
            return "the token may not do this; see what it is allowed to"
        case 404:
            return "there is no such thing, or the token may not see it; see repository, number and token"
        case _:
            return "it does not take this"
