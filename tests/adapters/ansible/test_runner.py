"""Real Ansible runs on this machine, with a stub for podman."""

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

from reconciler.adapters.ansible.credentials import HostCredentials
from reconciler.adapters.ansible.host_spec import HostSpec, apply_request, apply_task, host_request
from reconciler.adapters.ansible.responses import AppliedWorkloads, ObservedHost
from reconciler.adapters.ansible.runner import AnsibleRunner, Play, RunError, _results
from reconciler.values.desired import Env
from reconciler.values.hosts import AnsibleGroup, AnsibleHost, AnsibleSettings, ContainerEngine
from tests.adapters.ansible.makers import host_spec, hosts
from tests.adapters.ansible.podman_stub import install, load_host
from tests.contracts.adapter_backends import eventually, service, workload

LONG_SECONDS = 5_000_000 + os.getpid()
"""Identifies the sleeping processes of this test process."""

HOSTILE_ENV = {
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


class Harness:
    """A runner whose only host is this machine, with a stub for podman."""

    def __init__(self, directory: Path) -> None:
        self.scratch = directory / "scratch"
        self.saved = install(directory / "bin")
        self.settings: AnsibleSettings = hosts(storage=str(directory / "records"))
        self.runner = AnsibleRunner(self.settings, HostCredentials(), self.scratch)

    def play(self, name: str, request: HostSpec, *, check_mode: bool = False, seconds: float = 60) -> Any:
        play = Play(name, self.settings.groups[0], {"one": request}, seconds, check_mode)
        return self.runner.run(play)["one"]

    def apply(self, *specs: HostSpec) -> Any:
        return self.play(
            "apply",
            apply_request([apply_task(each) for each in specs], ContainerEngine.PODMAN, self.settings),
        )

    def observe(self) -> Any:
        return self.play(
            "observe", host_request("observe", ContainerEngine.PODMAN, self.settings, 50), check_mode=True
        )


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Harness:
    made = Harness(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SECRET_OF_THE_DAEMON", "do-not-tell")
    monkeypatch.chdir(tmp_path)
    return made


def test_tenant_text_reaches_the_engine_unchanged_and_nothing_else(harness: Harness) -> None:
    envs = tuple(Env(name, value) for name, value in HOSTILE_ENV.items())
    args = ("{{ 1 + 1 }}", "$(id)", "--flag", "a b\n'", "")
    wanted = workload(1, service(env=envs, command=("[", "{% raw %}"), args=args))

    result = harness.apply(host_spec(wanted))

    assert result.state == "ok", result
    [created] = [words for words in load_host(harness.saved).commands if words[0] == "create"]
    for name, value in HOSTILE_ENV.items():
        assert f"--env={name}={value}" in created
    image = created.index("registry.example/web:1")
    assert created[image + 1 :] == list(args)
    assert created[image - 1] == '--entrypoint=["[", "{% raw %}"]'
    assert not list(harness.scratch.parent.rglob("PWNED"))
    assert not Path("PWNED").exists()


def test_an_observation_changes_nothing_and_reports_drift(harness: Harness) -> None:
    wanted = workload(1)
    harness.apply(host_spec(wanted))
    host = load_host(harness.saved)
    name = f"web-{wanted.id}-0"
    subprocess.run(["podman", "kill", name], check=True, capture_output=True)
    before = len(load_host(harness.saved).commands)

    result = harness.observe()

    assert json.loads(result.response)["check_mode"] is True
    assert result.decode(ObservedHost).workloads[wanted.id].differences == [f"{name} does not run"]
    verbs = {words[0] for words in load_host(harness.saved).commands[before:]}
    assert verbs <= {"ps", "container", "network"}
    assert host.containers[name]["State"]["Status"] == "running"


def test_an_apply_after_an_observation_does_not_run_in_check_mode(harness: Harness) -> None:
    """Files that ansible-runner writes for a --check run must not affect later runs."""
    wanted = workload(1)
    harness.observe()

    result = harness.apply(host_spec(wanted))

    assert result.decode(AppliedWorkloads).workloads[wanted.id]
    assert load_host(harness.saved).containers.keys() == {f"web-{wanted.id}-0"}


@pytest.mark.parametrize(("check_mode", "words"), [(False, ["--check"]), (True, [])])
def test_results_of_a_run_in_the_wrong_check_mode_are_discarded(
    tmp_path: Path, check_mode: bool, words: list[str]
) -> None:
    outcome: dict[str, Any] = {"command": ["ansible-playbook", *words], "output": ""}
    outcome["hosts"] = {"one": {"state": "ok", "message": "", "step": ""}}
    (tmp_path / "outcome.json").write_text(json.dumps(outcome))
    play = Play("apply", hosts().groups[0], {"one": {}}, 1, check_mode=check_mode)
    with pytest.raises(RunError, match="its results are discarded"):
        _results(tmp_path, play)
    assert _results(tmp_path, replace(play, check_mode=not check_mode))["one"].state == "ok"


def test_a_run_leaves_no_files_and_has_no_variables_of_the_daemon(harness: Harness) -> None:
    seen: list[str] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            for path in harness.scratch.rglob("*"):
                try:
                    text = path.read_text(errors="replace") if path.is_file() else ""
                except OSError:
                    continue
                seen.append(f"{path}: {text}")

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        harness.apply(host_spec(workload(1)))
    finally:
        ended.set()
        watcher.join()
    assert any("artifacts" in each for each in seen), "the directory was read while it ran"
    assert not [each for each in seen if "do-not-tell" in each]
    assert [path for path in harness.scratch.rglob("*") if path.is_file()] == []
    assert not list(harness.scratch.glob("*/*"))


def test_ssh_checks_host_keys(harness: Harness, tmp_path: Path) -> None:
    """ansible-runner switches the check off by default."""
    told = tmp_path / "ssh-words"
    ssh = tmp_path / "bin" / "ssh"
    ssh.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {told}\necho "No route to host" >&2\nexit 255\n')
    ssh.chmod(0o755)
    group = AnsibleGroup("rack", (AnsibleHost("one", "192.0.2.1"),))
    play = Play(
        "observe",
        group,
        {"one": host_request("observe", ContainerEngine.PODMAN, harness.settings, 5)},
        30,
        check_mode=True,
    )

    [result] = harness.runner.run(play).values()

    assert (result.state, "No route to host" in result.message) == ("unreachable", True)
    words = told.read_text().splitlines()
    assert "StrictHostKeyChecking=yes" in words
    assert not [word for word in words if "HostKeyChecking=no" in word or "ControlPersist" in word]
    assert words[words.index("-F") + 1] == "none"


def hang(harness: Harness) -> None:
    """Make the engine hang, with a child that detaches itself."""
    text = f"#!/bin/sh\nsetsid sleep {LONG_SECONDS} &\nexec sleep {LONG_SECONDS}\n"
    (harness.saved.parent / "podman").write_text(text)


def sleepers() -> list[str]:
    listed = subprocess.run(["ps", "-eo", "stat=,args="], capture_output=True, text=True).stdout
    mine = f"sleep {LONG_SECONDS}"
    return [line for line in listed.splitlines() if mine in line and not line.startswith("Z")]


def test_a_run_that_times_out_is_killed_with_all_its_processes(harness: Harness) -> None:
    hang(harness)

    with pytest.raises(RunError, match=r"the play observe did not end within 6 s"):
        harness.play(
            "observe",
            host_request("observe", ContainerEngine.PODMAN, harness.settings, 50),
            check_mode=True,
            seconds=6,
        )

    eventually(lambda: not sleepers(), f"no sleeper, but {sleepers()}")
    assert not list(harness.scratch.glob("[0-9]*/*"))
    [failure] = (harness.scratch / "failures").iterdir()
    assert "did not end within 6 s" in failure.read_text()


def test_closing_ends_runs_in_flight(harness: Harness) -> None:
    hang(harness)
    errors: list[str] = []

    def play() -> None:
        try:
            harness.observe()
        except RunError as why:
            errors.append(str(why))

    thread = threading.Thread(target=play)
    thread.start()
    eventually(lambda: len(sleepers()) == 2, "a run that hangs")

    harness.runner.close()

    thread.join(10)
    assert errors == ["the daemon is stopping"]
    assert not sleepers()


DAEMON = """
import sys
from pathlib import Path
from reconciler.adapters.ansible.credentials import HostCredentials
from reconciler.adapters.ansible.host_spec import host_request
from reconciler.adapters.ansible.runner import Play, AnsibleRunner
from tests.adapters.ansible.makers import hosts
settings = hosts(storage=sys.argv[1])
requests = {"one": host_request("observe", "podman", settings, 50)}
play = Play("observe", settings.groups[0], requests, 60, check_mode=True)
AnsibleRunner(settings, HostCredentials(), Path(sys.argv[1])).run(play)
"""


def test_runs_of_a_killed_daemon_end_and_the_next_daemon_removes_their_files(
    harness: Harness, tmp_path: Path
) -> None:
    hang(harness)
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
    AnsibleRunner(harness.settings, HostCredentials(), scratch)
    assert not list(scratch.glob("[0-9]*/*"))


def test_secrets_come_from_the_vault_and_leave_no_trace(harness: Harness, tmp_path: Path) -> None:
    password, vault = tmp_path / "password", tmp_path / "vault"
    password.write_text("of the vault\n")
    vault.write_text("db: {password: 'hunter2 {{ 7*7 }} $(id)'}\nother: {key: not-request-for}\n")
    beside = Path(sys.executable).with_name("ansible-vault")
    words = [str(beside), "encrypt", "--vault-password-file", str(password), str(vault)]
    subprocess.run(words, check=True, capture_output=True)
    for path in (password, vault):
        path.chmod(0o600)
    harness.runner = AnsibleRunner(
        harness.settings, HostCredentials(vault=vault, vault_password_file=password), harness.scratch
    )
    wanted = workload(1, service(env=(Env("P", secret="db/password"), Env("Q", "plain"))))

    result = harness.apply(host_spec(wanted))

    assert result.state == "ok", result
    host = load_host(harness.saved)
    [container] = host.containers.values()
    assert "P=hunter2 {{ 7*7 }} $(id)" in container["Config"]["Env"]
    assert "hunter2" not in json.dumps(host.commands), "in no command line"
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path != harness.saved]
    assert not [path for path in left if b"hunter2" in path.read_bytes()]
    lacking = workload(2, service(env=(Env("P", secret="db/nothing"),)))
    observed = harness.apply(host_spec(lacking)).decode(AppliedWorkloads).workloads[lacking.id]
    assert observed.failure.step == "secret"
    assert "the vault has no db/nothing" in observed.failure.error


def test_an_unreadable_vault_fails_the_run(harness: Harness, tmp_path: Path) -> None:
    password, vault = tmp_path / "password", tmp_path / "vault"
    password.write_text("wrong\n")
    vault.write_text("$ANSIBLE_VAULT;1.1;AES256\n6162\n")
    for path in (password, vault):
        path.chmod(0o600)
    harness.runner = AnsibleRunner(
        harness.settings, HostCredentials(vault=vault, vault_password_file=password), harness.scratch
    )
    result = harness.apply(host_spec(workload(1, service(env=(Env("P", secret="db/password"),)))))
    assert result.state == "failed"
    assert f"the vault {vault} cannot be opened" in result.message


def test_a_missing_engine_is_reported(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    result = harness.observe()
    assert (result.state, result.step, result.message) == ("failed", "engine", "podman is not installed")


def test_a_secret_file_that_others_may_read_prevents_every_run(tmp_path: Path) -> None:
    key = tmp_path / "id"
    key.write_text("x")
    key.chmod(0o644)
    settings = hosts(storage=str(tmp_path))
    runner = AnsibleRunner(settings, HostCredentials(private_key=key), tmp_path / "scratch")
    with pytest.raises(RunError, match=r"run chmod 600"):
        runner.run(Play("observe", settings.groups[0], {"one": {}}, 10, check_mode=True))
