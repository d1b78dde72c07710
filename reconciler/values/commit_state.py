"""What is said of a commit on the forge's page."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DESCRIPTION_CHARACTERS = 140
"""What a forge shows of a description; GitHub refuses a longer one."""


class CommitStand(StrEnum):
    """Seen and not applied yet, or held; applied; or at fault. The words are the forges' own."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class CommitState:
    """How a commit (40 hex digits) stands, and why in one line of at most 140 characters."""

    commit: str
    stand: CommitStand
    description: str


@dataclass(frozen=True, slots=True)
class ReportedState:
    """A commit's state and whether the forge has been told."""

    state: CommitState
    told: bool = False
