"""What the cycle needs of the outside world: small, synchronous, each with its promise of idempotence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from reconciler.values.desired import Workload
from reconciler.values.ids import LeaseId, WorkloadId
from reconciler.values.intents import Intent, Prepared
from reconciler.values.messages import Message
from reconciler.values.observed import AdapterView, Market
from reconciler.values.outcomes import Outcome
from reconciler.values.readings import Reading
from reconciler.values.repository import Commit, StatusCommit
from reconciler.values.resources import Resources

Wake = Callable[[], None]
"""Ends the cycle's wait early; carries nothing, may be called from any thread, as often as one likes."""


class Repo(Protocol):
    """The state repository. Reading changes nothing; publishing the same files twice makes one commit."""

    def look(self, applied: str) -> Reading[tuple[Commit, ...]]:
        """The newest commit of the desired branch first and, where it is another and still known, the one
        last applied.

        `descends` of the newest says whether it descends from `applied` (true when `applied` is empty).
        """

    def read(self, blobs: Sequence[str]) -> Mapping[str, bytes]:
        """The bytes of these blobs, by id; a blob that is unknown is missing from the answer."""

    def publish(self, commit: StatusCommit) -> Outcome:
        """Make the status branch hold exactly these files and push it. Done with the commit's id, or with ""
        where the bytes were equal already.
        """


class Chain(Protocol):
    """The market. Looking changes nothing; broadcasting the same bytes twice executes them once (semantics
    1.2).
    """

    def look(self, hashes: Sequence[str], known: Sequence[LeaseId]) -> Reading[Market]:
        """One view at one height, with the fate of the transactions asked for and the leases known before,
        closed ones among them.

        Unseen when the node is unreachable, syncing, of another chain, behind a height seen before, or a list
        was cut short.
        """

    def prepare(self, messages: Sequence[Message], fee_max: int) -> Prepared | Outcome:
        """Simulate, drop what the simulation refuses, sign. Sends nothing. An Outcome says why nothing can be
        sent at all.
        """

    def broadcast(self, intent: Intent) -> Outcome:
        """Hand the intent's bytes to the node's check. Done: accepted, to be confirmed; Refused: never
        executed, nothing spent; Unknown: no answer.
        """


class Adapter(Protocol):
    """What runs workloads. Applying and removing are idempotent; both return before the machines have caught
    up.
    """

    def look(self) -> AdapterView:
        """What is there, from memory where possible; an API error is Unseen, never empty."""

    def prepare(self, quota: Resources) -> Outcome:
        """Make the place for workloads, with a quota of all we may use."""

    def apply(self, workload: Workload, digest: str) -> Outcome:
        """Make the workload run as specified, or none of its containers when it is paused; leave `digest`
        with it.
        """

    def remove(self, workload: WorkloadId) -> Outcome:
        """Remove everything labelled with this id; Done when the removal is asked for, seen gone only by
        looking.
        """

    def logs(self, workload: WorkloadId, tail_lines: int) -> Iterator[bytes]:
        """The last lines of its containers, each line prefixed with its container; bounded in bytes. Raises
        OSError with a sentence.
        """


class Clock(Protocol):
    """The host's clock: it times waits, never money."""

    def now(self) -> int:
        """Unix seconds."""

    def wait(self, seconds: float) -> None:
        """Return after so many seconds, or at once when woken."""
