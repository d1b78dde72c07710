"""The lifecycle of a pod, chosen by its image's name: a list of states since its start."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

EXITS = {"crash": (1, "Error"), "oom": (137, "OOMKilled"), "done": (0, "Completed")}
LIFECYCLES = ("missing", "slow", "unready", "stubborn", *EXITS)
SLOW_SECONDS = 5.0
RUN_SECONDS = 0.2
BACKOFF_MAX_SECONDS = 60
LOG_EVERY_SECONDS = 10


@dataclass(frozen=True, slots=True)
class PodState:
    """A pod's state from so many seconds after its start on; `state` is waiting or running."""

    after_seconds: float
    phase: str
    state: str
    reason: str = ""
    message: str = ""
    ready: bool = False
    restarts: int = 0
    started_seconds: float = 0.0
    exited: tuple[float, float, int, str] | None = None
    warning: bool = False
    event: str = ""


def lifecycle_of(images: Iterable[str]) -> tuple[str, str]:
    """The lifecycle's name, and the image with it at the start of a part of its path."""
    listed = list(images)
    for word in LIFECYCLES:
        for image in listed:
            if re.search(rf"(^|/){word}", image):
                return word, image
    return "fine", listed[0]


def pod_states(word: str, image: str) -> Iterator[PodState]:
    """The states of a lifecycle in order of time; endless for a crashing pod."""
    if word == "missing":
        denied = f'failed to pull image "{image}": pull access denied'
        back_off = f'Back-off pulling image "{image}"'
        yield PodState(0, "Pending", "waiting", "ErrImagePull", denied, warning=True, event="Failed")
        yield PodState(2, "Pending", "waiting", "ImagePullBackOff", back_off, warning=True, event="BackOff")
    elif word in EXITS:
        yield from _exiting(*EXITS[word])
    else:
        started = PodState(0, "Running", "running", message="Container started", event="Started")
        yield started
        if word == "unready":
            failed = "Readiness probe failed"
            yield PodState(RUN_SECONDS, "Running", "running", message=failed, warning=True, event="Unhealthy")
        else:
            yield PodState(SLOW_SECONDS if word == "slow" else 0, "Running", "running", ready=True)


def _exiting(code: int, reason: str) -> Iterator[PodState]:
    """Run, exit and restart, at once the first time and with a growing back-off after that."""
    at, restarts, last = 0.0, 0, None
    while True:
        run = PodState(
            at, "Running", "running", "", "Container started", False, restarts, at, last, event="Started"
        )
        yield run
        ended = at + RUN_SECONDS
        last = (at, ended, code, reason)
        pause = min(2**restarts, BACKOFF_MAX_SECONDS) if restarts else 0
        if pause:
            why = f"back-off {pause}s restarting failed container"
            waiting = PodState(
                ended,
                "Running",
                "waiting",
                "CrashLoopBackOff",
                why,
                False,
                restarts,
                at,
                last,
                True,
                "BackOff",
            )
            yield waiting
        at, restarts = ended + pause, restarts + 1


def log_lines(container: str, image: str, started: float, until: float) -> Iterator[tuple[float, str]]:
    """The log lines of a container up to now, with their unix times."""
    word, _ = lifecycle_of([image])
    if word == "missing":
        return
    yield started, f"{container} started from {image}"
    if word in EXITS:
        yield started + RUN_SECONDS, f"{container} exits with {EXITS[word][0]}"
        return
    at = started + LOG_EVERY_SECONDS
    while at <= until:
        yield at, f"{container} has been running for {at - started:.0f} s"
        at += LOG_EVERY_SECONDS
