"""A provider on a simulated market for the cheat sheet: devnet and daemon as processes of their own, the
daemon on the sheet's ports. `systemctl`, `journalctl` and `sudo` are stand-ins, as tests run without systemd,
and so are `curl` and `jq` where they are missing.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.devnet.demo import Demo, open_demo, run_steps
from reconciler.devnet.demo_market import FIRST_PRICE
from reconciler.devnet.demo_money import STEPS, usage_settled
from reconciler.devnet.demo_workloads import running
from reconciler.devnet.home import Home
from tests.e2e.processes import FAST, devnet
from tests.waiting import Found, wait_until

API, METRICS = 8443, 8444
NEEDED = ("bash", "curl", "git", "grep", "jq", "kubectl", "setsid", "virtengine", "provider-daemon")

CURL = """#!{python}
# Stands in for a missing curl: prints the answer to a GET of the URL.
import sys, urllib.request
url = next(each for each in sys.argv[1:] if not each.startswith("-") and each != "/dev/null")
try:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))
    answer = direct.open("http://" + url, timeout=20).read()
except OSError:
    sys.exit(22)
if "/dev/null" not in sys.argv:
    sys.stdout.buffer.write(answer)
"""
JQ = """#!{python}
# Stands in for a missing jq: prints indented JSON, and fails on other input.
import json, sys
assert sys.argv[1:] == ["."], "this stand-in supports `jq .` only"
print(json.dumps(json.load(sys.stdin), indent=2))
"""
PROGRAMS = Path(sys.executable).parent
STEPS_RUN = ("started", "orders", "bids", "rivals", "leases", "closed-bid", "escrow", "running")
SECONDS_MAX = 60

SYSTEMCTL = """#!/bin/sh
# Stands in for systemd: one unit, one process, its id in a file.
pid={directory}/daemon.pid
alive() {{
  p=$(cat $pid 2>/dev/null) && [ -n "$p" ] && s=$(cut -d' ' -f3 /proc/$p/stat 2>/dev/null) && [ "$s" != Z ]
}}
start() {{
  setsid {python} -m reconciler run --host {host} >>{log} 2>&1 </dev/null &
  echo $! >$pid
  for _ in $(seq 300); do
    curl -sf -o /dev/null localhost:{api}/healthz && return 0
    alive || return 1
    sleep 0.1
  done
  return 1
}}
stop() {{
  alive || return 0
  kill -TERM "$p"
  for _ in $(seq 200); do alive || return 0; sleep 0.1; done
  kill -KILL "$p"
}}
[ "$2" = provider-daemon ] || {{ echo "Unit $2.service could not be found."; exit 4; }}
case $1 in
  start) start ;;
  stop) stop ;;
  restart) stop; start ;;
  status)
    echo "provider-daemon.service - VirtEngine provider (stand-in)"
    alive || {{ echo "     Active: inactive (dead)"; exit 3; }}
    echo "     Active: active (running)"
    echo "   Main PID: $p"
    tail -n 5 {log} ;;
  *) exit 1 ;;
esac
"""
JOURNALCTL = """#!/bin/sh
# Stands in for journald: prints the daemon's log.
lines=1000000
[ "$1 $2" = "-u provider-daemon" ] || exit 1
[ "$3" = -n ] && lines=$4
exec tail -n "$lines" {log}
"""
SUDO = """#!/bin/sh
# Stands in for sudo: runs the command as the current user.
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class OperatorTerminal:
    """An operator's terminal on the provider's host, with the demo behind it."""

    demo: Demo
    directory: Path
    environment: dict[str, str]

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a line of the sheet in a shell, with its placeholders filled in."""
        filled = line.replace("{id}", self.demo.workload("web"))
        if "<escrow-id>" in filled:
            filled = filled.replace("<escrow-id>", f"deployment/{self.demo.order('web').deployment}")
        if "<pod-name>" in filled:
            filled = filled.replace("<pod-name>", self.pod())
        return subprocess.run(
            ["bash", "-c", filled],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )

    def pod(self) -> str:
        """A pod of `web`, once there is one."""
        prefix = f"pods/web-{self.demo.workload('web')}"
        objects = self.wait_until(
            lambda: [n for n in self.demo.probe.objects(self.demo.workload("web")) if n.startswith(prefix)],
            "a pod of `web`",
        )
        return objects[0].removeprefix("pods/")

    def wait_until(self, condition: Callable[[], Found], what: str) -> Found:
        """Wait for something that the daemon brings about; a failure shows the daemon's log."""
        return wait_until(condition, what, is_running=self.demo.daemon.is_alive, log=self.log)

    def log(self) -> str:
        """The daemon's log."""
        return (self.directory / "daemon.log").read_text()


@contextmanager
def cheat_world(directory: Path) -> Iterator[OperatorTerminal]:
    """Two workloads run, a bid is open, usage was billed and a lease was drawn from."""
    environment = _environment(directory)
    home = Home(directory / "world")
    _write_programs(directory, home)
    _check_requirements(environment)
    with devnet(home.directory, *FAST):
        text = re.sub(r"(?m)^  api: .*$", f'  api: "127.0.0.1:{API}"', home.host_file.read_text())
        text = re.sub(r"(?m)^  metrics: .*$", f'  metrics: "127.0.0.1:{METRICS}"', text)
        home.host_file.write_text(text)
        demo = open_demo(home, Unit(environment))
        demo.probe.api_url = f"http://127.0.0.1:{API}"
        try:
            terminal = OperatorTerminal(demo, directory, environment)
            _prepare(terminal)
            yield terminal
        finally:
            demo.daemon.stop()
            demo.probe.close()


class Unit:
    """The daemon as a service of the stand-in for systemd."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment

    def start(self) -> None:
        """`systemctl start`."""
        assert self._systemctl("start") == 0, "the daemon did not start"

    def stop(self) -> None:
        """`systemctl stop`."""
        self._systemctl("stop")

    def is_alive(self) -> bool:
        """`systemctl status`."""
        return self._systemctl("status") == 0

    def kill(self) -> None:
        """Not used."""
        raise AssertionError("the daemon is not killed here")

    def once(self) -> tuple[int, str]:
        """Not used."""
        raise AssertionError("`run --once` is not used here")

    def _systemctl(self, command: str) -> int:
        done = subprocess.run(
            ["systemctl", command, "provider-daemon"],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS_MAX,
            check=False,
        )
        return done.returncode


def _environment(directory: Path) -> dict[str, str]:
    identity = {
        f"GIT_{each}_{what}": "olga" for each in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "VE_")) and k != "JOURNAL_STREAM"
    }
    return (
        kept
        | identity
        | {
            "PATH": f"{directory / 'bin'}:{PROGRAMS}:{os.environ['PATH']}",
            "KUBECONFIG": str(directory / "world" / "kubeconfig"),
            "PROVIDER_DAEMON_HOST": str(directory / "world" / "host.yaml"),
            "NO_PROXY": "localhost,127.0.0.1",
            "no_proxy": "localhost,127.0.0.1",
        }
    )


def _check_requirements(environment: dict[str, str]) -> None:
    missing = [name for name in NEEDED if shutil.which(name, path=environment["PATH"]) is None]
    assert not missing, (
        f"the sheet needs {', '.join(missing)} on the PATH; install them (apt-get install curl jq)"
    )
    for port in (API, METRICS):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise AssertionError(
                    f"port {port} is in use, and the sheet's lines need it; stop the process that holds it"
                ) from None


def _write_programs(directory: Path, home: Home) -> None:
    values = {
        "directory": directory,
        "python": sys.executable,
        "host": home.host_file,
        "log": directory / "daemon.log",
        "api": API,
    }
    (directory / "bin").mkdir()
    programs = [("systemctl", SYSTEMCTL), ("journalctl", JOURNALCTL), ("sudo", SUDO)]
    programs += [(name, text) for name, text in (("curl", CURL), ("jq", JQ)) if shutil.which(name) is None]
    for name, text in programs:
        path = directory / "bin" / name
        path.write_text(text if name == "sudo" else text.format(**values))
        path.chmod(0o755)


def _prepare(terminal: OperatorTerminal) -> None:
    """Run the demo up to two running workloads; then post one more order, and wait for money."""
    demo = terminal.demo
    run_steps(
        demo, [step for step in STEPS if step.name in STEPS_RUN], lambda: time.sleep(0.1), lambda _: None
    )
    demo.post("second")
    terminal.wait_until(lambda: _has_open_bid(demo), "our bid on `second`")
    terminal.wait_until(lambda: usage_settled(demo), "usage that is settled")
    terminal.wait_until(lambda: _was_withdrawn_from(demo), "a withdrawal from `web`")


def _has_open_bid(demo: Demo) -> bool:
    bid = demo.probe.bid(demo.bid("second"))
    return bid is not None and bid.price == FIRST_PRICE


def _was_withdrawn_from(demo: Demo) -> bool:
    lease = demo.probe.lease(demo.bid("web"))
    return bool(lease and lease.payment.withdrawn and running(demo, "web", "metered"))
