"""Starts runs of Ansible, each alone in a directory of its own, and brings back what the hosts answered."""

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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from reconciler.adapters.ansible.credentials import HostCredentials
from reconciler.adapters.ansible.inventory import inventory_of
from reconciler.adapters.ansible.process_tree import end_below
from reconciler.values.hosts import AnsibleGroup, AnsibleSettings
from reconciler.values.text import one_line, printable, visible

PLAYS = Path(__file__).parent / "plays"
STEP_MAX = 100
LAST_BYTES = 4_000
KEPT = 20
"""Last words of runs that went wrong."""
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
"""All that a run sees of our environment: what tells an engine on this machine where its things are."""


class RunError(Exception):
    """A run that brought no outcome: it took too long, was ended, or could not begin."""


@dataclass(frozen=True, slots=True)
class Play:
    """What to run on which hosts of a group: their orders by name; `checking` changes nothing."""

    name: str
    group: AnsibleGroup
    orders: Mapping[str, Mapping[str, Any]]
    seconds: float
    checking: bool = False


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """What came of a run on one host: `state` is ok, failed or unreachable; `answer` as the host gave it."""

    state: str
    words: str = ""
    step: str = ""
    changed: bool = False
    diff: list[Mapping[str, str]] = field(default_factory=list)
    answer: bytes = b""


class Player(Protocol):
    """What plays a play."""

    def run(self, play: Play) -> Mapping[str, HostAnswer]:
        """By host; RunError where there is no outcome at all."""

    def close(self) -> None:
        """End all that runs."""


class Runs:
    """Thread-safe. `scratch` holds the directories of runs while they last, and a few last words."""

    def __init__(self, settings: AnsibleSettings, access: HostCredentials, scratch: Path) -> None:
        self._settings = settings
        self._access = access
        self._scratch = scratch
        self._directories = scratch / str(os.getpid())
        self._lock = threading.Lock()
        self._under_way: set[subprocess.Popen[bytes]] = set()
        self._closed = False
        scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in scratch.glob("[0-9]*"):  # of a daemon that was killed
            if not Path(f"/proc/{left.name}").exists():
                shutil.rmtree(left, ignore_errors=True)
        self._directories.mkdir(mode=0o700, exist_ok=True)

    def run(self, play: Play) -> Mapping[str, HostAnswer]:
        """By host; RunError where there is no outcome at all."""
        for complaint in self._access.complaints():
            raise RunError(complaint)
        directory = Path(tempfile.mkdtemp(dir=self._directories, prefix=f"{play.name}-"))
        try:
            self._furnish(directory, play)
            self._wait(directory, play)
            return _outcome(directory, play)
        except RunError as why:
            if not self._closed:
                self._keep_words(play, directory, str(why))
            raise
        except OSError as why:
            raise RunError(f"{directory}: {why.strerror}") from why
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def close(self) -> None:
        """End all that runs, with everything it started."""
        with self._lock:
            self._closed = True
            under_way = list(self._under_way)
        for each in under_way:
            _end(each)
        with contextlib.suppress(OSError):
            self._directories.rmdir()

    def _furnish(self, directory: Path, play: Play) -> None:
        for name in ("orders", "answers"):
            (directory / name).mkdir(mode=0o700)
        added: dict[str, Any] = {"vault": str(self._access.vault)} if self._access.vault else {}
        added |= {"storage_paths": self._access.storage_paths} if self._access.storage_paths else {}
        for host, order in play.orders.items():
            (directory / "orders" / f"{host}.json").write_text(json.dumps({**order, **added}))
        inventory = inventory_of(play.group, self._access, play.orders)
        (directory / "hosts.json").write_text(json.dumps(inventory))
        words = ["--check", "--diff"] if play.checking else []
        if self._access.vault_password_file:
            words += ["--vault-password-file", f"'{self._access.vault_password_file}'"]
        asked = {
            "playbook": str(PLAYS / f"{play.name}.yml"),
            "words": " ".join(words),
            "forks": self._settings.forks,
        }
        (directory / "run.json").write_text(json.dumps(asked))

    def _wait(self, directory: Path, play: Play) -> None:
        with self._lock:
            if self._closed:
                raise RunError("the daemon is stopping")
            program = subprocess.Popen(
                [sys.executable, "-m", "reconciler.adapters.ansible.worker", str(directory)],
                env=self._environment(directory),
                cwd=directory,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=(directory / "stderr").open("wb"),
                start_new_session=True,
            )
            self._under_way.add(program)
        try:
            program.wait(play.seconds)
        except subprocess.TimeoutExpired:
            raise RunError(f"the play {play.name} did not end within {play.seconds:.0f} s") from None
        finally:
            _end(program)
            with self._lock:
                self._under_way.discard(program)
        if self._closed:
            raise RunError("the daemon is stopping")

    def _environment(self, directory: Path) -> dict[str, str]:
        """Swept clean: no file of the user's own is read, and nothing of ours is told."""
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        beside = str(Path(sys.executable).parent)
        return passed | {
            "PATH": f"{beside}{os.pathsep}{passed.get('PATH', os.defpath)}",
            "PYTHONPATH": str(PLAYS.parents[3]),
            "HOME": str(Path.home()),
            "LC_ALL": "C.UTF-8",
            "PROVIDER_RUN": str(directory),
            "ANSIBLE_CONFIG": str(PLAYS / "ansible.cfg"),
            "ANSIBLE_HOST_KEY_CHECKING": "True",  # ansible-runner would switch it off
            "ANSIBLE_HOME": str(directory / "home"),
            "ANSIBLE_LOCAL_TEMP": str(directory / "tmp"),
            "ANSIBLE_LIBRARY": str(PLAYS / "library"),
            "ANSIBLE_MODULE_UTILS": str(PLAYS / "module_utils"),
            "ANSIBLE_ACTION_PLUGINS": str(PLAYS / "action_plugins"),
            "ANSIBLE_ROLES_PATH": str(PLAYS / "roles"),
            "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(self._collections()),
            "ANSIBLE_TIMEOUT": str(self._settings.patience.connect),
        }

    @staticmethod
    def _collections() -> tuple[str, ...]:
        """Where the owner of this machine may have installed containers.podman."""
        return (str(Path.home() / ".ansible" / "collections"), "/usr/share/ansible/collections")

    def _keep_words(self, play: Play, directory: Path, why: str) -> None:
        """The last words of a run that went wrong, without any order; the oldest go."""
        kept = self._scratch / "words"
        try:
            kept.mkdir(mode=0o700, exist_ok=True)
            said = (directory / "stderr").read_bytes()[-4_000:] if (directory / "stderr").exists() else b""
            name = f"{time.time_ns()}-{play.name}-{play.group.name}.txt"
            (kept / name).write_bytes(f"{why}\n".encode() + said)
            for old in sorted(kept.iterdir())[:-KEPT]:
                old.unlink()
        except OSError:
            return


def _end(program: subprocess.Popen[bytes]) -> None:
    """Close its input, upon which it ends all it has started; then make sure."""
    if program.stdin:
        program.stdin.close()
    try:
        program.wait(GRACE_SECONDS if program.poll() is None else 0)
    except subprocess.TimeoutExpired:
        end_below(program.pid)
        program.kill()
        program.wait()


def _outcome(directory: Path, play: Play) -> Mapping[str, HostAnswer]:
    try:
        outcome = json.loads((directory / "outcome.json").read_bytes())
    except FileNotFoundError:
        raise RunError(
            f"the run broke off: {_last_line(directory / 'stderr') or 'it said nothing'}"
        ) from None
    if ("--check" in outcome["command"]) != play.checking:
        raise RunError("the run was not of the kind asked for (--check); nothing it says is believed")
    answers = {host: _answer(directory, host, told) for host, told in outcome["hosts"].items()}
    if not answers:
        raise RunError(f"no host was reached: {one_line(outcome['tail'].strip()[-500:])}")
    return answers


def _answer(directory: Path, host: str, told: Mapping[str, Any]) -> HostAnswer:
    path = directory / "answers" / f"{host}.json"
    answer = path.read_bytes() if told["state"] == "ok" and path.exists() else b""
    words, step = visible(told["words"]), printable(told["step"], STEP_MAX)
    return HostAnswer(told["state"], words, step, told["changed"], told["diff"], answer)


def _last_line(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - LAST_BYTES, 0))
        lines = file.read().decode(errors="replace").strip().splitlines()
    return one_line(lines[-1]) if lines else ""
