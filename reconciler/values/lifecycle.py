"""The workload lifecycle of the operator's sheet, with Paused, as one table."""

from __future__ import annotations

from collections import deque
from enum import StrEnum


class Phase(StrEnum):
    """A workload's phase; derived from observation, never set by hand."""

    PENDING = "Pending"
    DEPLOYING = "Deploying"
    RUNNING = "Running"
    PAUSED = "Paused"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    TERMINATED = "Terminated"
    FAILED = "Failed"


TRANSITIONS: dict[Phase, dict[Phase, str]] = {
    Phase.PENDING: {
        Phase.DEPLOYING: "Lease accepted",
        Phase.STOPPING: "Close request",
        Phase.FAILED: "Error condition",
    },
    Phase.DEPLOYING: {
        Phase.RUNNING: "Deploy success",
        Phase.PAUSED: "Pause request",
        Phase.STOPPING: "Close request",
        Phase.FAILED: "Error condition",
    },
    Phase.RUNNING: {
        Phase.DEPLOYING: "New specification or repair",
        Phase.PAUSED: "Pause request",
        Phase.STOPPING: "Close request",
        Phase.FAILED: "Error condition",
    },
    Phase.PAUSED: {
        Phase.DEPLOYING: "Resume request",
        Phase.STOPPING: "Close request",
        Phase.FAILED: "Error condition",
    },
    Phase.STOPPING: {Phase.STOPPED: "Nothing runs any more", Phase.FAILED: "Error condition"},
    Phase.STOPPED: {Phase.TERMINATED: "Nothing is left behind", Phase.FAILED: "Error condition"},
    Phase.FAILED: {
        Phase.DEPLOYING: "Repair",
        Phase.PAUSED: "Pause request",
        Phase.STOPPING: "Close request",
    },
    Phase.TERMINATED: {},
}
"""from -> to -> trigger. Every step that is published is one of these."""


def steps(start: Phase, end: Phase) -> tuple[Phase, ...]:
    """The phases after `start` up to `end`, by the shortest way through the table; those missed while away
    are filled in.

    Empty when nothing changed or when the table has no way (nothing leaves Terminated).
    """
    ways: dict[Phase, tuple[Phase, ...]] = {start: ()}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        for there in TRANSITIONS[here]:
            if there not in ways and (there is not Phase.FAILED or there is end):
                ways[there] = (*ways[here], there)
                queue.append(there)
    return ways.get(end, ())


def trigger(start: Phase, end: Phase) -> str:
    """The sheet's word for one step; KeyError where the table has none."""
    return TRANSITIONS[start][end]
