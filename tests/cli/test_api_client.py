"""Commands ask an API that others reach over TLS, and prove who they are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from reconciler.api.auth.tls import RemoteAccess
from reconciler.api.startup import Started
from reconciler.cli.api_client import NoDaemonError, fetch
from reconciler.cli.errors import CliError
from reconciler.reports.provider_view import StatusView
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.settings import ListenSettings
from reconciler.values.listen_address import ListenAddress
from tests.api.certificates import DAY, Authority
from tests.api.fake_sources import serve
from tests.cli.conftest import SHOWN, Terminal

STATUS = "/api/v1/status"
EVERYWHERE = ListenAddress("0.0.0.0", 0)
TOKEN, OLD = "a" * 40, "b" * 40


@dataclass(slots=True)
class Outer:
    """A daemon whose only API is behind TLS, and what the host file says of it."""

    authority: Authority
    started: Started
    listen: ListenSettings
    directory: Path

    def file(self, name: str, text: str) -> Path:
        """A file of secrets."""
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o600)
        return path


@pytest.fixture
def outer(tmp_path: Path) -> Iterator[Outer]:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("server")
    tokens = tmp_path / "tokens"
    tokens.write_text(f"sha256:{'0' * 64} hashed\n{OLD} old 2020-01-01\n{TOKEN} ours\n")
    tokens.chmod(0o600)
    proof = RemoteAccess(certificate, key, authority.file, tokens)
    started = serve(SnapshotStore(SHOWN), api=EVERYWHERE, remote_access=proof, now=lambda: int(time.time()))
    at = ListenAddress("0.0.0.0", started.ports.api.port)
    settings = ListenSettings(at, started.ports.metrics, None, certificate, key, authority.file, tokens)
    yield Outer(authority, started, settings, tmp_path)
    started.stop()


def test_the_first_whole_token_that_still_holds_is_shown(outer: Outer) -> None:
    assert fetch(outer.listen, STATUS, StatusView).provider == SHOWN.provider


def test_a_token_of_its_own_is_shown_instead(outer: Outer) -> None:
    hashed = outer.file("hashed", f"sha256:{'0' * 64}\n")
    with pytest.raises(CliError, match=r"401: .*send the token in listen.ask_token"):
        fetch(replace(outer.listen, tokens=hashed), STATUS, StatusView)
    ours = outer.file("ours", f"{TOKEN}\n")
    assert fetch(replace(outer.listen, tokens=hashed, ask_token=ours), STATUS, StatusView).provider
    wrong = outer.file("wrong", f"{'c' * 40}\n")
    with pytest.raises(CliError, match="401: the token is unknown; "):
        fetch(replace(outer.listen, ask_token=wrong), STATUS, StatusView)


def test_a_certificate_is_shown_where_it_is_named(outer: Outer) -> None:
    certificate, key = outer.authority.issue("operator")
    listen = replace(outer.listen, tokens=None, ask_certificate=certificate, ask_key=key)
    assert fetch(listen, STATUS, StatusView).provider == SHOWN.provider


def test_only_the_very_certificate_of_the_host_file_is_trusted(outer: Outer) -> None:
    other, _ = outer.authority.issue("other")
    with pytest.raises(CliError, match=r"does not present .*other.pem \(.*check what listens there"):
        fetch(replace(outer.listen, tls_certificate=other), STATUS, StatusView)


def test_an_expired_certificate_is_reported_with_advice(outer: Outer) -> None:
    certificate, key = outer.authority.issue("server2", -DAY)
    certificate.replace(outer.directory / "server.pem")
    key.replace(outer.directory / "server.key")
    proof = RemoteAccess(outer.listen.tls_certificate, outer.listen.tls_key, None, outer.listen.tokens)
    started = serve(SnapshotStore(SHOWN), api=EVERYWHERE, remote_access=proof)
    try:
        at = ListenAddress("0.0.0.0", started.ports.api.port)
        with pytest.raises(CliError, match=r"server.pem of 127.0.0.1:\d+ has expired; renew it"):
            fetch(replace(outer.listen, api=at), STATUS, StatusView)
    finally:
        started.stop()


@pytest.mark.parametrize(
    ("text", "mode", "told"),
    [
        ("short\n", 0o600, "is shorter than 20 characters"),
        (f"{TOKEN}\n", 0o644, "other users may read"),
        (None, 0, "cannot be read: No such file"),
    ],
)
def test_a_token_that_cannot_be_used_is_a_sentence(
    outer: Outer, text: str | None, mode: int, told: str
) -> None:
    path = outer.directory / "shown"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    with pytest.raises(CliError, match=told):
        fetch(replace(outer.listen, ask_token=path), STATUS, StatusView)


def test_a_certificate_that_cannot_be_read_is_a_sentence(outer: Outer) -> None:
    with pytest.raises(CliError, match=r"gone.pem cannot be used for requests: No such file"):
        fetch(replace(outer.listen, tls_certificate=outer.directory / "gone.pem"), STATUS, StatusView)


def test_an_unreachable_daemon_is_reported(outer: Outer) -> None:
    outer.started.stop()
    with pytest.raises(NoDaemonError, match=r"no daemon answers on 127\.0\.0\.1:"):
        fetch(outer.listen, STATUS, StatusView)


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (("status",), "provider   one"),
        (("get", "workloads"), "STATE"),
        (("get", "orders"), "DECISION"),
        (("reconcile",), "requested; "),
    ],
    ids=" ".join,
)
def test_every_query_command_sends_its_query(
    outer: Outer, terminal: Terminal, words: tuple[str, ...], printed: str
) -> None:
    host = terminal.home.host_file
    listen = outer.listen
    named = {"api": listen.api, "tls_certificate": listen.tls_certificate, "tls_key": listen.tls_key}
    lines = [f"  {name}: {value}" for name, value in {**named, "tokens": listen.tokens}.items()]
    text = host.read_text()
    before = next(line for line in text.splitlines() if line.startswith("  api: "))
    host.write_text(text.replace(before, "\n".join(lines)))
    code, out, err = terminal.run(*words)
    assert (code, err) == (0, "")
    assert printed in out
