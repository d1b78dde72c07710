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
from reconciler.api.auth.tls import Certificate, RemoteAccess
from reconciler.api.server import ServeError
from reconciler.api.startup import Started
from reconciler.runtime.connection_limits import GRACE_SECONDS
from reconciler.runtime.rate_limit import Rate, Rates
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.listen_address import ListenAddress
from reconciler.values.times import NEVER
from reconciler.values.views import ReadingView
from tests.api.certificates import DAY, Authority
from tests.api.fake_sources import UNLIMITED, WITHOUT_LIMITS, serve
from tests.api.http_client import HttpClient
from tests.api.snapshots import FULL

EVERYWHERE = ListenAddress("0.0.0.0", 0)
TOKEN, OLD, HASHED = (
    "a-token-of-somebody-0123456789",
    "an-old-token-of-nobody-01234567",
    "kept-as-a-hash-0123",
)
STATUS = "/api/v1/status"


@dataclass
class TlsHost:
    """A host with a certificate authority, a certificate and tokens."""

    authority: Authority
    proof: RemoteAccess

    def client(self, started: Started, certificate: tuple[Path, Path] | None = None) -> HttpClient:
        """A client of the remote address."""
        assert started.ports.outside is not None
        at = ListenAddress("127.0.0.1", started.ports.outside.port)
        return HttpClient(at, self.authority.client(certificate))


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
def tls_host(tmp_path: Path) -> TlsHost:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("server")
    return TlsHost(authority, RemoteAccess(certificate, key, authority.file, tokens_of(tmp_path)))


@pytest.fixture
def started(tls_host: TlsHost, snapshots: SnapshotStore) -> Iterator[Started]:
    running = serve(snapshots, outside=EVERYWHERE, remote_access=tls_host.proof)
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


def test_without_authentication_it_does_not_start(tls_host: TlsHost) -> None:
    proof = replace(tls_host.proof, tokens=None, client_ca=None)
    with pytest.raises(ServeError, match=r"without authentication; set listen.tokens or listen.c"):
        serve(outside=EVERYWHERE, remote_access=proof)


def test_unfinished_handshakes_are_closed(tls_host: TlsHost, started: Started) -> None:
    client = tls_host.client(started)
    at = (client.at.host, client.at.port)
    slow = [socket.create_connection(at, 20, ("127.0.0.2", 0)) for _ in range(80)]
    assert client.request("/healthz").code == 200
    time.sleep(GRACE_SECONDS + 0.1)
    with (
        socket.create_connection(at, 20, ("127.0.0.2", 0)) as same,
        tls_host.authority.client(None).wrap_socket(same, server_hostname="127.0.0.1") as secured,
    ):
        secured.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert secured.recv(100).startswith(b"HTTP/1.1 200")
    for each in slow:
        each.close()


def test_failed_connections_do_not_fill_the_log(
    tls_host: TlsHost, started: Started, caplog: pytest.LogCaptureFixture
) -> None:
    client = tls_host.client(started)
    with caplog.at_level(logging.INFO):
        for n in range(30):
            assert client.request(STATUS, Authorization=bearer(f"a-wrong-token-of-nobody-{n}")).code == 401
            with socket.create_connection((client.at.host, client.at.port), 20) as made:
                made.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert 0 < len(caplog.records) <= 10


@pytest.mark.parametrize("token", [TOKEN, HASHED])
def test_a_valid_token_is_accepted(tls_host: TlsHost, started: Started, token: str) -> None:
    client = tls_host.client(started)
    assert client.request(STATUS, Authorization=bearer(token)).tree["provider"] == "one"
    password = base64.b64encode(f"anyone:{token}".encode()).decode()
    assert client.request("/", Authorization=f"Basic {password}").code == 200


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
def test_invalid_credentials_are_refused(
    tls_host: TlsHost, started: Started, shown: str, sentence: str
) -> None:
    headers: dict[str, Any] = {"Authorization": shown} if shown else {}
    responses = [tls_host.client(started).request(path, **headers) for path in (STATUS, "/", "/openapi.json")]
    for response in responses:
        assert (response.code, response.tree["error"]) == (401, sentence)
        assert response.headers["www-authenticate"] == 'Bearer realm="provider-daemon"'
        assert b"virtengine" not in response.body
        assert response.headers["cache-control"] == "no-store"


def test_a_browser_gets_a_basic_challenge(tls_host: TlsHost, started: Started) -> None:
    response = tls_host.client(started).request("/", Accept="text/html,application/xhtml+xml")
    assert (response.code, response.headers["www-authenticate"].split()[0]) == (401, "Basic")


def test_a_secret_in_an_overlong_line_is_neither_logged_nor_accepted(
    tls_host: TlsHost, started: Started, caplog: pytest.LogCaptureFixture
) -> None:
    assert (
        tls_host.client(started).request(STATUS, Authorization=bearer(f"{TOKEN}{'x' * 10_000}")).code == 400
    )
    assert TOKEN not in caplog.text


def test_a_client_certificate_is_accepted(tls_host: TlsHost, started: Started) -> None:
    assert tls_host.client(started, tls_host.authority.issue("monitoring")).request(STATUS).code == 200


def test_foreign_and_expired_client_certificates_fail_the_handshake(
    tls_host: TlsHost, started: Started, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    strange = Authority(tmp_path / "other").issue("stranger")
    expired = tls_host.authority.issue("late", -DAY)
    for certificate in (strange, expired):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            tls_host.client(started, certificate).request(STATUS)
    assert tls_host.client(started).request("/healthz").code == 200


def test_an_expired_server_certificate_is_logged_and_reported(
    tls_host: TlsHost, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificate, key = tls_host.authority.issue("ours", -DAY)
    started = serve(
        outside=EVERYWHERE,
        remote_access=replace(tls_host.proof, certificate=certificate, key=key),
        now=lambda: int(time.time()),
    )
    try:
        assert "CertificateExpired: the certificate" in caplog.text
        troubles = HttpClient(started.ports.api).request(STATUS).tree["troubles"]
        assert [each["reason"] for each in troubles] == ["CertificateExpired"]
        assert "ours.pem expired at 20" in troubles[0]["message"]
        assert troubles[0]["advice"] == "renew it; it is reloaded without a restart"
        assert (
            HttpClient(started.ports.api).request("/api/v1/overview").tree["status"]["troubles"] == troubles
        )
        with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
            tls_host.client(started).request(STATUS)
        assert HttpClient(started.ports.api).request(STATUS).code == 200
    finally:
        started.stop()


@pytest.mark.parametrize(
    ("days", "reason"), [(-1, "CertificateExpired"), (13, "CertificateExpires"), (15, "")]
)
def test_an_expiring_certificate_is_reported(tls_host: TlsHost, days: int, reason: str) -> None:
    certificate, key = tls_host.authority.issue("dated", days * DAY)
    found = Certificate(replace(tls_host.proof, certificate=certificate, key=key)).trouble(int(time.time()))
    assert (found.reason if found else "") == reason


def test_renewed_files_are_reloaded_and_invalid_ones_ignored(
    tls_host: TlsHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "RELOAD_SECONDS", 0.02)
    late = tls_host.authority.issue("ours", -DAY)
    started = serve(
        outside=EVERYWHERE, remote_access=replace(tls_host.proof, certificate=late[0], key=late[1])
    )
    try:
        tokens = tmp_path / "tokens"
        tokens.write_text("a-new-token-of-somebody-else\n")
        tls_host.authority.issue("ours")
        _until(
            lambda: (
                tls_host.client(started)
                .request(STATUS, Authorization=bearer("a-new-token-of-somebody-else"))
                .code
                == 200
            )
        )
        assert tls_host.client(started).request(STATUS, Authorization=bearer(TOKEN)).code == 401
        tokens.write_text("short\n")
        late[0].write_text("no certificate")
        _until(lambda: "the token is shorter" in caplog.text and "cannot be used with the key" in caplog.text)
        assert (
            tls_host.client(started)
            .request(STATUS, Authorization=bearer("a-new-token-of-somebody-else"))
            .code
            == 200
        )
    finally:
        started.stop()


def test_failed_authentications_are_rate_limited_and_valid_tokens_are_not(tls_host: TlsHost) -> None:
    rates = replace(UNLIMITED, failure=Rate(0.001, 3))
    started = serve(outside=EVERYWHERE, remote_access=tls_host.proof, rates=rates)
    try:
        client = tls_host.client(started)
        codes = [client.request(STATUS, Authorization=bearer(f"guess {n}")).code for n in range(5)]
        assert codes == [401, 401, 401, 429, 429]
        assert client.request(STATUS, Authorization=bearer(TOKEN)).code == 200
    finally:
        started.stop()


def test_health_is_public_without_details(
    tls_host: TlsHost, snapshots: SnapshotStore, started: Started
) -> None:
    snapshots.publish(replace(FULL, readings=(ReadingView("chain", NEVER, "node 10.1.2.3 refused"),)))
    client = tls_host.client(started)
    assert client.request("/healthz").code == 200
    response = client.request("/readyz")
    assert (response.code, response.tree["why"]) == (503, "authenticate to see why")
    why = client.request("/readyz", Authorization=bearer(TOKEN)).tree["why"]
    assert why == "the chain has not been seen yet: node 10.1.2.3 refused"


def test_metrics_require_authentication(tls_host: TlsHost) -> None:
    started = serve(metrics=EVERYWHERE, remote_access=tls_host.proof)
    try:
        client = HttpClient(
            ListenAddress("127.0.0.1", started.ports.metrics.port), tls_host.authority.client()
        )
        assert client.request("/metrics").code == 401
        page = client.request("/metrics", Authorization=bearer(TOKEN)).body.decode()
        assert 'virtengine_provider_certificate_expiry_timestamp_seconds{site="metrics"}' in page
    finally:
        started.stop()


def test_plain_http_on_a_tls_port_is_harmless(tls_host: TlsHost, started: Started) -> None:
    assert started.ports.outside is not None
    with socket.create_connection(("127.0.0.1", started.ports.outside.port), timeout=20) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert plain.recv(100)[:1] in (b"", b"\x15"), "an alert of TLS, or nothing"
    assert tls_host.client(started).request("/healthz").code == 200


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
    tls_host: TlsHost, tmp_path: Path, change: dict[str, str], sentence: str
) -> None:
    (tmp_path / "empty").write_text("# nothing\n")
    (tmp_path / "empty").chmod(0o600)
    (tmp_path / "open").write_text(TOKEN)
    (tmp_path / "open").chmod(0o644)
    proof = replace(tls_host.proof, **{name: tmp_path / file for name, file in change.items()})
    with pytest.raises(ServeError, match=sentence):
        serve(outside=EVERYWHERE, remote_access=proof)


def test_a_client_over_its_rate_gets_retry_after() -> None:
    few = Rate(0.5, 3)
    started = serve(rates=Rates(few, few, few, WITHOUT_LIMITS))
    try:
        client = HttpClient(started.ports.api)
        codes = [client.request(STATUS).code for _ in range(4)]
        assert codes == [200, 200, 200, 429]
        response = client.request(STATUS)
        assert (response.tree["error"], response.headers["retry-after"]) == ("rate limit exceeded", "2")
        assert client.request("/api/v1/journal").code == 200, "expensive requests have their own limit"
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
