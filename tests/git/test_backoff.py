"""How often a remote that refuses is contacted, counted at a server on loopback."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reconciler.git.backoff import Backoff
from reconciler.git.remote import Remote
from reconciler.git.repository import GitRepository
from reconciler.values.outcomes import Failed
from reconciler.values.readings import Unseen
from reconciler.values.repository import BranchCommit
from tests.git.forge import Forge
from tests.git.http_forge import PASSWORD, USER, backend, served

STATUS = BranchCommit("status/p", {"a": b"1\n"}, "It happened")
SNAPSHOT = BranchCommit("snapshot/p", {"a": b"1\n"}, "It was so", replaces=True)
CYCLE_SECONDS = 5


class Clock:
    """Monotonic seconds that a test sets."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Refusing:
    """A server that answers everything with one status, and counts the requests with and without a login."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.logins = 0
        self.requests = 0

    @contextmanager
    def served(self) -> Iterator[str]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests += 1
                has_login = self.headers.get("Authorization") is not None
                outer.logins += has_login
                self.send_response(outer.status if has_login or outer.status != 401 else 401)
                if outer.status == 401:
                    self.send_header("WWW-Authenticate", 'Basic realm="forge"')
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its own name
                """Nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}/state.git"
        finally:
            server.shutdown()
            server.server_close()


def cycles(repository: GitRepository, clock: Clock, seconds: int, step: int = CYCLE_SECONDS) -> str:
    """Look, publish and share a snapshot in each cycle, as the loop does; the last words."""
    why = ""
    for _ in range(seconds // step):
        reading = repository.fetch("")
        assert isinstance(reading, Unseen)
        assert isinstance(repository.publish(STATUS), Failed)
        assert isinstance(repository.publish(SNAPSHOT), Failed)
        assert isinstance(repository.published_mark("status/p"), Unseen)
        clock.seconds += step
        why = reading.why
    return why


def test_a_wrong_token_is_tried_twice_in_two_minutes_and_five_times_in_an_hour(state: Path) -> None:
    server, clock = Refusing(401), Clock()
    with server.served() as address:
        repository = GitRepository(Remote(f"http://olga:wrong@{address}"), state, Backoff(clock))
        why = cycles(repository, clock, 120, step=15)
        assert server.logins == 2
        assert f"http://{address} rejects our credentials" in why
        assert "failed 2 times in a row, next try at 2" in why
        cycles(repository, clock, 3_480, step=120)
    assert server.logins <= 5


@pytest.mark.parametrize("status", [429, 403])
def test_other_rejections_back_off_too(state: Path, status: int) -> None:
    server, clock = Refusing(status), Clock()
    with server.served() as address:
        repository = GitRepository(Remote(f"http://olga:x@{address}"), state, Backoff(clock))
        why = cycles(repository, clock, 285, step=15)
    assert server.requests <= 3
    assert "next try at 2" in why
    if status == 429:
        assert "limits the rate of requests" in why


def test_new_credentials_end_the_back_off(state: Path, tmp_path: Path) -> None:
    server, clock, store = Refusing(401), Clock(), tmp_path / "credentials"
    with server.served() as address:
        store.write_text(f"http://olga:wrong@{address.split('/')[0]}\n")
        repository = GitRepository(Remote(f"http://{address}", credentials=store), state, Backoff(clock))
        cycles(repository, clock, 30)
        assert server.logins == 1
        os.utime(store, (1, 1))
        cycles(repository, clock, 30)
    assert server.logins == 2


@pytest.mark.skipif(not backend().exists(), reason="this git was installed without http-backend")
def test_a_rejection_does_not_erase_the_credentials(forge: Forge, state: Path, tmp_path: Path) -> None:
    forge.commit("one", config_yaml="kind: Config\n")
    forge.git("clone", "--quiet", "--bare", ".", str(tmp_path / "served" / "state.git"))
    store, server = tmp_path / "credentials", Refusing(401)
    with server.served() as refusing, served(tmp_path / "served") as port:
        lines = (
            f"http://{USER}:{PASSWORD}@{refusing.split('/')[0]}\nhttp://{USER}:{PASSWORD}@127.0.0.1:{port}\n"
        )
        store.write_text(lines)
        GitRepository(Remote(f"http://{refusing}", credentials=store), state).fetch("")
        assert server.logins == 1
        assert store.read_text() == lines


def test_a_local_repository_has_no_back_off(forge: Forge, state: Path) -> None:
    clock = Clock()
    repository = GitRepository(Remote(str(forge.path / "gone")), state, Backoff(clock))
    assert "next try" not in cycles(repository, clock, 30)
