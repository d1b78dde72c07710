"""Real SSH to this machine, with an sshd of our own: authentication, host keys and their errors."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.ansible.credentials import HostCredentials, Jump
from reconciler.adapters.ansible.host_spec import apply_request, apply_task, host_request
from reconciler.adapters.ansible.runner import AnsibleRunner, HostResult, Play
from reconciler.adapters.ansible.troubles import host_trouble
from reconciler.values.desired import Env
from reconciler.values.hosts import AnsibleGroup, AnsibleHost, AnsibleSettings, ContainerEngine, Timeouts
from tests.adapters.ansible.makers import host_spec
from tests.adapters.ansible.podman_stub import install, load_host
from tests.contracts.adapter_backends import eventually, service, workload

pytestmark = pytest.mark.live

CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {here}/host
AuthorizedKeysFile {here}/authorized
PidFile {here}/sshd.pid
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
SetEnv PATH={here}/bin:/usr/bin:/bin
"""


@dataclass
class Server:
    """An sshd with its own keys, and the settings that connect to it."""

    directory: Path
    port: int
    saved: Path
    user: str
    credentials: HostCredentials

    def settings(self, *more: AnsibleHost, **changes: Any) -> AnsibleSettings:
        hosts = (AnsibleHost("one", "127.0.0.1", self.port), *more)
        group = replace(AnsibleGroup("rack", hosts, user=self.user), **changes)
        storage = str(self.directory / "records")
        return AnsibleSettings(True, (group,), storage=storage, timeouts=Timeouts(connect=3))

    def observe(
        self, credentials: HostCredentials, *more: AnsibleHost, **changes: Any
    ) -> dict[str, HostResult]:
        settings = self.settings(*more, **changes)
        request = host_request("observe", ContainerEngine.PODMAN, settings, 50)
        play = Play(
            "observe", settings.groups[0], dict.fromkeys(settings.hosts, request), 60, check_mode=True
        )
        return dict(AnsibleRunner(settings, credentials, self.directory / "scratch").run(play))

    def apply(self, credentials: HostCredentials) -> dict[str, HostResult]:
        settings = self.settings()
        request = apply_request([apply_task(host_spec())], ContainerEngine.PODMAN, settings)
        play = Play("apply", settings.groups[0], {"one": request}, 60)
        return dict(AnsibleRunner(settings, credentials, self.directory / "scratch").run(play))


def keygen(path: Path) -> None:
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(words, check=True, capture_output=True)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/bin")
    if sshd is None:
        pytest.skip("this machine has no sshd: apt-get install openssh-server")
    for name in ("host", "client", "other"):
        keygen(tmp_path / name)
    (tmp_path / "authorized").write_text((tmp_path / "client.pub").read_text())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    known = tmp_path / "known"
    known.write_text(f"[127.0.0.1]:{port} {(tmp_path / 'host.pub').read_text()}")
    saved = install(tmp_path / "bin")
    (tmp_path / "config").write_text(CONFIG.format(port=port, here=tmp_path))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    daemon = subprocess.Popen([sshd, "-D", "-e", "-f", str(tmp_path / "config")], stderr=subprocess.PIPE)
    try:
        eventually(lambda: _listens(port), "sshd", 10)
        credentials = HostCredentials(private_key=tmp_path / "client", known_hosts=known)
        yield Server(tmp_path, port, saved, getpass.getuser(), credentials)
    finally:
        daemon.kill()
        daemon.wait()


@contextmanager
def jump_host(directory: Path) -> Iterator[int]:
    """Another sshd, with another key, that accepts the same client; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    text = (
        CONFIG.format(port=port, here=directory)
        .replace("/host\n", "/other\n")
        .replace("sshd.pid", "jump.pid")
    )
    (directory / "jump").write_text(text)
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/bin")
    assert sshd is not None, "the fixture found it"
    daemon = subprocess.Popen([sshd, "-D", "-e", "-f", str(directory / "jump")], stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: _listens(port), "the jump host", 10)
        yield port
    finally:
        daemon.kill()
        daemon.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def reason(result: HostResult) -> str:
    assert result.state in ("unreachable", "failed"), result
    return host_trouble("one", result.message, result.step).reason


def test_a_host_that_accepts_our_key_runs_requests(server: Server) -> None:
    odd = workload(1, service(env=(Env("ansible_host", "{{ 7*7 }}$(id)\n'\""),)))
    settings = server.settings()
    request = apply_request([apply_task(host_spec(odd))], ContainerEngine.PODMAN, settings)
    play = Play("apply", settings.groups[0], {"one": request}, 60)
    result = AnsibleRunner(settings, server.credentials, server.directory / "scratch").run(play)["one"]
    assert result.state == "ok", result
    [created] = [words for words in load_host(server.saved).commands if words[0] == "create"]
    assert "--env=ansible_host={{ 7*7 }}$(id)\n'\"" in created
    assert server.observe(server.credentials)["one"].state == "ok"


def test_a_wrong_key_is_reported(server: Server) -> None:
    wrong = replace(server.credentials, private_key=server.directory / "other")
    assert reason(server.observe(wrong)["one"]) == "KeyRefused"


def test_a_key_with_a_passphrase_never_prompts(server: Server) -> None:
    words = ["ssh-keygen", "-q", "-p", "-N", "secret", "-f", str(server.directory / "client")]
    subprocess.run(words, check=True, capture_output=True)
    assert reason(server.observe(server.credentials)["one"]) == "KeyRefused"


def test_a_changed_host_key_is_reported_and_nothing_is_sent(server: Server) -> None:
    other = (server.directory / "other.pub").read_text()
    known = server.credentials.known_hosts
    assert known is not None
    known.write_text(f"[127.0.0.1]:{server.port} {other}")
    assert reason(server.observe(server.credentials)["one"]) == "HostKeyChanged"
    assert load_host(server.saved).commands == []


def test_a_host_with_an_unknown_key_is_not_contacted(server: Server) -> None:
    known = server.credentials.known_hosts
    assert known is not None
    known.write_text("")
    assert reason(server.observe(server.credentials)["one"]) == "HostKeyUnknown"
    assert reason(server.observe(replace(server.credentials, known_hosts=None))["one"]) == "HostKeyUnknown"


def test_a_jump_host_needs_both_host_keys(server: Server, tmp_path: Path) -> None:
    known = server.credentials.known_hosts
    assert known is not None
    with jump_host(tmp_path) as port:
        through = replace(server.credentials, jump=Jump("127.0.0.1", port, server.user))
        assert reason(server.observe(through)["one"]) == "HostKeyUnknown"
        assert load_host(server.saved).commands == []
        of_jump = f"[127.0.0.1]:{port} {(tmp_path / 'other.pub').read_text()}"
        known.write_text(known.read_text() + of_jump)
        assert server.observe(through)["one"].state == "ok"
        known.write_text(of_jump)
        assert reason(server.observe(through)["one"]) == "HostKeyUnknown"
    assert reason(server.observe(through)["one"]) == "HostUnreachable", "there is no direct connection"


def test_records_do_not_follow_a_link_out_of_the_allowed_directories(server: Server, tmp_path: Path) -> None:
    (tmp_path / "allowed").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "records").symlink_to(tmp_path / "elsewhere")
    credentials = replace(server.credentials, storage_paths=(str(tmp_path / "allowed"),))
    assert reason(server.observe(credentials)["one"]) == "StorageDenied"
    assert reason(server.apply(credentials)["one"]) == "StorageDenied"
    assert list((tmp_path / "elsewhere").iterdir()) == []
    (tmp_path / "records").unlink()
    (tmp_path / "records").symlink_to(tmp_path / "allowed")
    assert server.observe(credentials)["one"].state == "ok"


def test_an_unreachable_host_does_not_affect_others(server: Server) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = AnsibleHost("two", "127.0.0.1", int(free.getsockname()[1]))
        nowhere = AnsibleHost("three", "192.0.2.1")
        results = server.observe(server.credentials, closed, nowhere)
    assert results["one"].state == "ok"
    assert [reason(results[name]) for name in ("two", "three")] == ["HostUnreachable"] * 2
