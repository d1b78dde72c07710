"""The whole story, with devnet and daemon as processes of their own, on real sockets."""

import os
from pathlib import Path

from reconciler.devnet.story import STEPS
from tests.e2e.processes import FAST, RunningCommand, devnet, devnet_facts, run


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
    assert devnet_facts(home)["pid"] == 0
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
    process = RunningCommand("demo", "--keep", str(home), *FAST)
    (daemon,) = process.wait_until(lambda: daemons(home), "a daemon")
    market = devnet_facts(home)["pid"]
    assert process.interrupt() == 130
    assert process.stderr.strip() == "stopped"
    assert not lives(daemon)
    assert not lives(market)
    assert devnet_facts(home)["pid"] == 0
