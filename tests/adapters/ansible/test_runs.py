"""Real runs of Ansible, each alone; the engine on the host is played."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.ansible.answers import LookAnswer, WorkAnswer
from reconciler.adapters.ansible.credentials import HostCredentials
from reconciler.adapters.ansible.host_spec import Order, applying, asking, work_order
from reconciler.adapters.ansible.runs import Play, RunError, Runs, _outcome
from reconciler.values.desired import Env
from reconciler.values.hosts import AnsibleGroup, AnsibleHost, AnsibleSettings, ContainerEngine
from tests.adapters.ansible.makers import hosts, order
from tests.adapters.ansible.standin import install, stage_of
from tests.contracts.adapter_worlds import eventually, service, workload

LONG_SECONDS = 5_000_000 + os.getpid()
"""Tells the sleepers of this process from those of others."""

ODD = {
    "TEMPLATE": "{{ 7 * 7 }}{{ lookup('pipe', 'touch PWNED') }}",
    "BLOCK": "{% for x in range(9) %}x{% endfor %}",
    "SHELL": "$(touch PWNED) `touch PWNED` ; touch PWNED | cat && \\",
    "QUOTES": "'\"'\"' \\\" --privileged",
    "LINES": "one\ntwo\r\n\ttab",
    "ansible_host": "203.0.113.9",
    "ansible_connection": "ssh",
    "ansible_become_password": "x",
    "UNSAFE": "!unsafe __ansible_unsafe {'__ansible_vault': 'x'}",
    "LONG": "{{x}}" * 13_108,
}


class Stand:
    """Runs on a host that is this machine, with an engine that is played."""

    def __init__(self, directory: Path) -> None:
        self.scratch = directory / "scratch"
        self.kept = install(directory / "bin")
        self.settings: AnsibleSettings = hosts(storage=str(directory / "records"))
        self.runs = Runs(self.settings, HostCredentials(), self.scratch)

    def play(self, name: str, asked: Order, *, checking: bool = False, seconds: float = 60) -> Any:
        play = Play(name, self.settings.groups[0], {"one": asked}, seconds, checking)
        return self.runs.run(play)["one"]

    def work(self, *orders: Order) -> Any:
        return self.play(
            "work", work_order([applying(o) for o in orders], ContainerEngine.PODMAN, self.settings)
        )

    def look(self) -> Any:
        return self.play("look", asking("tend", ContainerEngine.PODMAN, self.settings, 50), checking=True)


@pytest.fixture
def stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stand:
    made = Stand(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SECRET_OF_THE_DAEMON", "do-not-tell")
    monkeypatch.chdir(tmp_path)
    return made


def test_what_tenants_write_reaches_the_engine_as_it_is_and_nothing_else(stand: Stand) -> None:
    envs = tuple(Env(name, value) for name, value in ODD.items())
    args = ("{{ 1 + 1 }}", "$(id)", "--flag", "a b\n'", "")
    wanted = workload(1, service(env=envs, command=("[", "{% raw %}"), args=args))

    answer = stand.work(order(wanted))

    assert answer.state == "ok", answer
    [created] = [words for words in stage_of(stand.kept).commands if words[0] == "create"]
    for name, value in ODD.items():
        assert f"--env={name}={value}" in created
    image = created.index("registry.example/web:1")
    assert created[image + 1 :] == list(args)
    assert created[image - 1] == '--entrypoint=["[", "{% raw %}"]'
    assert not list(stand.scratch.parent.rglob("PWNED"))
    assert not Path("PWNED").exists()


def test_looking_changes_nothing_and_tells_drift_with_its_difference(stand: Stand) -> None:
    wanted = workload(1)
    stand.work(order(wanted))
    stage = stage_of(stand.kept)
    name = f"web-{wanted.id}-0"
    subprocess.run(["podman", "kill", name], check=True, capture_output=True)
    before = len(stage_of(stand.kept).commands)

    answer = stand.look()

    assert answer.changed
    [told] = answer.diff
    assert told["before"] == f"{name} does not run\n"
    seen = json.loads(answer.answer)
    assert seen["checking"] is True
    assert LookAnswer(seen["workloads"]).workloads.keys() == {wanted.id}
    verbs = {words[0] for words in stage_of(stand.kept).commands[before:]}
    assert verbs <= {"ps", "container", "network"}
    assert stage.containers[name]["State"]["Status"] == "running"


def test_an_apply_after_a_look_is_no_rehearsal(stand: Stand) -> None:
    """What ansible-runner writes down of a --check run must not make later ones dry."""
    wanted = workload(1)
    stand.look()

    answer = stand.work(order(wanted))

    assert WorkAnswer(json.loads(answer.answer)["workloads"]).workloads[wanted.id]
    assert stage_of(stand.kept).containers.keys() == {f"web-{wanted.id}-0"}


@pytest.mark.parametrize(("checking", "words"), [(False, ["--check"]), (True, [])])
def test_a_run_of_the_wrong_kind_is_not_believed(tmp_path: Path, checking: bool, words: list[str]) -> None:
    told = {"status": "successful", "rc": 0, "command": ["ansible-playbook", *words], "tail": ""}
    told["hosts"] = {"one": {"state": "ok", "words": "", "step": "", "changed": False, "diff": []}}
    (tmp_path / "outcome.json").write_text(json.dumps(told))
    play = Play("work", hosts().groups[0], {"one": {}}, 1, checking=checking)
    with pytest.raises(RunError, match="nothing it says is believed"):
        _outcome(tmp_path, play)
    assert _outcome(tmp_path, replace(play, checking=not checking))["one"].state == "ok"


def test_nothing_of_a_run_is_left_and_nothing_of_ours_is_told_to_it(stand: Stand) -> None:
    seen: list[str] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            for path in stand.scratch.rglob("*"):
                try:
                    text = path.read_text(errors="replace") if path.is_file() else ""
                except OSError:
                    continue
                seen.append(f"{path}: {text}")

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        stand.work(order(workload(1)))
    finally:
        ended.set()
        watcher.join()
    assert any("artifacts" in each for each in seen), "it was looked at while it ran"
    assert not [each for each in seen if "do-not-tell" in each]
    assert [path for path in stand.scratch.rglob("*") if path.is_file()] == []
    assert not list(stand.scratch.glob("*/*"))


def test_a_host_whose_key_is_not_known_is_never_talked_to(stand: Stand, tmp_path: Path) -> None:
    """ansible-runner switches the check off where nobody says otherwise."""
    told = tmp_path / "ssh-words"
    ssh = tmp_path / "bin" / "ssh"
    ssh.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {told}\necho "No route to host" >&2\nexit 255\n')
    ssh.chmod(0o755)
    group = AnsibleGroup("rack", (AnsibleHost("one", "192.0.2.1"),))
    play = Play(
        "look", group, {"one": asking("tend", ContainerEngine.PODMAN, stand.settings, 5)}, 30, checking=True
    )

    [answer] = stand.runs.run(play).values()

    assert (answer.state, "No route to host" in answer.words) == ("unreachable", True)
    words = told.read_text().splitlines()
    assert "StrictHostKeyChecking=yes" in words
    assert not [word for word in words if "HostKeyChecking=no" in word or "ControlPersist" in word]
    assert words[words.index("-F") + 1] == "none"


def hang(stand: Stand) -> None:
    """Let the engine never answer, with a child that detaches itself."""
    text = f"#!/bin/sh\nsetsid sleep {LONG_SECONDS} &\nexec sleep {LONG_SECONDS}\n"
    (stand.kept.parent / "podman").write_text(text)


def sleepers() -> list[str]:
    listed = subprocess.run(["ps", "-eo", "stat=,args="], capture_output=True, text=True).stdout
    mine = f"sleep {LONG_SECONDS}"
    return [line for line in listed.splitlines() if mine in line and not line.startswith("Z")]


def test_a_run_that_hangs_ends_with_all_that_it_started(stand: Stand) -> None:
    hang(stand)

    with pytest.raises(RunError, match=r"the play look did not end within 6 s"):
        stand.play(
            "look", asking("tend", ContainerEngine.PODMAN, stand.settings, 50), checking=True, seconds=6
        )

    eventually(lambda: not sleepers(), f"no sleeper, but {sleepers()}")
    assert not list(stand.scratch.glob("[0-9]*/*"))
    [words] = (stand.scratch / "words").iterdir()
    assert "did not end within 6 s" in words.read_text()


def test_closing_ends_what_runs(stand: Stand) -> None:
    hang(stand)
    told: list[str] = []

    def play() -> None:
        try:
            stand.look()
        except RunError as why:
            told.append(str(why))

    thread = threading.Thread(target=play)
    thread.start()
    eventually(lambda: len(sleepers()) == 2, "a run that hangs")

    stand.runs.close()

    thread.join(10)
    assert told == ["the daemon is stopping"]
    assert not sleepers()


DAEMON = """
import sys
from pathlib import Path
from reconciler.adapters.ansible.credentials import Access
from reconciler.adapters.ansible.host_spec import asking
from reconciler.adapters.ansible.runs import Play, Runs
from tests.adapters.ansible.makers import hosts
settings = hosts(storage=sys.argv[1])
play = Play("look", settings.groups[0], {"one": asking("tend", "podman", settings, 50)}, 60, checking=True)
Runs(settings, Access(), Path(sys.argv[1])).run(play)
"""


def test_a_daemon_that_is_killed_leaves_nothing_running_and_the_next_one_clears_up(
    stand: Stand, tmp_path: Path
) -> None:
    hang(stand)
    scratch = tmp_path / "killed"
    root = str(Path(__file__).parents[3])
    daemon = subprocess.Popen([sys.executable, "-c", DAEMON, str(scratch)], cwd=root)
    try:
        eventually(lambda: len(sleepers()) == 2, "a run that hangs")
    finally:
        daemon.kill()
        daemon.wait()
    eventually(lambda: not sleepers(), "nothing left", 10)
    assert list(scratch.glob("[0-9]*/*")), "its directory is still there"
    Runs(stand.settings, HostCredentials(), scratch)
    assert not list(scratch.glob("[0-9]*/*"))


def test_secrets_come_from_the_vault_and_are_left_nowhere(stand: Stand, tmp_path: Path) -> None:
    password, vault = tmp_path / "password", tmp_path / "vault"
    password.write_text("of the vault\n")
    vault.write_text("db: {password: 'hunter2 {{ 7*7 }} $(id)'}\nother: {key: not-asked-for}\n")
    beside = Path(sys.executable).with_name("ansible-vault")
    words = [str(beside), "encrypt", "--vault-password-file", str(password), str(vault)]
    subprocess.run(words, check=True, capture_output=True)
    for path in (password, vault):
        path.chmod(0o600)
    stand.runs = Runs(
        stand.settings, HostCredentials(vault=vault, vault_password_file=password), stand.scratch
    )
    wanted = workload(1, service(env=(Env("P", secret="db/password"), Env("Q", "plain"))))

    answer = stand.work(order(wanted))

    assert answer.state == "ok", answer
    stage = stage_of(stand.kept)
    [container] = stage.containers.values()
    assert "P=hunter2 {{ 7*7 }} $(id)" in container["Config"]["Env"]
    assert "hunter2" not in json.dumps(stage.commands), "in no command line"
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path != stand.kept]
    assert not [path for path in left if b"hunter2" in path.read_bytes()]
    lacking = workload(2, service(env=(Env("P", secret="db/nothing"),)))
    told = json.loads(stand.work(order(lacking)).answer)["workloads"][lacking.id]
    assert told["failure"]["step"] == "secret"
    assert "the vault has no db/nothing" in told["failure"]["error"]


def test_a_vault_that_cannot_be_opened_is_told(stand: Stand, tmp_path: Path) -> None:
    password, vault = tmp_path / "password", tmp_path / "vault"
    password.write_text("wrong\n")
    vault.write_text("$ANSIBLE_VAULT;1.1;AES256\n6162\n")
    for path in (password, vault):
        path.chmod(0o600)
    stand.runs = Runs(
        stand.settings, HostCredentials(vault=vault, vault_password_file=password), stand.scratch
    )
    answer = stand.work(order(workload(1, service(env=(Env("P", secret="db/password"),)))))
    assert answer.state == "failed"
    assert f"the vault {vault} cannot be opened" in answer.words


def test_an_engine_that_is_not_there_is_told(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    answer = stand.look()
    assert (answer.state, answer.step, answer.words) == ("failed", "engine", "podman is not installed")


def test_a_secret_file_that_others_may_read_stops_every_run(tmp_path: Path) -> None:
    key = tmp_path / "id"
    key.write_text("x")
    key.chmod(0o644)
    settings = hosts(storage=str(tmp_path))
    runs = Runs(settings, HostCredentials(private_key=key), tmp_path / "scratch")
    with pytest.raises(RunError, match=r"run chmod 600"):
        runs.run(Play("look", settings.groups[0], {"one": {}}, 10, checking=True))
