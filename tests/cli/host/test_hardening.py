"""No core dump and no other process shows the daemon's memory."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.chain.keyring import create_keyring
from reconciler.chain.keys import key_from_words, new_words

HOST = """
repository: {url: https://127.0.0.1:9/state.git}
chain: {grpc: "127.0.0.1:9", rpc: "http://127.0.0.1:9", chain_id: test-1}
provider: {backend: test}
listen: {api: "127.0.0.1:0", metrics: "127.0.0.1:0"}
state: state
"""
ATTACHING = """
import ctypes, os, sys
from reconciler.cli.host.hardening import harden_process

def readable(name):
    child = os.fork()
    if child == 0:
        try:
            os.close(os.open(f"/proc/{os.getppid()}/{name}", os.O_RDONLY))
        except PermissionError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0

if os.getuid() == 0:  # root may attach to everything
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # as after an ordinary start; a change of user forbids dumps
before = readable("environ")
harden_process()
print(before, readable("environ"), readable("mem"))
"""


def unlimited_core() -> None:
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def dumped_core(process: subprocess.Popen[bytes]) -> bool:
    """Abort a process; whether the kernel says that it dumped core, wherever `core_pattern` puts it."""
    process.send_signal(signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -os.WTERMSIG(status)
    assert os.WTERMSIG(status) == signal.SIGABRT
    return os.WCOREDUMP(status)


def wait_for(process: subprocess.Popen[bytes], words: bytes) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"it ended with {process.wait()}")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A running daemon that has opened its keyring, started where core dumps are allowed."""
    (tmp_path / "host.yaml").write_text(HOST)
    create_keyring(tmp_path / "state" / "keyring").add("provider", key_from_words(new_words()))
    command = [sys.executable, "-m", "reconciler", "run", "--host", str(tmp_path / "host.yaml")]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, preexec_fn=unlimited_core)
    try:
        wait_for(process, b"provider-daemon runs")
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_daemon_that_aborts_leaves_no_core(tmp_path: Path, daemon: subprocess.Popen[bytes]) -> None:
    limits = Path(f"/proc/{daemon.pid}/limits").read_text().splitlines()
    assert next(line.split()[-3:-1] for line in limits if line.startswith("Max core")) == ["0", "0"]
    assert not dumped_core(daemon)
    assert not list(tmp_path.glob("core*"))
    assert daemon.stderr is not None
    assert b"Fatal Python error: Aborted" in daemon.stderr.read(), "the watchdog's stacks are still logged"


def test_an_unhardened_process_leaves_a_core(tmp_path: Path) -> None:
    """Shows that the kernel's word on a dump can be yes here."""
    if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
        return
    process = subprocess.Popen(["sleep", "60"], cwd=tmp_path, preexec_fn=unlimited_core)
    time.sleep(0.2)
    assert dumped_core(process)


def test_a_process_of_the_same_user_cannot_read_the_memory() -> None:
    done = subprocess.run([sys.executable, "-c", ATTACHING], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["True", "False", "False"], done.stderr


@pytest.mark.parametrize("program", ["reconciler.cli.main", "reconciler.cli.virtengine.main"])
def test_both_programs_are_hardened_before_any_command(program: str) -> None:
    script = (
        f"import resource, {program} as program\n"
        "try: program.main(['--help'])\n"
        "except SystemExit: print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, preexec_fn=unlimited_core
    )
    assert done.stdout.splitlines()[-1] == "(0, 0)", done.stderr
