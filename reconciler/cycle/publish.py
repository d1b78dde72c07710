"""Publishes the status: one commit, only when bytes differ, and only once changes have settled."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from reconciler.cycle.environment import Environment
from reconciler.documents.status import README, status_files
from reconciler.ports import Effect
from reconciler.reports.commit_message import mark, message, trailers
from reconciler.values.backoff import RemoteFailure, wait_seconds
from reconciler.values.desired import Publishing
from reconciler.values.lifecycle import Phase
from reconciler.values.outcomes import Done, Failed, Outcome
from reconciler.values.plans import Plan, Transition
from reconciler.values.readings import Unseen
from reconciler.values.records import Unpublished, describe_outcome
from reconciler.values.repository import LAST_EVENT_TRAILER, BranchCommit
from reconciler.values.result_cache import KeyedInput, KeyedInputs, ResultCache
from reconciler.values.times import is_over
from reconciler.values.views import PublishedStatus
from reconciler.values.work import GIT, WorkItem, WorkKey

log = logging.getLogger(__name__)

TERMINAL = frozenset({Phase.TERMINATED, Phase.FAILED})


@dataclass(frozen=True, slots=True)
class Publication:
    """The status to publish, the events that no commit covers, and their plan and height."""

    status: PublishedStatus
    events: tuple[Unpublished, ...]
    plan: Plan
    height: int


@dataclass(frozen=True, slots=True)
class StatusPush:
    """A status commit that was handed to the queue: its subject, status, hashes by file, and events."""

    subject: str
    status: PublishedStatus
    hashes: Mapping[str, str]
    events: tuple[Unpublished, ...]


class Publisher:
    """Gathers changes and writes them to the status branch; `last` is the last commit with its subject,
    `unpublished` counts events that no commit covers.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._results = ResultCache()
        self._published: Mapping[str, str] | None = None
        self._published_status: PublishedStatus | None = None
        self._covered_until: str | None = None
        self._push: StatusPush | None = None
        self._is_busy = False
        self._pending: tuple[PublishedStatus, int] | None = None
        self._first_at = 0
        self._last_at = 0
        self._failures = 0
        self._failed_at = 0
        self._wait_seconds = 0.0
        self._warned = ""
        self.last: tuple[str, str] = ("", "")
        self.unpublished = 0

    def publish(
        self, publication: Publication, rules: Publishing, *, now: int, flush: bool
    ) -> Outcome | None:
        """Commit and push when it is due; the outcome if it is known at once. None while changes are gathered
        or pushed, and without changes.
        """
        self.unpublished = len(publication.events)
        if publication.status is self._published_status and not publication.events:
            return None
        if self._is_busy:
            return None
        self._note_change(publication, now)
        if not (
            flush or (self._may_try(now) and (_terminal(publication.events) or self._is_due(rules, now)))
        ):
            return None
        files = status_files(publication.status, self._results)
        inputs = KeyedInputs(files, (KeyedInput(files),))
        hashes = self._results.reuse_each(
            "hashes", inputs, lambda path: hashlib.sha256(files[path]).hexdigest()
        )
        if hashes == self._published and not publication.events:
            self._note_published(publication.status)
            return None
        if publication.events and self._covered_until is None:
            self._submit("read the last status commit", self._read_mark)
            outcome = self.collect_results(now)
            if self._covered_until is None:
                return outcome
        publication = self._unpublished(publication)
        commit = self._commit(publication, files, _changed_files(self._published, hashes))
        subject = commit.message.split("\n", 1)[0]
        self._push = StatusPush(subject, publication.status, hashes, publication.events)
        self._submit("publish the status", partial(self._environment.repo.publish, commit))
        return self.collect_results(now)

    def collect_results(self, now: int) -> Outcome | None:
        """Record how the last push ended, if it has; its outcome."""
        outcome: Outcome | None = None
        for result in self._environment.queues.collect(GIT):
            outcome, push = result.outcome, self._push
            self._is_busy, self._push = False, None
            self._back_off(outcome, now)
            if push is not None:
                self._record_result(outcome, push)
            elif isinstance(outcome, Done):
                self._covered_until = outcome.detail
            else:
                self._warn(outcome)
        return outcome

    @property
    def publish_pending(self) -> bool:
        """Whether changes wait to be pushed."""
        return self._pending is not None

    @property
    def pending_since(self) -> int:
        """Since when (unix seconds of the host); 0: nothing waits."""
        return self._first_at if self._pending else 0

    def _submit(self, description: str, effect: Effect) -> None:
        item = WorkItem(WorkKey(GIT, self._branch), description)
        self._is_busy = self._environment.queues.submit(item, effect)

    @property
    def _branch(self) -> str:
        return f"status/{self._environment.provider}"

    def _read_mark(self) -> Outcome:
        """The mark of the last event that the branch covers, as the detail of the outcome."""
        reading = self._environment.repo.published_mark(self._branch)
        return Failed("PublishFailed", reading.why) if isinstance(reading, Unseen) else Done(reading.view)

    def _commit(
        self, publication: Publication, files: Mapping[str, bytes], changed: Sequence[str]
    ) -> BranchCommit:
        events = tuple(u.event for u in publication.events)
        return BranchCommit(
            branch=self._branch,
            files=files,
            message=message(events, changed),
            trailers=(
                *trailers(events, publication.plan, publication.height),
                *_covered_trailer(publication.events),
            ),
        )

    def _unpublished(self, publication: Publication) -> Publication:
        """Drop events that a commit covers which was pushed just before the daemon ended."""
        mark_read, self._covered_until = self._covered_until, self._covered_until and ""
        if not mark_read:
            return publication
        counts = [at for at, each in enumerate(publication.events, start=1) if mark(each) == mark_read]
        if not counts:
            return publication
        covered, rest = publication.events[: counts[0]], publication.events[counts[0] :]
        self._environment.store.outbox.mark_published([each.id for each in covered], "")
        return replace(publication, events=rest)

    def _note_change(self, publication: Publication, now: int) -> None:
        state = (publication.status, publication.events[-1].id if publication.events else 0)
        if state != self._pending:
            self._pending, self._last_at = state, now
            self._first_at = self._first_at or now

    def _note_published(self, status: PublishedStatus) -> None:
        self._published_status, self._pending, self._first_at = status, None, 0

    def _is_due(self, rules: Publishing, now: int) -> bool:
        is_quiet = is_over(self._last_at, rules.quiet_seconds, now)
        return is_quiet or is_over(self._first_at, rules.at_most_seconds, now)

    def _may_try(self, now: int) -> bool:
        return is_over(self._failed_at, self._wait_seconds, now)

    def _back_off(self, outcome: Outcome, now: int) -> None:
        """Set the time of the next try: at once after a success, later after each failure."""
        self._failures = 0 if isinstance(outcome, Done) else self._failures + 1
        self._failed_at = now
        self._wait_seconds = wait_seconds(RemoteFailure.OTHER, self._failures) if self._failures else 0

    def _record_result(self, outcome: Outcome, push: StatusPush) -> None:
        if not isinstance(outcome, Done):
            self._warn(outcome)
            return
        self._environment.store.outbox.mark_published([u.id for u in push.events], outcome.detail)
        self._published = push.hashes
        self._note_published(push.status)
        self._warned, self.unpublished = "", 0
        if outcome.detail:
            log.info("published status commit %s", outcome.detail[:12])
            self.last = (outcome.detail, push.subject)

    def _warn(self, outcome: Outcome) -> None:
        """Log a failure when it begins or changes; one that no retry can fix every time."""
        text = describe_outcome(outcome)
        if not isinstance(outcome, Failed):
            log.error("the status was not published: %s", text)
        elif self._warned != text:
            log.warning("the status was not published; retrying: %s", text)
        self._warned = text


def _covered_trailer(events: Sequence[Unpublished]) -> tuple[tuple[str, str], ...]:
    return ((LAST_EVENT_TRAILER, mark(events[-1])),) if events else ()


def _terminal(events: Sequence[Unpublished]) -> bool:
    """A workload that ended or failed is published at once."""
    return any(isinstance(u.event, Transition) and u.event.to_phase in TERMINAL for u in events)


def _changed_files(published: Mapping[str, str] | None, hashes: Mapping[str, str]) -> Sequence[str]:
    """The names of files that differ; none are known before the first commit of a daemon."""
    if published is None:
        return ()
    paths = [path for path in hashes if published.get(path) != hashes[path] and path != README]
    return sorted({path.rpartition("/")[2].removesuffix(".yaml") for path in paths})
