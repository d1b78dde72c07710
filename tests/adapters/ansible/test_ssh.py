"""Real SSH to this very machine, with an sshd of our own: who is let in, and what is said of who is not."""

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
from reconciler.adapters.ansible.host_spec import applying, asking, work_order
from reconciler.adapters.ansible.runs import HostAnswer, Play, Runs
from reconciler.adapters.ansible.troubles import host_trouble
from reconciler.values.desired import Env
from reconciler.values.hosts import AnsibleGroup, AnsibleHost, AnsibleSettings, ContainerEngine, Timeouts
from tests.adapters.ansible.makers import order
from tests.adapters.ansible.standin import install, stage_of
from tests.contracts.adapter_worlds import eventually, service, workload

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
    """An sshd with keys of its own, and the settings that reach it."""

    here: Path
    port: int
    kept: Path
    user: str
    access: HostCredentials

    def settings(self, *more: AnsibleHost, **changes: Any) -> AnsibleSettings:
        hosts = (AnsibleHost("one", "127.0.0.1", self.port), *more)
        group = replace(AnsibleGroup("rack", hosts, user=self.user), **changes)
        patience = Timeouts(connect=3)
        return AnsibleSettings(True, (group,), storage=str(self.here / "records"), patience=patience)

    def look(self, access: HostCredentials, *more: AnsibleHost, **changes: Any) -> dict[str, HostAnswer]:
        settings = self.settings(*more, **changes)
        asked = asking("tend", ContainerEngine.PODMAN, settings, 50)
        play = Play("look", settings.groups[0], dict.fromkeys(settings.hosts, asked), 60, checking=True)
        return dict(Runs(settings, access, self.here / "scratch").run(play))

    def work(self, access: HostCredentials) -> dict[str, HostAnswer]:
        settings = self.settings()
        asked = work_order([applying(order())], ContainerEngine.PODMAN, settings)
        play = Play("work", settings.groups[0], {"one": asked}, 60)
        return dict(Runs(settings, access, self.here / "scratch").run(play))


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
    kept = install(tmp_path / "bin")
    (tmp_path / "config").write_text(CONFIG.format(port=port, here=tmp_path))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    daemon = subprocess.Popen([sshd, "-D", "-e", "-f", str(tmp_path / "config")], stderr=subprocess.PIPE)
    try:
        eventually(lambda: _listens(port), "sshd", 10)
        access = HostCredentials(private_key=tmp_path / "client", known_hosts=known)
        yield Server(tmp_path, port, kept, getpass.getuser(), access)
    finally:
        daemon.kill()
        daemon.wait()


@contextmanager
def jump_host(here: Path) -> Iterator[int]:
    """Another sshd, with another key, that lets the same client in; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    text = CONFIG.format(port=port, here=here).replace("/host\n", "/other\n").replace("sshd.pid", "jump.pid")
    (here / "jump").write_text(text)
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/bin")
    assert sshd is not None, "the fixture found it"
    daemon = subprocess.Popen([sshd, "-D", "-e", "-f", str(here / "jump")], stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: _listens(port), "the jump host", 10)
        yield port
    finally:
        daemon.kill()
        daemon.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def reason(answer: HostAnswer) -> str:
    assert answer.state in ("unreachable", "failed"), answer
    return host_trouble("one", answer.words, answer.step).reason


def test_a_host_that_knows_our_key_is_worked_on_over_ssh(server: Server) -> None:
    odd = workload(1, service(env=(Env("ansible_host", "{{ 7*7 }}$(id)\n'\""),)))
    settings = server.settings()
    asked = work_order([applying(order(odd))], ContainerEngine.PODMAN, settings)
    play = Play("work", settings.groups[0], {"one": asked}, 60)
    answer = Runs(settings, server.access, server.here / "scratch").run(play)["one"]
    assert answer.state == "ok", answer
    [created] = [words for words in stage_of(server.kept).commands if words[0] == "create"]
    assert "--env=ansible_host={{ 7*7 }}$(id)\n'\"" in created
    assert server.look(server.access)["one"].state == "ok"


def test_a_wrong_key_is_told(server: Server) -> None:
    wrong = replace(server.access, private_key=server.here / "other")
    assert reason(server.look(wrong)["one"]) == "KeyRefused"


def test_a_key_with_a_passphrase_asks_nobody(server: Server) -> None:
    words = ["ssh-keygen", "-q", "-p", "-N", "secret", "-f", str(server.here / "client")]
    subprocess.run(words, check=True, capture_output=True)
    assert reason(server.look(server.access)["one"]) == "KeyRefused"


def test_a_changed_host_key_is_told_and_nothing_is_sent(server: Server) -> None:
    other = (server.here / "other.pub").read_text()
    known = server.access.known_hosts
    assert known is not None
    known.write_text(f"[127.0.0.1]:{server.port} {other}")
    assert reason(server.look(server.access)["one"]) == "HostKeyChanged"
    assert stage_of(server.kept).commands == []


def test_a_host_that_nobody_vouched_for_is_not_talked_to(server: Server) -> None:
    known = server.access.known_hosts
    assert known is not None
    known.write_text("")
    assert reason(server.look(server.access)["one"]) == "HostKeyUnknown"
    assert reason(server.look(replace(server.access, known_hosts=None))["one"]) == "HostKeyUnknown"


def test_a_host_behind_a_jump_host_is_reached_if_both_keys_are_known(server: Server, tmp_path: Path) -> None:
    known = server.access.known_hosts
    assert known is not None
    with jump_host(tmp_path) as port:
        through = replace(server.access, jump=Jump("127.0.0.1", port, server.user))
        assert reason(server.look(through)["one"]) == "HostKeyUnknown"
        assert stage_of(server.kept).commands == []
        of_jump = f"[127.0.0.1]:{port} {(tmp_path / 'other.pub').read_text()}"
        known.write_text(known.read_text() + of_jump)
        assert server.look(through)["one"].state == "ok"
        known.write_text(of_jump)
        assert reason(server.look(through)["one"]) == "HostKeyUnknown"
    assert reason(server.look(through)["one"]) == "HostUnreachable", "there is no way around it"


def test_records_do_not_follow_a_link_out_of_the_allowed_directories(server: Server, tmp_path: Path) -> None:
    (tmp_path / "allowed").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "records").symlink_to(tmp_path / "elsewhere")
    access = replace(server.access, storage_paths=(str(tmp_path / "allowed"),))
    assert reason(server.look(access)["one"]) == "StorageDenied"
    assert reason(server.work(access)["one"]) == "StorageDenied"
    assert list((tmp_path / "elsewhere").iterdir()) == []
    (tmp_path / "records").unlink()
    (tmp_path / "records").symlink_to(tmp_path / "allowed")
    assert server.look(access)["one"].state == "ok"


def test_one_host_that_is_not_there_spoils_no_other(server: Server) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = AnsibleHost("two", "127.0.0.1", int(free.getsockname()[1]))
        nowhere = AnsibleHost("three", "192.0.2.1")
        answers = server.look(server.access, closed, nowhere)
    assert answers["one"].state == "ok"
    assert [reason(answers[name]) for name in ("two", "three")] == ["HostUnreachable"] * 2
