"""HTTP requests to a forge, with limits on bytes, seconds and attempts; redirects are not followed."""

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
from reconciler.forge.wire import error_text
from reconciler.values.retry_after import requested_wait_seconds

Found = TypeVar("Found")

NEVER_SENT = (NewConnectionError, ConnectTimeoutError, NameResolutionError)
BUSY = frozenset({429, 503})
FIRST_WAIT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class HttpBounds:
    """Seconds of a call including its retries, the number of attempts, and the bytes of a response."""

    seconds: float = 30
    tries: int = 4
    bytes_max: int = 32 << 20


@dataclass(frozen=True, slots=True)
class ForgeRequest:
    """A request; unless it is idempotent, it is not repeated if it may have succeeded."""

    method: str
    url: str
    body: Mapping[str, object] | None = None
    is_idempotent: bool = True


class ForgeHttp:
    """Requests to one forge with one token; from any thread, one call at a time."""

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

    def request(self, request: ForgeRequest) -> Any:
        """The response's JSON, None if it is empty. Raises ForgeSilentError or ForgeRefusedError."""
        ends = time.monotonic() + self._bounds.seconds
        for number in range(self._bounds.tries):
            try:
                return self._send_once(request, ends)
            except ForgeSilentError as error:
                wait = error.wait_seconds or FIRST_WAIT_SECONDS * 2**number
                is_last = number == self._bounds.tries - 1 or time.monotonic() + wait >= ends
                if is_last or (error.is_ambiguous and not request.is_idempotent):
                    raise
                self._wait(wait)
        raise AssertionError("a call is tried at least once")

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _send_once(self, request: ForgeRequest, ends: float) -> Any:
        left = ends - time.monotonic()
        host = urlsplit(request.url).netloc
        late = f"{host} did not respond within {self._bounds.seconds:g} s; check that it runs"
        status, headers, content = _within(left, lambda: self._send(request, left), late)
        if 200 <= status < 300:
            return _json(content, host)
        message = error_text(_message(content), self._token)
        answered = f"{host} answered {status}" + (f" ({message})" if message else "")
        wait = requested_wait_seconds(status, headers, time.time())
        if status in BUSY or wait:
            more = f" and asks to wait {wait:.0f} s" if wait else ""
            is_ambiguous = status == 503 and not wait
            raise ForgeSilentError(f"{answered}{more}", wait, is_ambiguous=is_ambiguous, status=status)
        if status >= 500:
            raise ForgeSilentError(answered, is_ambiguous=True)
        raise ForgeRefusedError(f"{answered}: {_advice(status)}", status)

    def _send(self, request: ForgeRequest, left: float) -> tuple[int, Mapping[str, str], bytes]:
        body = None if request.body is None else json.dumps(request.body).encode()
        host = urlsplit(request.url).netloc
        try:
            answer = self._pool.request(
                request.method,
                request.url,
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
                    f"the certificate of {host} is not trusted; set ca_file to its authority"
                ) from None
            never = isinstance(error, NEVER_SENT)
            why = f"{host} cannot be reached" if never else f"{host} broke off ({type(error).__name__})"
            raise ForgeSilentError(why, is_ambiguous=not never) from None
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
    """The result, or ForgeSilentError after so many seconds, even if a name does not resolve or a response
    trickles.
    """
    found: list[Found] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except Exception as error:  # raised by the waiting thread
            failed.append(error)

    thread = threading.Thread(target=run, name="forge", daemon=True)
    thread.start()
    thread.join(max(seconds, 0.0))
    if failed:
        raise failed[0]
    if not found:
        raise ForgeSilentError(late, is_ambiguous=True)
    return found[0]


def _json(content: bytes, host: str) -> Any:
    if not content.strip():
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise ForgeRefusedError(f"{host} does not answer as a forge's API does; see its address") from None


def _message(content: bytes) -> bytes:
    """The message of a JSON error; b"" for anything else, such as an HTML page."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return b""
    message = found.get("message") if isinstance(found, dict) else None
    return message.encode("utf-8", "replace") if isinstance(message, str) else b""


def _advice(status: int) -> str:
    if 300 <= status < 400:
        return "it has moved; configure its new address, redirects are not followed"
    match status:
        case 401:
            return "the token is unknown there; create a new one"
        case 403:
            return "the token lacks permission; check its scopes"
        case 404:
            return "not found, or not visible to the token; check repository, number and token"
        case _:
            return "the request was rejected"
