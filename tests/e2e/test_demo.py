"""The whole story, with devnet and daemon as processes of their own, on real sockets."""

import os
import time
from pathlib import Path

import pytest

from reconciler.devnet.story import STEPS
from tests.e2e.running import FAST, devnet, interrupt, run, start, told


def lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def daemons(home: Path) -> list[int]:
    """Processes that run on this world's host file."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if str(home / "host.yaml").encode() in words and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


@pytest.mark.timeout(180)
def test_every_step_is_seen_and_the_world_goes_on(tmp_path: Path) -> None:
    home = tmp_path / "world"
    done = run("demo", "--keep", str(home), *FAST)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert "SIMULATOR" in done.stdout.splitlines()[0]
    for step in STEPS:
        assert step.tells in done.stdout
    assert done.stdout.count("  -> ") == len(STEPS)
    assert "every step was seen" in done.stdout
    assert "operator: Cores cost a quarter more" in done.stdout
    assert "provider-daemon: Applied commit" in done.stdout
    assert "\r" not in done.stdout, "only a terminal is shown the waiting"
    assert told(home)["pid"] == 0
    assert daemons(home) == []
    again = run("demo", "--keep", str(home))
    assert again.returncode == 1
    assert "holds a world already; go on with" in again.stderr
    with devnet(home) as facts:
        listed = run("devnet", "tenant", "list", "--home", str(home))
        assert "1000006  active, order active" in listed.stdout
        once = run("run", "--host", facts["host"], "--once")
        assert once.returncode == 0, once.stderr


def test_ctrl_c_ends_everything(tmp_path: Path) -> None:
    home = tmp_path / "world"
    process = start("demo", "--keep", str(home), *FAST)
    until = time.monotonic() + 30
    while not daemons(home) and time.monotonic() < until:
        time.sleep(0.05)
    (daemon,), market = daemons(home), told(home)["pid"]
    code, _, err = interrupt(process)
    assert (code, err.strip()) == (130, "stopped")
    assert not lives(daemon)
    assert not lives(market)
    assert told(home)["pid"] == 0
