"""Starts Ansible runs, each in its own process and directory, and returns the hosts' responses."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from reconciler.adapters.ansible.credentials import HostCredentials
from reconciler.adapters.ansible.inventory import inventory_of
from reconciler.adapters.ansible.process_tree import kill_descendants
from reconciler.documents.typed_json import decode_json
from reconciler.values.hosts import AnsibleGroup, AnsibleSettings
from reconciler.values.text import one_line, printable, visible

PLAYS = Path(__file__).parent / "plays"
PLAYBOOK = PLAYS / "hosts.yml"
SPARE_SECONDS = 10
"""What a run may take beyond the deadline of its request on the host."""
STEP_MAX = 100
TAIL_BYTES = 4_000
FAILURES_KEPT = 20
GRACE_SECONDS = 3.0
PASSED_ON = (
    "PATH",
    "LANG",
    "XDG_RUNTIME_DIR",
    "CONTAINERS_CONF",
    "CONTAINERS_STORAGE_CONF",
    "CONTAINERS_REGISTRIES_CONF",
    "DOCKER_HOST",
)
"""The only variables of our environment that a run sees; an engine on this machine needs them."""
Form = TypeVar("Form")


class RunError(Exception):
    """A run without an outcome (it timed out, was killed, or could not start), or an unreadable response."""


@dataclass(frozen=True, slots=True)
class Play:
    """Requests for hosts of a group, by host name, all of one operation, which names the play; in check mode
    nothing changes.
    """

    name: str
    group: AnsibleGroup
    requests: Mapping[str, Mapping[str, Any]]
    seconds: float
    check_mode: bool = False


@dataclass(frozen=True, slots=True)
class HostResult:
    """The result of a run on one host: `state` is ok, failed or unreachable; `response` is JSON."""

    state: str
    message: str = ""
    step: str = ""
    response: bytes = b""

    def decode(self, form: type[Form]) -> Form:
        """The response; RunError if it is not of this form."""
        try:
            return decode_json(self.response, form)
        except msgspec.MsgspecError as error:
            raise RunError(f"the response is unreadable: {error}") from error


MISSING = HostResult("failed", "the run reported no result for it")


class PlayRunner(Protocol):
    """Runs plays."""

    def run(self, play: Play) -> Mapping[str, HostResult]:
        """By host; RunError if there is no outcome at all."""

    def close(self) -> None:
        """End all runs."""


class AnsibleRunner:
    """Implements `PlayRunner`; thread-safe. `scratch` holds the directories of runs while they last, and the
    error output of the last failures.
    """

    def __init__(self, settings: AnsibleSettings, credentials: HostCredentials, scratch: Path) -> None:
        self._settings = settings
        self._credentials = credentials
        self._scratch = scratch
        self._directories = scratch / str(os.getpid())
        self._lock = threading.Lock()
        self._in_flight: set[subprocess.Popen[bytes]] = set()
        self._closed = False
        scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        for stale in scratch.glob("[0-9]*"):  # of a daemon that was killed
            if not Path(f"/proc/{stale.name}").exists():
                shutil.rmtree(stale, ignore_errors=True)
        self._directories.mkdir(mode=0o700, exist_ok=True)

    def run(self, play: Play) -> Mapping[str, HostResult]:
        """By host; RunError if there is no outcome at all."""
        for error in self._credentials.errors():
            raise RunError(error)
        directory = Path(tempfile.mkdtemp(dir=self._directories, prefix=f"{play.name}-"))
        try:
            self.prepare(directory, play)
            self._wait(directory, play)
            return _results(directory, play)
        except RunError as why:
            if not self._closed:
                self._keep_failure(play, directory, str(why))
            raise
        except OSError as why:
            raise RunError(f"{directory}: {why.strerror}") from why
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def close(self) -> None:
        """End all runs, with all processes that they started."""
        with self._lock:
            self._closed = True
            in_flight = list(self._in_flight)
        for each in in_flight:
            _end(each)
        with contextlib.suppress(OSError):
            self._directories.rmdir()

    def prepare(self, directory: Path, play: Play) -> None:
        """Write the requests, the inventory and the run's options."""
        for name in ("requests", "responses"):
            (directory / name).mkdir(mode=0o700)
        credentials = self._credentials
        added: dict[str, Any] = {"vault": str(credentials.vault)} if credentials.vault else {}
        added |= {"storage_paths": credentials.storage_paths} if credentials.storage_paths else {}
        for host, request in play.requests.items():
            (directory / "requests" / f"{host}.json").write_text(json.dumps({**request, **added}))
        inventory = inventory_of(play.group, credentials, play.requests)
        (directory / "hosts.json").write_text(json.dumps(inventory))
        options = ["--check", "--diff"] if play.check_mode else []
        if credentials.vault_password_file:
            options += ["--vault-password-file", f"'{credentials.vault_password_file}'"]
        run = {"playbook": str(PLAYBOOK), "options": " ".join(options), "forks": self._settings.forks}
        (directory / "run.json").write_text(json.dumps(run))

    def _wait(self, directory: Path, play: Play) -> None:
        with self._lock:
            if self._closed:
                raise RunError("the daemon is stopping")
            process = subprocess.Popen(
                [sys.executable, "-m", "reconciler.adapters.ansible.worker", str(directory)],
                env=self.environment(directory),
                cwd=directory,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=(directory / "stderr").open("wb"),
                start_new_session=True,
            )
            self._in_flight.add(process)
        try:
            process.wait(play.seconds)
        except subprocess.TimeoutExpired:
            raise RunError(f"the play {play.name} did not end within {play.seconds:.0f} s") from None
        finally:
            _end(process)
            with self._lock:
                self._in_flight.discard(process)
        if self._closed:
            raise RunError("the daemon is stopping")

    def environment(self, directory: Path) -> dict[str, str]:
        """An environment without the user's configuration files and without the daemon's variables."""
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        programs = str(Path(sys.executable).parent)
        return passed | {
            "PATH": f"{programs}{os.pathsep}{passed.get('PATH', os.defpath)}",
            "PYTHONPATH": str(PLAYS.parents[3]),
            "HOME": str(Path.home()),
            "LC_ALL": "C.UTF-8",
            "PROVIDER_RUN": str(directory),
            "ANSIBLE_CONFIG": str(PLAYS / "ansible.cfg"),
            "ANSIBLE_HOST_KEY_CHECKING": "True",  # ansible-runner's default is off
            "ANSIBLE_HOME": str(directory / "home"),
            "ANSIBLE_LOCAL_TEMP": str(directory / "tmp"),
            "ANSIBLE_LIBRARY": str(PLAYS / "library"),
            "ANSIBLE_MODULE_UTILS": str(PLAYS / "module_utils"),
            "ANSIBLE_ACTION_PLUGINS": str(PLAYS / "action_plugins"),
            "ANSIBLE_COLLECTIONS_PATH": str(directory / "collections"),
            "ANSIBLE_TIMEOUT": str(self._settings.timeouts.connect),
        }

    def _keep_failure(self, play: Play, directory: Path, why: str) -> None:
        """Keep the error output of a failed run, without any request; delete the oldest."""
        kept = self._scratch / "failures"
        try:
            kept.mkdir(mode=0o700, exist_ok=True)
            stderr = directory / "stderr"
            output = stderr.read_bytes()[-TAIL_BYTES:] if stderr.exists() else b""
            (kept / f"{time.time_ns()}-{play.name}-{play.group.name}.txt").write_bytes(
                f"{why}\n".encode() + output
            )
            for old in sorted(kept.iterdir())[:-FAILURES_KEPT]:
                old.unlink()
        except OSError:
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close its input, upon which it kills its descendants; kill it if it does not."""
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(GRACE_SECONDS if process.poll() is None else 0)
    except subprocess.TimeoutExpired:
        kill_descendants(process.pid)
        process.kill()
        process.wait()


def _results(directory: Path, play: Play) -> Mapping[str, HostResult]:
    try:
        outcome = json.loads((directory / "outcome.json").read_bytes())
    except FileNotFoundError:
        last = _last_line(directory / "stderr")
        raise RunError(f"the run broke off: {last or 'it wrote no error output'}") from None
    if ("--check" in outcome["command"]) != play.check_mode:
        raise RunError("the run did not use the requested check mode; its results are discarded")
    results = {host: _result(directory, host, found) for host, found in outcome["hosts"].items()}
    if not results:
        raise RunError(f"no host was reached: {one_line(outcome['output'].strip()[-500:])}")
    return results


def _result(directory: Path, host: str, found: Mapping[str, str]) -> HostResult:
    path = directory / "responses" / f"{host}.json"
    response = path.read_bytes() if found["state"] == "ok" and path.exists() else b""
    return HostResult(found["state"], visible(found["message"]), printable(found["step"], STEP_MAX), response)


def _last_line(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - TAIL_BYTES, 0))
        lines = file.read().decode(errors="replace").strip().splitlines()
    return one_line(lines[-1]) if lines else ""
