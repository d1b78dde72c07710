"""Why a workload or a host is not ready."""

from __future__ import annotations

import pytest

from reconciler.adapters.ansible.responses import ObservedContainer, StepFailure
from reconciler.adapters.ansible.troubles import failure_trouble, host_trouble, workload_trouble
from tests.adapters.ansible.makers import observed_workload

CHANGED = """Failed to connect to the host via ssh: @@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Host key for [127.0.0.1]:2222 has changed and you have requested strict check_mode.
Host key verification failed."""


@pytest.mark.parametrize(
    ("message", "step", "reason"),
    [
        (CHANGED, "", "HostKeyChanged"),
        (
            "ssh: No ED25519 host key is known for x and you have requested strict check_mode.",
            "",
            "HostKeyUnknown",
        ),
        ("Failed to connect: u@192.0.2.1: Permission denied (publickey,password).", "", "KeyRefused"),
        ("ssh: connect to host 192.0.2.1 port 22: Connection refused", "", "HostUnreachable"),
        ("ssh: connect to host 192.0.2.1 port 22: Connection timed out", "", "HostUnreachable"),
        ("Missing sudo password", "", "SudoRefused"),
        ("The module interpreter '/usr/bin/python3' was not found.", "", "NoPython"),
        ("podman is not installed", "engine", "NoEngine"),
        ("the play observe did not end within 60 s", "", "PlayTimedOut"),
        ("[Errno 28] No space left on device", "", "DiskFull"),
        ("/var/lib/x: No space left on device", "record", "DiskFull"),
        ("/var/lib/x: Permission denied", "record", "RecordUnwritable"),
        ("", "", "HostUnreachable"),
    ],
)
def test_a_failed_run_has_a_reason_and_advice(message: str, step: str, reason: str) -> None:
    trouble = host_trouble("one", message, step)
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
def test_a_failed_step_has_a_reason_and_advice(step: str, error: str, reason: str) -> None:
    trouble = failure_trouble(StepFailure(step, error, "web", "image:1"))
    assert trouble.reason == reason
    assert trouble.advice
    assert "Error: " not in trouble.message


def test_repeated_exits_are_a_crash_loop_and_a_single_exit_is_not() -> None:
    exited = [ObservedContainer("w", "web", status="exited", exit_code=3)]
    assert workload_trouble(observed_workload(containers=exited, differences=["w"])) is None
    found = workload_trouble(observed_workload(containers=exited, differences=["w"], restarts=2))
    assert found is not None
    assert (found.reason, "service web exits with 3" in found.message) == ("CrashLoop", True)


def test_an_oom_kill_is_reported() -> None:
    killed = [ObservedContainer("w", "web", status="exited", exit_code=137, oom_killed=True)]
    found = workload_trouble(observed_workload(containers=killed, restarts=2))
    assert found is not None
    assert "OOMKilled" in found.message
    assert "more memory" in found.advice


def test_a_paused_workload_has_no_trouble() -> None:
    down = [ObservedContainer("w", "web", status="exited", exit_code=1)]
    assert workload_trouble(observed_workload(containers=down, paused=True, restarts=5)) is None


def test_ids_that_change_with_each_attempt_are_omitted() -> None:
    messages = {
        failure_trouble(StepFailure("start", f'unable to start container "{digit * 64}": no', "web")).message
        for digit in "ab"
    }
    assert messages == {'service web: start: unable to start container "...": no'}
