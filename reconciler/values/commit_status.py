"""The state of a commit on the forge."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DESCRIPTION_CHARACTERS = 140
"""Longest description; GitHub rejects longer ones."""


class StatusState(StrEnum):
    """Pending: seen and not applied yet, or held; success: applied; failure: faulty. Values as in the forges'
    APIs.
    """

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class CommitStatus:
    """The state of a commit (40 hex digits), and why in one line of at most 140 characters."""

    commit: str
    state: StatusState
    description: str


@dataclass(frozen=True, slots=True)
class ReportedStatus:
    """A commit's state and whether it was reported to the forge."""

    status: CommitStatus
    reported: bool = False
