"""Why a workload or a host is not well."""

from __future__ import annotations

import pytest

from reconciler.adapters.ansible.answers import ContainerAnswer, FailureAnswer
from reconciler.adapters.ansible.troubles import failure_trouble, host_trouble, trouble_of
from tests.adapters.ansible.makers import answer

CHANGED = """Failed to connect to the host via ssh: @@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Host key for [127.0.0.1]:2222 has changed and you have requested strict checking.
Host key verification failed."""


@pytest.mark.parametrize(
    ("words", "step", "reason"),
    [
        (CHANGED, "", "HostKeyChanged"),
        (
            "ssh: No ED25519 host key is known for x and you have requested strict checking.",
            "",
            "HostKeyUnknown",
        ),
        ("Failed to connect: u@192.0.2.1: Permission denied (publickey,password).", "", "KeyRefused"),
        ("ssh: connect to host 192.0.2.1 port 22: Connection refused", "", "HostUnreachable"),
        ("ssh: connect to host 192.0.2.1 port 22: Connection timed out", "", "HostUnreachable"),
        ("Missing sudo password", "", "SudoRefused"),
        ("The module interpreter '/usr/bin/python3' was not found.", "", "NoPython"),
        ("podman is not installed", "engine", "NoEngine"),
        ("the play look did not end within 60 s", "", "PlayTimedOut"),
        ("[Errno 28] No space left on device", "", "DiskFull"),
        ("/var/lib/x: No space left on device", "record", "DiskFull"),
        ("/var/lib/x: Permission denied", "record", "RecordUnwritable"),
        ("", "", "HostUnreachable"),
    ],
)
def test_a_hosts_trouble_has_a_reason_and_advice(words: str, step: str, reason: str) -> None:
    trouble = host_trouble("one", words, step)
    assert trouble.reason == reason
    assert "host one: " in trouble.message
    assert trouble.advice


@pytest.mark.parametrize(
    ("step", "error", "reason"),
    [
        ("pull", "Error: initializing source docker://x: no such host", "ImagePullFailed"),
        ("pull", "Error: writing blob: no space left on device", "DiskFull"),
        (
            "start",
            "cannot listen on the TCP port: listen tcp4 :80: bind: address already in use",
            "PortInUse",
        ),
        ("start", "driver failed: Bind for 0.0.0.0:80 failed: port is already allocated", "PortInUse"),
        ("taken", 'the container name "x" is already in use', "NameTaken"),
        ("secret", "the vault has no db/password", "SecretMissing"),
        ("storage", "/srv/records leads to /etc, out of /srv", "StorageDenied"),
        ("gpu", "0 GPUs are free, 1 are asked for", "NoGpu"),
        ("record", "/var/lib/x: Permission denied", "RecordUnwritable"),
        ("create", "invalid reference format", "CreateContainerError"),
        ("network", "cni plugin failed", "EngineFailed"),
    ],
)
def test_a_step_that_failed_is_told_with_advice(step: str, error: str, reason: str) -> None:
    trouble = failure_trouble(FailureAnswer(step, error, "web", "image:1"))
    assert trouble.reason == reason
    assert trouble.advice
    assert "Error: " not in trouble.message


def test_what_ends_again_and_again_is_a_crash_loop_and_once_is_not() -> None:
    down = answer(containers=[ContainerAnswer("w", "web", status="exited", exit=3)], differences=["w"])
    assert trouble_of(down) is None
    again = answer(containers=down.containers, differences=["w"], restarts=2)
    found = trouble_of(again)
    assert found is not None
    assert (found.reason, "service web exits with 3" in found.message) == ("CrashLoop", True)


def test_memory_that_was_not_enough_is_told() -> None:
    killed = [ContainerAnswer("w", "web", status="exited", exit=137, oom=True)]
    found = trouble_of(answer(containers=killed, restarts=2))
    assert found is not None
    assert "OOMKilled" in found.message
    assert "more memory" in found.advice


def test_a_paused_workload_has_no_trouble() -> None:
    down = [ContainerAnswer("w", "web", status="exited", exit=1)]
    assert trouble_of(answer(containers=down, paused=True, restarts=5)) is None


def test_ids_that_change_with_each_try_are_left_out() -> None:
    told = {
        failure_trouble(FailureAnswer("start", f'unable to start container "{mark * 64}": no', "web")).message
        for mark in "ab"
    }
    assert told == {'service web: start: unable to start container "...": no'}
