"""Why a workload or a host is not ready, in words that stay the same while the cause does; pure."""

from __future__ import annotations

import re

from reconciler.adapters.ansible.responses import ERROR_MAX, ReportedWorkload, StepFailure
from reconciler.values.observed import Trouble
from reconciler.values.text import one_line

RESTARTS_MAX = 2
SHOWN_MAX = 300
_ID = re.compile(r"[0-9a-f]{64}")
_DISK_FULL = ("no space left", "disk quota exceeded")
_PORT_IN_USE = ("address already in use", "port is already allocated", "ports are not available")
_KEY_UNKNOWN = ("HostKeyUnknown", "check its key and add it to known_hosts (ssh-keyscan)")
_HOST_ERRORS = {
    "REMOTE HOST IDENTIFICATION HAS CHANGED": (
        "HostKeyChanged",
        "find out why, then correct its line in known_hosts",
    ),
    "Host key verification failed": _KEY_UNKNOWN,
    "No ED25519 host key is known": _KEY_UNKNOWN,
    "Permission denied": (
        "KeyRefused",
        "add the public key of the host file's private_key to authorized_keys of this user",
    ),
    "Load key": ("KeyRefused", "name a private key without a passphrase in the host file"),
    "sudo": ("SudoRefused", "allow the group's user sudo without a password, or set sudo: false"),
    "interpreter": ("NoPython", "install python3 on the host"),
    "No space left": ("DiskFull", "free disk space on the host"),
    "did not end within": (
        "PlayTimedOut",
        "find out what hangs on the host; timeouts are in the adapter's file",
    ),
}
"""Reason and advice by a part of Ansible's message; the first match counts."""

_STEPS = {
    "pull": ("ImagePullFailed", "Check registry access and the image's name"),
    "taken": ("NameTaken", "remove or rename that object; it is not ours"),
    "secret": ("SecretMissing", "put it into the vault that the host file names"),
    "gpu": ("NoGpu", "free GPUs on the host, or add hosts"),
    "record": ("RecordUnwritable", "make storage.path of the adapter's file writable for us"),
    "storage": ("StorageDenied", "remove the link, or allow its target: storage_paths in the host file"),
    "create": ("CreateContainerError", "correct what the workload's file requires of the engine"),
}
"""Reason and advice by the step that failed."""


def workload_trouble(observed: ReportedWorkload) -> Trouble | None:
    """Of a workload on a reachable host; None if it is ready, paused or still starting."""
    if observed.failure is not None and observed.differences:
        return failure_trouble(observed.failure)
    for each in observed.containers:
        has_exited = each.status in ("exited", "stopped", "dead") and not observed.paused
        if has_exited and observed.restarts >= RESTARTS_MAX:
            why = "OOMKilled" if each.oom_killed else "Error" if each.exit_code else "Completed"
            message = f"service {each.service} exits with {each.exit_code} ({why}) repeatedly"
            advice = "Read its logs, check its command and environment"
            if each.oom_killed:
                advice = "It needs more memory than its lease grants; its tenant must ask for more"
            return Trouble("CrashLoop", message, advice)
        if each.health == "unhealthy":
            return Trouble("Unhealthy", f"service {each.service} fails its health check", "Read its logs")
    return None


def failure_trouble(failure: StepFailure) -> Trouble:
    """Of a step that failed on the host."""
    error = _last_line(failure.error)
    service = f"service {failure.service}: " if failure.service else ""
    low = failure.error.lower()
    if any(words in low for words in _DISK_FULL):
        return Trouble("DiskFull", f"{service}{error}", "free disk space on the host, or add hosts")
    if any(words in low for words in _PORT_IN_USE):
        return Trouble("PortInUse", f"{service}{error}", "expose another port, or free it on the host")
    if failure.step not in _STEPS:
        message = f"{service}{failure.step}: {error}"
        return Trouble("EngineFailed", message, "read the engine's messages on the host")
    reason, advice = _STEPS[failure.step]
    if failure.step == "pull":
        message = f"the image {failure.image} of service {failure.service} cannot be pulled ({error})"
        return Trouble(reason, message, advice)
    return Trouble(reason, f"{service}{error}", advice)


def host_trouble(host: str, message: str, step: str = "") -> Trouble:
    """Of a host on which a run failed."""
    shown = f"host {host}: {_last_line(message)}"
    if step == "engine":
        return Trouble("NoEngine", shown, "install it, or configure the other engine")
    if step:
        return failure_trouble(StepFailure(step, shown))
    for part, (reason, advice) in _HOST_ERRORS.items():
        if part.lower() in message.lower():
            return Trouble(reason, shown, advice)
    shown = shown if _last_line(message) else f"host {host}: no answer"
    return Trouble("HostUnreachable", shown, "see that it runs and can be reached by SSH")


def sentence(trouble: Trouble) -> str:
    """All of it in one line."""
    return f"{trouble.reason}: {trouble.message}; {trouble.advice}"


def _last_line(message: str) -> str:
    """The last line with words, without ids that change with each attempt."""
    lines = [line.strip() for line in message[-ERROR_MAX:].splitlines() if line.strip(" @!\t")]
    last = lines[-1].removeprefix("Error: ") if lines else ""
    return one_line(_ID.sub("...", last), SHOWN_MAX)
