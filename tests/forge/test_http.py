"""Bytes to a forge and back, and every way in which that fails."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reconciler.forge.errors import ForgeError, ForgeRefusedError, ForgeSilentError
from reconciler.forge.http import ForgeHttp, ForgeRequest, HttpBounds
from tests.forge.fake import REPOSITORY, TOKEN, FakeForge, Trouble


class Waits(list[float]):
    """What was waited for, without waiting."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def http(waits: Waits | None = None, **bounds: float) -> ForgeHttp:
    made = HttpBounds(seconds=bounds.get("seconds", 20), tries=int(bounds.get("tries", 4)))
    return ForgeHttp(
        TOKEN,
        HttpBounds(made.seconds, made.tries, int(bounds.get("bytes_max", 1 << 20))),
        Waits() if waits is None else waits,
    )


def user(fake: FakeForge, **changes: object) -> ForgeRequest:
    return ForgeRequest("GET", f"{fake.url}/api/v1/user", **changes)  # type: ignore[arg-type]  # a test's own words


def post(fake: FakeForge, *, is_idempotent: bool) -> ForgeRequest:
    where = f"{fake.url}/api/v1/repos/{REPOSITORY}/issues/7/comments"
    return ForgeRequest("POST", where, {"body": "x"}, is_idempotent=is_idempotent)


def test_a_response(fake: FakeForge) -> None:
    assert http().request(user(fake)) == {"login": "operator"}


@pytest.mark.parametrize("status", [500, 502, 504, 0])
def test_server_errors_are_retried(fake: FakeForge, status: int) -> None:
    fake.troubles = [Trouble(status), Trouble(status)]
    waits = Waits()
    assert http(waits).request(user(fake)) == {"login": "operator"}
    assert waits == [0.5, 1.0]


@pytest.mark.parametrize("status", [500, 0])
def test_an_ambiguous_write_is_not_retried(fake: FakeForge, status: int) -> None:
    fake.troubles = [Trouble(status, after=True)]
    with pytest.raises(ForgeSilentError) as error:
        http().request(post(fake, is_idempotent=False))
    assert error.value.is_ambiguous
    assert fake.bodies == ["x"]


def test_a_rate_limited_write_is_retried(fake: FakeForge) -> None:
    fake.troubles = [Trouble(429, {"Retry-After": "3"}), Trouble(503, {"Retry-After": "2"})]
    waits = Waits()
    http(waits).request(post(fake, is_idempotent=False))
    assert (fake.bodies, waits) == (["x"], [3, 2])


def test_a_long_retry_after_is_not_waited_for(fake: FakeForge) -> None:
    fake.troubles = [Trouble(429, {"Retry-After": "3600"})]
    with pytest.raises(ForgeSilentError, match=r"answered 429 \(trouble\) and asks to wait 3600 s") as error:
        http().request(user(fake))
    assert error.value.wait_seconds == 3600
    assert len(fake.asked) == 1


def test_githubs_rate_limit_header_is_a_wait(fake: FakeForge) -> None:
    reset = str(int(time.time()) + 900)
    fake.troubles = [Trouble(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})]
    with pytest.raises(ForgeSilentError) as error:
        http().request(user(fake))
    assert 890 < error.value.wait_seconds <= 900


def test_the_number_of_attempts_is_limited(fake: FakeForge) -> None:
    fake.always = Trouble(500)
    with pytest.raises(ForgeSilentError, match=r"answered 500 \(trouble\)"):
        http(tries=3).request(user(fake))
    assert len(fake.asked) == 3


@pytest.mark.parametrize(
    ("status", "words"),
    [(400, "was rejected"), (401, "unknown"), (403, "lacks"), (404, "not found"), (422, "rejected")],
)
def test_a_rejection_is_not_retried(fake: FakeForge, status: int, words: str) -> None:
    fake.always = Trouble(status)
    with pytest.raises(ForgeRefusedError, match=words) as error:
        http().request(user(fake))
    assert error.value.status == status
    assert len(fake.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(fake: FakeForge, status: int) -> None:
    fake.troubles = [Trouble(status, {"Location": f"{fake.url}/api/v1/user"})]
    with pytest.raises(ForgeRefusedError, match="redirects are not followed"):
        http().request(user(fake))
    assert len(fake.asked) == 1


def test_errors_never_contain_the_token(fake: FakeForge) -> None:
    wrong = ForgeHttp("another-token", wait=Waits())
    with pytest.raises(ForgeRefusedError) as error:
        wrong.request(user(fake))
    assert "another-token" not in str(error.value)
    fake.always = Trouble(422, body=f'{{"message": "bad {TOKEN}"}}'.encode())
    with pytest.raises(ForgeRefusedError, match=r"bad \*\*\*") as error:
        http().request(user(fake))
    assert TOKEN not in str(error.value)


@pytest.mark.parametrize("body", [b"<html>", b"[" * 100_000, b"\xff\xfe", b'{"a":'])
def test_a_response_that_is_not_json(fake: FakeForge, body: bytes) -> None:
    fake.troubles = [Trouble(200, body=body)]
    with pytest.raises(ForgeRefusedError, match="not answer as a forge's API does"):
        http().request(user(fake))


@pytest.mark.parametrize("body", [b"<html>", b"[" * 100_000, b'{"message": {}}', b"[]", b""])
def test_an_error_without_a_message(fake: FakeForge, body: bytes) -> None:
    fake.troubles = [Trouble(404, body=body)]
    with pytest.raises(ForgeRefusedError, match=r"answered 404: not found"):
        http().request(user(fake))


def test_an_empty_response_is_none(fake: FakeForge) -> None:
    fake.troubles = [Trouble(200, body=b"")]
    assert http().request(user(fake)) is None


def test_a_huge_response_is_not_read(fake: FakeForge) -> None:
    fake.troubles = [Trouble(200, body=b"[" + b"1," * 5_000 + b"1]")]
    with pytest.raises(ForgeRefusedError, match="more than 1000 bytes"):
        http(bytes_max=1000).request(user(fake))


def test_a_slow_forge_times_out(fake: FakeForge) -> None:
    fake.always = Trouble(200, slow_seconds=3)
    began = time.monotonic()
    with pytest.raises(ForgeSilentError) as error:
        http(seconds=0.5).request(user(fake))
    assert time.monotonic() - began < 1.5
    assert error.value.is_ambiguous


@contextmanager
def dripping() -> Iterator[str]:
    """A server that sends a byte of a header now and then, and never comes to an end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not ended.wait(0.05):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        ended.set()
        thread.join(5)


def test_a_trickling_response_times_out() -> None:
    with dripping() as url:
        began = time.monotonic()
        with pytest.raises(ForgeSilentError, match=r"did not respond within 0\.5 s"):
            http(seconds=0.5).request(ForgeRequest("GET", f"{url}/api/v1/user"))
        assert time.monotonic() - began < 1.5


def test_an_unreachable_forge_is_retried_for_every_request() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    waits = Waits()
    with pytest.raises(ForgeError, match="cannot be reached"):
        http(waits).request(ForgeRequest("POST", url, {}, is_idempotent=False))
    assert len(waits) == 3
