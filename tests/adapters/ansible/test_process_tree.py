"""A process is killed with all its descendants."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from reconciler.adapters.ansible.process_tree import kill_descendants
from tests.contracts.adapter_backends import eventually

DETACHED = """
import os, subprocess, sys, time
sys.path[:0] = [{root!r}]
from reconciler.adapters.ansible.process_tree import adopt_orphans
adopt_orphans()
inner = "import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True)"
subprocess.run([sys.executable, "-c", inner])
subprocess.Popen(["sh", "-c", "sleep 600 & sleep 600"])
print("up", flush=True)
time.sleep(600)
"""


def children(parent: int) -> dict[str, int]:
    """The living children of a process, by name."""
    words = ["ps", "-o", "pid=,stat=,comm=", "--ppid", str(parent)]
    lines = subprocess.run(words, capture_output=True, text=True).stdout.splitlines()
    found = (line.split() for line in lines)
    return {name: int(number) for number, state, name, *_ in found if not state.startswith("Z")}


def test_detached_descendants_are_killed_too() -> None:
    text = DETACHED.format(root=str(Path(__file__).parents[3]))
    program = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE)
    try:
        assert program.stdout is not None
        assert program.stdout.readline() == b"up\n"
        eventually(lambda: {"sleep", "sh"} <= children(program.pid).keys(), "its children, the orphan too")

        kill_descendants(program.pid)

        eventually(lambda: not children(program.pid), "all gone")
        assert program.poll() is None, "the process itself survives"
    finally:
        program.kill()
        program.wait()


def test_a_container_monitor_is_spared(tmp_path: Path) -> None:
    monitor = tmp_path / "conmon"
    monitor.write_bytes(Path("/bin/sleep").read_bytes())
    monitor.chmod(0o755)
    program = subprocess.Popen(["sh", "-c", f"{monitor} 600 & sleep 600 & wait"])
    try:
        eventually(lambda: {"conmon", "sleep"} <= children(program.pid).keys(), "both")
        spared = children(program.pid)["conmon"]

        kill_descendants(program.pid)

        eventually(lambda: "sleep" not in children(program.pid), "the other gone")
        os.kill(spared, 0)
    finally:
        os.kill(spared, 9)
        program.kill()
        program.wait()
