"""The workload lifecycle as one table."""

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
"""from -> to -> trigger. Every published transition between two phases is one of these; others start and end
in the same phase: a lease that was won, a lost pod, a record that is dropped.
"""


def steps(start: Phase, end: Phase) -> tuple[Phase, ...]:
    """The phases after `start` up to `end`, along the shortest path through the table, so that transitions
    missed during downtime are filled in.

    Empty if nothing changed or there is no path (nothing leaves Terminated).
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
    """The trigger of a transition; KeyError if the table has none."""
    return TRANSITIONS[start][end]
