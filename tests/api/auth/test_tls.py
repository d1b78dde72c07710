"""Remote addresses: TLS and authentication are required, and invalid or expired credentials are refused."""

from __future__ import annotations

import base64
import hashlib
import logging
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest

from reconciler.api import server
from reconciler.api.auth.rate_limit import Rate, Rates
from reconciler.api.auth.tls import Certificate, RemoteAccess
from reconciler.api.connection_limits import GRACE_SECONDS
from reconciler.api.server import ServeError
from reconciler.api.startup import Started
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.listen_address import ListenAddress
from reconciler.values.times import NEVER
from reconciler.values.views import ReadingView
from tests.api.asking import Asker
from tests.api.certificates import DAY, Authority
from tests.api.playing import UNLIMITED, WITHOUT_LIMITS, serve
from tests.api.worlds import FULL

EVERYWHERE = ListenAddress("0.0.0.0", 0)
TOKEN, OLD, HASHED = (
    "a-token-of-somebody-0123456789",
    "an-old-token-of-nobody-01234567",
    "kept-as-a-hash-0123",
)
STATUS = "/api/v1/status"


@dataclass
class World:
    """A host with a certificate authority, a certificate and tokens."""

    authority: Authority
    proof: RemoteAccess

    def asker(self, started: Started, certificate: tuple[Path, Path] | None = None) -> Asker:
        """Somebody who reaches the outside address."""
        assert started.ports.outside is not None
        at = ListenAddress("127.0.0.1", started.ports.outside.port)
        return Asker(at, self.authority.client(certificate))


def bearer(token: str) -> str:
    return f"Bearer {token}"


def tokens_of(directory: Path) -> Path:
    path = directory / "tokens"
    digest = hashlib.sha256(HASHED.encode()).hexdigest()
    until = "2027-01-15T07:59:59Z"
    path.write_text(
        f"# of the monitoring\n{TOKEN} grafana\n{OLD} old {until}\nsha256:{digest} hashed 2037-01-01\n"
    )
    path.chmod(0o600)
    return path


@pytest.fixture
def world(tmp_path: Path) -> World:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("server")
    return World(authority, RemoteAccess(certificate, key, authority.file, tokens_of(tmp_path)))


@pytest.fixture
def started(world: World, snapshots: SnapshotStore) -> Iterator[Started]:
    running = serve(snapshots, outside=EVERYWHERE, remote_access=world.proof)
    yield running
    running.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.7.7", "provider.example.org"])
@pytest.mark.parametrize("where", ["api", "metrics", "outside"])
def test_without_tls_it_does_not_start(host: str, where: str) -> None:
    with pytest.raises(ServeError) as caught:
        serve(**cast("dict[str, Any]", {where: ListenAddress(host, 8443)}))
    what = "metrics" if where == "metrics" else "HTTP API"
    assert str(caught.value) == (
        f"the {what} would be reachable at {ListenAddress(host, 8443)} without TLS; set "
        f"listen.tls_certificate and listen.tls_key in the host file, or set listen.{where} in the host file "
        "to 127.0.0.1:8443"
    )


def test_without_authentication_it_does_not_start(world: World) -> None:
    proof = replace(world.proof, tokens=None, client_ca=None)
    with pytest.raises(ServeError, match=r"without authentication; set listen.tokens or listen.c"):
        serve(outside=EVERYWHERE, remote_access=proof)


def test_unfinished_handshakes_are_closed(world: World, started: Started) -> None:
    asker = world.asker(started)
    at = (asker.at.host, asker.at.port)
    slow = [socket.create_connection(at, 20, ("127.0.0.2", 0)) for _ in range(80)]
    assert asker.ask("/healthz").code == 200
    time.sleep(GRACE_SECONDS + 0.1)
    with (
        socket.create_connection(at, 20, ("127.0.0.2", 0)) as same,
        world.authority.client(None).wrap_socket(same, server_hostname="127.0.0.1") as secured,
    ):
        secured.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert secured.recv(100).startswith(b"HTTP/1.1 200")
    for each in slow:
        each.close()


def test_failed_connections_do_not_fill_the_log(
    world: World, started: Started, caplog: pytest.LogCaptureFixture
) -> None:
    asker = world.asker(started)
    with caplog.at_level(logging.INFO):
        for n in range(30):
            assert asker.ask(STATUS, Authorization=bearer(f"a-wrong-token-of-nobody-{n}")).code == 401
            with socket.create_connection((asker.at.host, asker.at.port), 20) as made:
                made.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert 0 < len(caplog.records) <= 10


@pytest.mark.parametrize("token", [TOKEN, HASHED])
def test_a_valid_token_is_accepted(world: World, started: Started, token: str) -> None:
    asker = world.asker(started)
    assert asker.ask(STATUS, Authorization=bearer(token)).tree["provider"] == "one"
    password = base64.b64encode(f"anyone:{token}".encode()).decode()
    assert asker.ask("/", Authorization=f"Basic {password}").code == 200


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        ("", "authentication is required"),
        (bearer(TOKEN[:-1]), "the token is unknown"),
        (bearer("x" * 4_000), "the token is unknown"),
        (bearer(OLD), "the token has expired"),
        ("Basic !!!", "the token is unknown"),
        (
            f"Basic {base64.b64encode(b'no-colon').decode()}",
            "authentication is required",
        ),
        ("Digest x", "authentication is required"),
        ("Bearer", "authentication is required"),
    ],
)
def test_invalid_credentials_are_refused(world: World, started: Started, shown: str, sentence: str) -> None:
    headers: dict[str, Any] = {"Authorization": shown} if shown else {}
    answers = [world.asker(started).ask(path, **headers) for path in (STATUS, "/", "/openapi.json")]
    for answer in answers:
        assert (answer.code, answer.tree["error"]) == (401, sentence)
        assert answer.headers["www-authenticate"] == 'Bearer realm="provider-daemon"'
        assert b"virtengine" not in answer.body
        assert answer.headers["cache-control"] == "no-store"


def test_a_browser_gets_a_basic_challenge(world: World, started: Started) -> None:
    answer = world.asker(started).ask("/", Accept="text/html,application/xhtml+xml")
    assert (answer.code, answer.headers["www-authenticate"].split()[0]) == (401, "Basic")


def test_a_secret_in_an_overlong_line_is_neither_logged_nor_accepted(
    world: World, started: Started, caplog: pytest.LogCaptureFixture
) -> None:
    assert world.asker(started).ask(STATUS, Authorization=bearer(f"{TOKEN}{'x' * 10_000}")).code == 400
    assert TOKEN not in caplog.text


def test_a_client_certificate_is_accepted(world: World, started: Started) -> None:
    assert world.asker(started, world.authority.issue("monitoring")).ask(STATUS).code == 200


def test_foreign_and_expired_client_certificates_fail_the_handshake(
    world: World, started: Started, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    strange = Authority(tmp_path / "other").issue("stranger")
    expired = world.authority.issue("late", -DAY)
    for certificate in (strange, expired):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            world.asker(started, certificate).ask(STATUS)
    assert world.asker(started).ask("/healthz").code == 200


def test_an_expired_server_certificate_is_logged_and_reported(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificate, key = world.authority.issue("ours", -DAY)
    started = serve(
        outside=EVERYWHERE,
        remote_access=replace(world.proof, certificate=certificate, key=key),
        now=lambda: int(time.time()),
    )
    try:
        assert "CertificateExpired: the certificate" in caplog.text
        told = Asker(started.ports.api).ask(STATUS).tree["troubles"]
        assert [each["reason"] for each in told] == ["CertificateExpired"]
        assert "ours.pem expired at 20" in told[0]["message"]
        assert told[0]["advice"] == "renew it; it is reloaded without a restart"
        assert Asker(started.ports.api).ask("/api/v1/overview").tree["status"]["troubles"] == told
        with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
            world.asker(started).ask(STATUS)
        assert Asker(started.ports.api).ask(STATUS).code == 200
    finally:
        started.stop()


@pytest.mark.parametrize(("days", "told"), [(-1, "CertificateExpired"), (13, "CertificateExpires"), (15, "")])
def test_an_expiring_certificate_is_reported(world: World, days: int, told: str) -> None:
    certificate, key = world.authority.issue("dated", days * DAY)
    found = Certificate(replace(world.proof, certificate=certificate, key=key)).trouble(int(time.time()))
    assert (found.reason if found else "") == told


def test_renewed_files_are_reloaded_and_invalid_ones_ignored(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "RELOAD_SECONDS", 0.02)
    late = world.authority.issue("ours", -DAY)
    started = serve(outside=EVERYWHERE, remote_access=replace(world.proof, certificate=late[0], key=late[1]))
    try:
        tokens = tmp_path / "tokens"
        tokens.write_text("a-new-token-of-somebody-else\n")
        world.authority.issue("ours")
        _until(
            lambda: (
                world.asker(started).ask(STATUS, Authorization=bearer("a-new-token-of-somebody-else")).code
                == 200
            )
        )
        assert world.asker(started).ask(STATUS, Authorization=bearer(TOKEN)).code == 401
        tokens.write_text("short\n")
        late[0].write_text("no certificate")
        _until(lambda: "the token is shorter" in caplog.text and "cannot be used with the key" in caplog.text)
        assert (
            world.asker(started).ask(STATUS, Authorization=bearer("a-new-token-of-somebody-else")).code == 200
        )
    finally:
        started.stop()


def test_failed_authentications_are_rate_limited_and_valid_tokens_are_not(world: World) -> None:
    rates = replace(UNLIMITED, failure=Rate(0.001, 3))
    started = serve(outside=EVERYWHERE, remote_access=world.proof, rates=rates)
    try:
        asker = world.asker(started)
        codes = [asker.ask(STATUS, Authorization=bearer(f"guess {n}")).code for n in range(5)]
        assert codes == [401, 401, 401, 429, 429]
        assert asker.ask(STATUS, Authorization=bearer(TOKEN)).code == 200
    finally:
        started.stop()


def test_health_is_public_without_details(world: World, snapshots: SnapshotStore, started: Started) -> None:
    snapshots.publish(replace(FULL, readings=(ReadingView("chain", NEVER, "node 10.1.2.3 refused"),)))
    asker = world.asker(started)
    assert asker.ask("/healthz").code == 200
    answer = asker.ask("/readyz")
    assert (answer.code, answer.tree["why"]) == (503, "authenticate to see why")
    told = asker.ask("/readyz", Authorization=bearer(TOKEN)).tree["why"]
    assert told == "the chain has not been seen yet: node 10.1.2.3 refused"


def test_metrics_require_authentication(world: World) -> None:
    started = serve(metrics=EVERYWHERE, remote_access=world.proof)
    try:
        asker = Asker(ListenAddress("127.0.0.1", started.ports.metrics.port), world.authority.client())
        assert asker.ask("/metrics").code == 401
        page = asker.ask("/metrics", Authorization=bearer(TOKEN)).body.decode()
        assert 'virtengine_provider_certificate_expiry_timestamp_seconds{site="metrics"}' in page
    finally:
        started.stop()


def test_plain_http_on_a_tls_port_is_harmless(world: World, started: Started) -> None:
    assert started.ports.outside is not None
    with socket.create_connection(("127.0.0.1", started.ports.outside.port), timeout=20) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert plain.recv(100)[:1] in (b"", b"\x15"), "an alert of TLS, or nothing"
    assert world.asker(started).ask("/healthz").code == 200


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"certificate": "nothing"}, "nothing cannot be read: No such file or directory"),
        ({"certificate": "tokens"}, "cannot be used with the key"),
        ({"client_ca": "tokens"}, "the client CA .*tokens cannot be read"),
        ({"tokens": "nothing"}, "nothing cannot be read: No such file or directory"),
        ({"tokens": "empty"}, "the token file .*empty holds no token; write one a line"),
        ({"tokens": "open"}, "other users may read .*open; run chmod 600"),
    ],
)
def test_unusable_files_have_an_error_message(
    world: World, tmp_path: Path, change: dict[str, str], sentence: str
) -> None:
    (tmp_path / "empty").write_text("# nothing\n")
    (tmp_path / "empty").chmod(0o600)
    (tmp_path / "open").write_text(TOKEN)
    (tmp_path / "open").chmod(0o644)
    proof = replace(world.proof, **{name: tmp_path / file for name, file in change.items()})
    with pytest.raises(ServeError, match=sentence):
        serve(outside=EVERYWHERE, remote_access=proof)


def test_a_client_over_its_rate_gets_retry_after() -> None:
    few = Rate(0.5, 3)
    started = serve(rates=Rates(few, few, few, WITHOUT_LIMITS))
    try:
        asker = Asker(started.ports.api)
        codes = [asker.ask(STATUS).code for _ in range(4)]
        assert codes == [200, 200, 200, 429]
        answer = asker.ask(STATUS)
        assert (answer.tree["error"], answer.headers["retry-after"]) == ("rate limit exceeded", "2")
        assert asker.ask("/api/v1/journal").code == 200, "what is dear is counted apart"
    finally:
        started.stop()


def _until(look: object) -> None:
    assert callable(look)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            if look():
                return
        except (ssl.SSLError, ConnectionError):
            pass
        time.sleep(0.05)
    raise AssertionError("not in time")
