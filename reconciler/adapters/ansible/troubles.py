"""Why a workload or a host is not well, in words that stay the same while the trouble does; pure."""

from __future__ import annotations

import re

from reconciler.adapters.ansible.answers import WORDS_MAX, FailureAnswer, HostWorkloadAnswer
from reconciler.values.observed import Trouble
from reconciler.values.text import one_line

RESTARTS_MAX = 2
SHOWN_MAX = 300
_ID = re.compile(r"[0-9a-f]{64}")

_FULL = ("no space left", "disk quota exceeded")
_TAKEN_PORT = ("address already in use", "port is already allocated", "ports are not available")
_HOSTS = (
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "HostKeyChanged",
        "see why, then correct its line in known_hosts",
    ),
    (
        "Host key verification failed",
        "HostKeyUnknown",
        "check its key and add it to known_hosts (ssh-keyscan)",
    ),
    (
        "No ED25519 host key is known",
        "HostKeyUnknown",
        "check its key and add it to known_hosts (ssh-keyscan)",
    ),
    ("Permission denied", "KeyRefused", "let the host file's private_key in for this user of the host"),
    ("Load key", "KeyRefused", "name a private key without a passphrase in the host file"),
    ("sudo", "SudoRefused", "let the group's user become root without a password, or say sudo: false"),
    ("interpreter", "NoPython", "install python3 on the host"),
    ("No space left", "DiskFull", "make room on the host"),
    (
        "did not end within",
        "PlayTimedOut",
        "see what the host hangs in; timeouts are in adapters/ansible.yaml",
    ),
)


def trouble_of(found: HostWorkloadAnswer) -> Trouble | None:
    """Of a workload on a host that answers; None while all is well or still starting."""
    if found.failure is not None and found.differences:
        return failure_trouble(found.failure)
    for each in found.containers:
        over = each.status in ("exited", "stopped", "dead") and not found.paused
        if over and found.restarts >= RESTARTS_MAX:
            why = "OOMKilled" if each.oom else "Error" if each.exit else "Completed"
            how = f"exits with {each.exit} ({why})"
            advice = "Read its logs, check its command and environment"
            if each.oom:
                advice = "It needs more memory than its lease grants; its tenant must ask for more"
            return Trouble("CrashLoop", f"service {each.service} {how} again and again", advice)
        if each.health == "unhealthy":
            return Trouble(
                "Unhealthy", f"service {each.service} fails its image's own check", "Read its logs"
            )
    return None


def failure_trouble(failure: FailureAnswer) -> Trouble:
    """A step that the engine refused."""
    said, whose = _short(failure.error), f"service {failure.service}: " if failure.service else ""
    low = failure.error.lower()
    if any(words in low for words in _FULL):
        return Trouble("DiskFull", f"{whose}{said}", "make room on the host, or add hosts")
    if any(words in low for words in _TAKEN_PORT):
        return Trouble("PortInUse", f"{whose}{said}", "expose another port, or free it on the host")
    match failure.step:
        case "pull":
            message = f"the image {failure.image} of service {failure.service} cannot be pulled ({said})"
            return Trouble("ImagePullFailed", message, "Check registry access and the image's name")
        case "taken":
            return Trouble("NameTaken", f"{whose}{said}", "remove or rename that object; it is not ours")
        case "secret":
            return Trouble(
                "SecretMissing", f"{whose}{said}", "put it into the vault that the host file names"
            )
        case "gpu":
            return Trouble("NoGpu", f"{whose}{said}", "free GPUs on the host, or add hosts")
        case "record":
            return Trouble("RecordUnwritable", said, "let us write to storage.path of adapters/ansible.yaml")
        case "storage":
            return Trouble(
                "StorageDenied", said, "remove the link, or allow its target: adapters.ansible.storage_paths"
            )
        case "create":
            return Trouble(
                "CreateContainerError", f"{whose}{said}", "correct what the file asks of the engine"
            )
        case step:
            return Trouble("EngineFailed", f"{whose}{step}: {said}", "see the engine's own words on the host")


def host_trouble(host: str, words: str, step: str = "") -> Trouble:
    """A host that could not be looked at or worked on."""
    if step == "engine":
        return Trouble("NoEngine", f"host {host}: {_short(words)}", "install it, or name the other engine")
    if step:
        return failure_trouble(FailureAnswer(step, f"host {host}: {_short(words)}"))
    for part, reason, advice in _HOSTS:
        if part.lower() in words.lower():
            return Trouble(reason, f"host {host}: {_short(words)}", advice)
    advice = "see that it runs and can be reached by SSH"
    return Trouble("HostUnreachable", f"host {host}: {_short(words) or 'no answer'}", advice)


def sentence(trouble: Trouble) -> str:
    """All of it in one line."""
    return f"{trouble.reason}: {trouble.message}; {trouble.advice}"


def _short(words: str) -> str:
    """The last line that says something, without ids that are others each time."""
    lines = [line.strip() for line in words[-WORDS_MAX:].splitlines() if line.strip(" @!\t")]
    said = lines[-1].removeprefix("Error: ") if lines else ""
    return one_line(_ID.sub("...", said), SHOWN_MAX)
