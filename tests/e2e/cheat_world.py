"""A provider's ordinary day on a simulated market, for the cheat sheet: devnet and daemon as processes of
their own, the daemon on the sheet's ports; `systemctl`, `journalctl` and `sudo` are stand-ins, as no systemd
runs where tests do, and so are `curl` and `jq` where they are missing.
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

from reconciler.devnet import story_market, story_money, story_workloads
from reconciler.devnet.home import Home
from reconciler.devnet.probe_api import ApiProbe
from reconciler.devnet.stage import Stage, open_stage
from reconciler.devnet.story import STEPS, play
from tests.e2e.processes import FAST, devnet
from tests.waiting import Found, wait_until

API, METRICS = 8443, 8444
NEEDED = ("bash", "curl", "git", "grep", "jq", "kubectl", "setsid", "virtengine", "provider-daemon")

CURL = """#!{python}
# Stands in for curl where there is none: prints what a GET of the one URL answers.
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
# Stands in for `jq .` where there is no jq: prints JSON indented, and fails on what is none.
import json, sys
assert sys.argv[1:] == ["."], "this stand-in knows `jq .` alone"
print(json.dumps(json.load(sys.stdin), indent=2))
"""
PROGRAMS = Path(sys.executable).parent
PLAYED = ("started", "orders", "bids", "rivals", "leases", "closed-bid", "escrow", "running")
SECONDS_MAX = 60

SYSTEMCTL = """#!/bin/sh
# Stands in for systemd, which does not run here: one unit, one process, its id in a file.
pid={place}/daemon.pid
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
# Stands in for journald, which does not run here: the daemon's log.
lines=1000000
[ "$1 $2" = "-u provider-daemon" ] || exit 1
[ "$3" = -n ] && lines=$4
exec tail -n "$lines" {log}
"""
SUDO = """#!/bin/sh
# Stands in for sudo: whoever runs the tests may do what they do.
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """An operator's terminal beside the provider, and the eyes of the test."""

    stage: Stage
    place: Path
    environment: dict[str, str]

    def type(self, line: str) -> subprocess.CompletedProcess[str]:
        """What the shell prints for a line of the sheet, its placeholders filled in."""
        filled = line.replace("{id}", self.stage.workload("web"))
        if "<escrow-id>" in filled:
            filled = filled.replace(
                "<escrow-id>", f"deployment/{self.stage.subject('web').rsplit('/', 2)[0]}"
            )
        if "<pod-name>" in filled:
            filled = filled.replace("<pod-name>", self.pod())
        return subprocess.run(
            ["bash", "-c", filled],
            cwd=self.place,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )

    def pod(self) -> str:
        """A pod of `web`, once there is one."""
        prefix = f"pods/web-{self.stage.workload('web')}"
        objects = self.wait_until(
            lambda: [
                n for n in self.stage.cluster.objects(self.stage.workload("web")) if n.startswith(prefix)
            ],
            "a pod of `web`",
        )
        return objects[0].removeprefix("pods/")

    def wait_until(self, condition: Callable[[], Found], what: str) -> Found:
        """Wait for something that the daemon brings about; a failure shows the daemon's log."""
        return wait_until(condition, what, is_running=self.stage.daemon.is_alive, log=self.log)

    def log(self) -> str:
        """What the daemon has said."""
        return (self.place / "daemon.log").read_text()


@contextmanager
def cheat_world(directory: Path) -> Iterator[Desk]:
    """Two workloads run, a bid is open, usage was billed and a lease was drawn from."""
    environment = _environment(directory)
    home = Home(directory / "world")
    _write_programs(directory, home)
    _refuse_gaps(environment)
    with devnet(home.directory, *FAST):
        text = re.sub(r"(?m)^  api: .*$", f'  api: "127.0.0.1:{API}"', home.host_file.read_text())
        text = re.sub(r"(?m)^  metrics: .*$", f'  metrics: "127.0.0.1:{METRICS}"', text)
        home.host_file.write_text(text)
        stage = open_stage(home, Unit(environment))
        stage.api = ApiProbe(f"http://127.0.0.1:{API}")
        try:
            desk = Desk(stage, directory, environment)
            _live(desk)
            yield desk
        finally:
            stage.daemon.stop()
            stage.close()


class Unit:
    """The daemon as its service, by the stand-in."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment

    def start(self) -> None:
        """`systemctl start`."""
        assert self._ask("start") == 0, "the daemon did not start"

    def stop(self) -> None:
        """`systemctl stop`."""
        self._ask("stop")

    def is_alive(self) -> bool:
        """`systemctl status`."""
        return self._ask("status") == 0

    def kill(self) -> None:
        """Not part of this day."""
        raise AssertionError("nobody kills the daemon here")

    def once(self) -> tuple[int, str]:
        """Not part of this day."""
        raise AssertionError("nobody runs it once here")

    def _ask(self, what: str) -> int:
        done = subprocess.run(
            ["systemctl", what, "provider-daemon"],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS_MAX,
            check=False,
        )
        return done.returncode


def _environment(directory: Path) -> dict[str, str]:
    who = {f"GIT_{each}_{what}": "olga" for each in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "VE_")) and k != "JOURNAL_STREAM"
    }
    return (
        kept
        | who
        | {
            "PATH": f"{directory / 'bin'}:{PROGRAMS}:{os.environ['PATH']}",
            "KUBECONFIG": str(directory / "world" / "kubeconfig"),
            "PROVIDER_DAEMON_HOST": str(directory / "world" / "host.yaml"),
            "NO_PROXY": "localhost,127.0.0.1",
            "no_proxy": "localhost,127.0.0.1",
        }
    )


def _refuse_gaps(environment: dict[str, str]) -> None:
    missing = [name for name in NEEDED if shutil.which(name, path=environment["PATH"]) is None]
    assert not missing, (
        f"the sheet needs {', '.join(missing)} on the PATH; install them (apt-get install curl jq)"
    )
    for port in (API, METRICS):
        with socket.socket() as held:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                held.bind(("127.0.0.1", port))
            except OSError:
                raise AssertionError(
                    f"port {port} is taken; the sheet's lines need it, end what holds it"
                ) from None


def _write_programs(directory: Path, home: Home) -> None:
    facts = {
        "place": directory,
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
        path.write_text(text if name == "sudo" else text.format(**facts))
        path.chmod(0o755)


def _live(desk: Desk) -> None:
    """The story up to two running workloads; then one more order, and money."""
    stage = desk.stage
    play(stage, [step for step in STEPS if step.name in PLAYED], lambda: time.sleep(0.1), lambda _: None)
    stage.post("second")
    desk.wait_until(lambda: _has_open_bid(stage), "our bid on `second`")
    desk.wait_until(lambda: story_money.settled(stage), "usage that is settled")
    desk.wait_until(lambda: _was_withdrawn_from(stage), "a withdrawal from `web`")


def _has_open_bid(stage: Stage) -> bool:
    bid = stage.chain.bid(stage.order("second"), stage.provider)
    return bid is not None and bid.price == story_market.OLD_PRICE


def _was_withdrawn_from(stage: Stage) -> bool:
    lease = stage.chain.lease(stage.order("web"), stage.provider)
    return bool(lease and lease.withdrawn and story_workloads.both_running(stage))
