"""The service under a real systemd: installed, started with its credential, asked, restarted, ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from reconciler.chain.keyring import create_keyring
from reconciler.devnet.accounts import PROVIDER, key_of

BOOT = Path(__file__).with_name("systemd_boot.sh")
PROGRAM = Path(sys.executable).with_name("provider-daemon")
PASSPHRASE = "a passphrase that only systemd reads"
SECONDS_MAX = 60
UNIT = "provider-daemon"

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]


@dataclass(frozen=True, slots=True)
class Machine:
    """Namespaces in which a systemd is process 1."""

    pid: int
    scratch: Path

    def run(self, *words: str, fails: bool = False) -> str:
        """A command in there; what it printed."""
        inside = ["nsenter", "-t", str(self.pid), "-m", "-p", "-C", "-u", "-i", "-n", "--"]
        done = subprocess.run(
            [*inside, *words], capture_output=True, text=True, timeout=SECONDS_MAX, check=False, cwd="/"
        )
        assert fails or done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def until(self, look: Callable[[], bool], what: str) -> None:
        """Wait for something to be so."""
        end = time.monotonic() + SECONDS_MAX
        while not look():
            assert time.monotonic() < end, f"not in time: {what}; {self.log()}"
            time.sleep(0.2)

    def log(self) -> str:
        """What the service wrote to the journal."""
        return self.run("journalctl", "-u", UNIT, "-o", "cat", "--no-pager")

    def shown(self, name: str) -> str:
        """A property of the service."""
        return self.run("systemctl", "show", UNIT, "-p", name, "--value").strip()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    assert os.geteuid() == 0, "a systemd of its own needs root: run this test as root"
    assert Path("/lib/systemd/systemd").exists(), "systemd is not here: apt-get install systemd"
    scratch = tmp_path_factory.mktemp("machine")
    apart = ["unshare", "--mount", "--pid", "--fork", "--cgroup", "--uts", "--ipc", "--net"]
    booted = subprocess.Popen([*apart, str(BOOT), str(scratch)])
    try:
        end = time.monotonic() + SECONDS_MAX
        while not (first := _child(booted.pid)):
            assert time.monotonic() < end, "no systemd was started"
            time.sleep(0.1)
        made = Machine(first, scratch)
        state = ("systemctl", "is-system-running")
        made.until(lambda: made.run(*state, fails=True).strip() == "running", "systemd")
        _furnish(made)
        yield made
    finally:
        if first := _child(booted.pid):
            os.kill(first, 9)
        booted.wait(SECONDS_MAX)


def _child(pid: int) -> int:
    """The process that unshare made, once it is systemd; 0 before."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    name = Path(f"/proc/{children[0]}/comm").read_text().strip() if children else ""
    return int(children[0]) if name == "systemd" else 0


def _furnish(machine: Machine) -> None:
    """A devnet as a unit of its own, and what the operator writes before installing the service."""
    world = machine.scratch / "world"
    unit = f"[Service]\nExecStart={PROGRAM} devnet --home {world} --block-seconds 0.5\n"
    _write(machine, "/usr/lib/systemd/system/devnet.service", unit)
    machine.run("systemctl", "start", "devnet")
    machine.until(lambda: "ready; stop it" in machine.run("journalctl", "-u", "devnet", "--no-pager"), "it")
    host = yaml.safe_load((world / "host.yaml").read_text())
    host["repository"]["url"] = "/srv/state.git"
    host["provider"] = {"name": "provider", "key": "provider", "backend": "file"}
    host["provider"]["passphrase_file"] = "/etc/provider-daemon.passphrase"
    host["adapters"]["kubernetes"]["kubeconfig"] = "/etc/provider-daemon.kubeconfig"
    host["state"] = "/var/lib/provider-daemon"
    host["listen"] = {}
    create_keyring(machine.scratch / "keyring", PASSPHRASE).add("provider", key_of(PROVIDER))
    _write(machine, "/etc/provider-daemon.yaml", yaml.safe_dump(host))
    _write(machine, "/etc/provider-daemon.passphrase", PASSPHRASE)
    machine.run("chmod", "600", "/etc/provider-daemon.passphrase")
    machine.run("cp", str(world / "kubeconfig"), "/etc/provider-daemon.kubeconfig")
    machine.run("cp", "-r", str(world / "state.git"), "/srv/state.git")
    machine.run("mkdir", "-p", "/var/lib/provider-daemon")
    machine.run("cp", "-r", str(machine.scratch / "keyring"), "/var/lib/provider-daemon/keyring")


def _write(machine: Machine, path: str, text: str) -> None:
    (machine.scratch / "draft").write_text(text)
    machine.run("cp", str(machine.scratch / "draft"), path)


@pytest.fixture(scope="module")
def installed(machine: Machine) -> Machine:
    """With every step taken that install-service prints, but the last, which needs a message bus."""
    told = machine.run(str(PROGRAM), "install-service").partition("then:\n")[2]
    *steps, doctor = [line.strip() for line in told.splitlines()]
    assert "systemctl enable --now provider-daemon" in steps
    assert doctor.startswith("systemd-run ")
    for step in steps:
        machine.run("sh", "-c", step)
    return machine


def test_readiness_is_notified(installed: Machine) -> None:
    assert installed.shown("ActiveState") == "active"
    assert installed.shown("StatusText").startswith("API on 127.0.0.1:8443")
    assert installed.shown("WatchdogUSec") == "1min"
    told = installed.run("curl", "-s", "localhost:8443/api/v1/status")
    assert key_of(PROVIDER).address in told


def test_it_is_a_user_of_its_own_with_no_rights(installed: Machine) -> None:
    status = installed.run("cat", f"/proc/{installed.shown('MainPID')}/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split()[0] == installed.run("id", "-u", UNIT).strip() != "0"
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")


def test_the_doctor_checks_the_credential(installed: Machine) -> None:
    unit = (
        f"[Service]\nType=oneshot\nUser={UNIT}\n"
        "LoadCredential=passphrase:/etc/provider-daemon.passphrase\n"
        f"ExecStart={PROGRAM} doctor --host /etc/provider-daemon.yaml\n"
    )
    _write(installed, "/usr/lib/systemd/system/doctor.service", unit)
    installed.run("systemctl", "daemon-reload")
    installed.run("systemctl", "start", "doctor", fails=True)
    told = installed.run("journalctl", "-u", "doctor", "-o", "cat", "--no-pager")
    assert "0 wrong, " in told, told


def test_the_journal_has_what_the_sheet_looks_for(installed: Machine) -> None:
    world = installed.scratch / "world"
    installed.run(str(PROGRAM), "devnet", "tenant", "order", "--home", str(world), "--price", "4000")
    look = "journalctl -u provider-daemon --no-pager | grep -i bid"
    installed.until(lambda: "Bid 2446uve" in installed.run("sh", "-c", look, fails=True), "a bid")
    assert "adapter kubernetes" in installed.run("sh", "-c", look.replace("bid", "adapter"))
    assert PASSPHRASE not in installed.log()


def test_a_restart_and_a_stop_let_it_end_well(installed: Machine) -> None:
    before = installed.shown("MainPID")
    installed.run("systemctl", "restart", UNIT)
    assert installed.shown("ActiveState") == "active"
    assert installed.shown("MainPID") not in (before, "0")
    installed.run("systemctl", "stop", UNIT)
    assert (installed.shown("Result"), installed.shown("ExecMainStatus")) == ("success", "0")
    assert installed.log().splitlines()[-1].endswith("provider-daemon has stopped")


def test_it_is_little_exposed(installed: Machine) -> None:
    last = installed.run("systemd-analyze", "security", UNIT, "--no-pager").strip().splitlines()[-1]
    assert float(last.partition(": ")[2].split()[0]) < 1.5, last
