"""Publishes the status: one commit, only when bytes differ, and only once changes have settled."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.cycle.environment import Environment
from reconciler.documents.status import README, status_files
from reconciler.reports.commit_message import mark, message, trailers
from reconciler.values.backoff import RemoteFailure, wait_seconds
from reconciler.values.desired import Publishing
from reconciler.values.lifecycle import Phase
from reconciler.values.outcomes import Done, Failed, Outcome
from reconciler.values.plans import Plan, Transition
from reconciler.values.readings import Unseen
from reconciler.values.records import Unpublished, describe_outcome
from reconciler.values.repository import LAST_EVENT_TRAILER, BranchCommit
from reconciler.values.views import PublishedStatus

log = logging.getLogger(__name__)

TERMINAL = frozenset({Phase.TERMINATED, Phase.FAILED})


@dataclass(frozen=True, slots=True)
class Publication:
    """The status to publish, the events that no commit covers, and their plan and height."""

    status: PublishedStatus
    events: tuple[Unpublished, ...]
    plan: Plan
    height: int


class Publisher:
    """Gathers changes and writes them to the status branch; `last` is the last commit with its subject,
    `unpublished` counts events that no commit covers.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._published: Mapping[str, str] | None = None
        self._published_status: PublishedStatus | None = None
        self._caught_up = False
        self._pending: tuple[Mapping[str, str], int] | None = None
        self._first_at = 0
        self._last_at = 0
        self._failures = 0
        self._next_try = 0
        self._warned = ""
        self.last: tuple[str, str] = ("", "")
        self.unpublished = 0

    def publish(
        self, publication: Publication, rules: Publishing, *, now: int, flush: bool
    ) -> Outcome | None:
        """Commit and push when it is due; None while changes are gathered, and without changes."""
        self.unpublished = len(publication.events)
        if publication.status is self._published_status and not publication.events:
            return None
        files = status_files(publication.status)
        marks = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
        if marks == self._published and not publication.events:
            self._published_status = publication.status
            return None
        self._note_change(marks, publication.events, now)
        if not (
            flush or (now >= self._next_try and (_terminal(publication.events) or self._is_due(rules, now)))
        ):
            return None
        publication = self._unpublished(publication)
        events = tuple(u.event for u in publication.events)
        commit = BranchCommit(
            branch=f"status/{self._environment.provider}",
            files=files,
            message=message(events, _changed_files(self._published, marks)),
            trailers=(
                *trailers(events, publication.plan, publication.height),
                *_covered_trailer(publication.events),
            ),
        )
        outcome = self._environment.repo.publish(commit)
        self._back_off(outcome, now)
        self._record_result(outcome, marks, publication.events)
        if isinstance(outcome, Done):
            self.unpublished = 0
            if outcome.detail:
                self.last = (outcome.detail, commit.message.split("\n", 1)[0])
        return outcome

    @property
    def publish_pending(self) -> bool:
        """Whether changes wait to be pushed."""
        return self._pending is not None

    @property
    def pending_since(self) -> int:
        """Since when (unix seconds of the host); 0: nothing waits."""
        return self._first_at if self._pending else 0

    def _unpublished(self, publication: Publication) -> Publication:
        """Drop events that a commit covers which was pushed just before the daemon ended."""
        if self._caught_up or not publication.events:
            return publication
        reading = self._environment.repo.published_mark(f"status/{self._environment.provider}")
        if isinstance(reading, Unseen):
            return publication  # the push will fail as well
        self._caught_up = True
        counts = [at for at, each in enumerate(publication.events, start=1) if mark(each) == reading.view]
        if not counts:
            return publication
        covered, rest = publication.events[: counts[0]], publication.events[counts[0] :]
        self._environment.store.outbox.mark_published([each.id for each in covered], "")
        return replace(publication, events=rest)

    def _note_change(self, marks: Mapping[str, str], events: Sequence[Unpublished], now: int) -> None:
        state = (marks, events[-1].id if events else 0)
        if state != self._pending:
            self._pending, self._last_at = state, now
            self._first_at = self._first_at or now

    def _is_due(self, rules: Publishing, now: int) -> bool:
        return now - self._last_at >= rules.quiet_seconds or now - self._first_at >= rules.at_most_seconds

    def _back_off(self, outcome: Outcome, now: int) -> None:
        """Whether a retry can succeed; a push that the remote's rules reject is rejected again."""
        self._failures = 0 if isinstance(outcome, Done) else self._failures + 1
        wait = wait_seconds(RemoteFailure.OTHER, self._failures) if self._failures else 0
        self._next_try = now + int(wait)

    def _record_result(
        self, outcome: Outcome, marks: Mapping[str, str], events: Sequence[Unpublished]
    ) -> None:
        if isinstance(outcome, Done):
            self._environment.store.outbox.mark_published([u.id for u in events], outcome.detail)
            self._published, self._pending, self._first_at = marks, None, 0
            if outcome.detail:
                log.info("published status commit %s", outcome.detail[:12])
            self._warned = ""
        elif isinstance(outcome, Failed):
            if self._warned != describe_outcome(outcome):
                log.warning("the status was not published; retrying: %s", describe_outcome(outcome))
            self._warned = describe_outcome(outcome)
        else:
            log.error("the status was not published: %s", describe_outcome(outcome))


def _covered_trailer(events: Sequence[Unpublished]) -> tuple[tuple[str, str], ...]:
    return ((LAST_EVENT_TRAILER, mark(events[-1])),) if events else ()


def _terminal(events: Sequence[Unpublished]) -> bool:
    """A workload that ended or failed is published at once."""
    return any(isinstance(u.event, Transition) and u.event.to_phase in TERMINAL for u in events)


def _changed_files(published: Mapping[str, str] | None, marks: Mapping[str, str]) -> Sequence[str]:
    """The names of files that differ; none are known before the first commit of a daemon."""
    if published is None:
        return ()
    paths = [path for path in marks if published.get(path) != marks[path] and path != README]
    return sorted({path.rpartition("/")[2].removesuffix(".yaml") for path in paths})
