"""The demo, with devnet and daemon as processes of their own, on real sockets."""

import os
from pathlib import Path

from reconciler.devnet.demo_money import STEPS
from tests.e2e.processes import FAST, RunningCommand, devnet, devnet_facts, run


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def daemons(home: Path) -> list[int]:
    """The ids of processes with this devnet's host file."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if str(home / "host.yaml").encode() in words and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


def test_every_step_has_its_effect_and_the_devnet_is_kept(tmp_path: Path) -> None:
    home = tmp_path / "world"
    done = run("demo", "--keep", str(home), *FAST)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert "SIMULATOR" in done.stdout.splitlines()[0]
    for step in STEPS:
        assert step.title in done.stdout
    assert done.stdout.count("  -> ") == len(STEPS)
    assert "every step had its effect" in done.stdout
    assert "operator: Cores cost a quarter more" in done.stdout
    assert "provider-daemon: Applied commit" in done.stdout
    assert "\r" not in done.stdout, "only a terminal shows the time while a step waits"
    assert devnet_facts(home)["pid"] == 0
    assert daemons(home) == []
    assert f"  provider-daemon status --host {home}/host.yaml" in done.stdout.splitlines()
    assert f"# its page: {devnet_facts(home)['api']}/" in done.stdout
    again = run("demo", "--keep", str(home))
    assert again.returncode == 1
    assert "already holds a devnet; continue it with" in again.stderr
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
    assert process.interrupt() == 130, process.stderr
    assert process.stderr.strip() == "stopped"
    assert not is_running(daemon)
    assert not is_running(market)
    assert devnet_facts(home)["pid"] == 0
