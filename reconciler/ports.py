"""What the cycle needs of the outside world: small, synchronous, each with its promise of idempotence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from reconciler.values.approvals import Approval
from reconciler.values.commit_state import CommitState, ReportedState
from reconciler.values.desired import Workload
from reconciler.values.ids import LeaseId, WorkloadId
from reconciler.values.inspection import WorkloadEvents, WorkloadUse
from reconciler.values.intents import Confirmation, Intent, Prepared
from reconciler.values.memory import Memory
from reconciler.values.messages import Message
from reconciler.values.observed import AdapterView, Market
from reconciler.values.outcomes import Outcome
from reconciler.values.plans import NotifyTenant, Plan
from reconciler.values.readings import Reading
from reconciler.values.records import (
    Decision,
    EffectResult,
    JournalCounts,
    JournalPage,
    RecordedEvent,
    Request,
    Totals,
    Unpublished,
)
from reconciler.values.repository import BranchCommit, Commit
from reconciler.values.resources import Resources
from reconciler.values.subjects import Subject

Wake = Callable[[], None]
"""Ends the cycle's wait early; carries nothing, may be called from any thread, as often as one likes."""


class Repo(Protocol):
    """The state repository. Reading changes nothing; publishing the same files twice makes one commit."""

    def look(self, applied: str) -> Reading[tuple[Commit, ...]]:
        """The newest commit of the desired branch first and, where it is another and still known, the one
        last applied.

        `descends` of the newest says whether it descends from `applied` (true when `applied` is empty);
        `superseded` names the commits between the two, where it does.
        """

    def recall(self, applied: str) -> Reading[tuple[Commit, ...]]:
        """The same as it was when the repository last answered: what goes on while it does not."""

    def read(self, blobs: Sequence[str]) -> Mapping[str, bytes]:
        """The bytes of these blobs, by id; a blob that is unknown is missing from the answer."""

    def told(self, branch: str) -> Reading[str]:
        """The mark in the last commit of a branch of ours up to which it tells events; "" where none does."""

    def publish(self, commit: BranchCommit) -> Outcome:
        """Make a branch of ours hold exactly these files and push it. Done with the commit's id, or with ""
        where the bytes were equal already (a commit that `replaces` is made all the same).
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

    def forget_height(self) -> None:
        """Take the node's next height whatever was seen before: the owner says that it was false."""

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


class Journal(Protocol):
    """What one cycle tells the next. What a method has returned from survives `kill -9`; one thread only.

    All journal protocols raise JournalError with a sentence when the file cannot be used.
    """

    def is_new(self) -> bool:
        """No plan was ever remembered here."""

    def memory(self) -> Memory:
        """The memory of the last remembered plan; an empty one when new."""

    def outcomes(self) -> tuple[EffectResult, ...]:
        """What was recorded and no remembered plan has consumed yet, oldest first; asking again gives the
        same and more.
        """

    def approvals(self) -> tuple[Approval, ...]:
        """What the owner has approved and no remembered plan has consumed yet, oldest first."""

    def remember(self, plan: Plan, at: int) -> None:
        """Keep the plan's memory, its holds as decisions, what it judged of the newest revision and its
        transitions for publishing, end the intents that it confirms, and forget the outcomes and approvals
        last asked for, all at once. The same plan again writes nothing but the transitions.
        """

    def record(self, outcomes: Sequence[EffectResult]) -> None:
        """Keep what came of effects: for the next plan, for publishing, and as decisions on record. Not
        idempotent; an outcome lost to a crash is found again by looking.
        """


class Intents(Protocol):
    """Transactions on their way."""

    def open_intents(self) -> tuple[Intent, ...]:
        """Those noted and not ended, oldest first."""

    def intend(self, intent: Intent) -> None:
        """Note a transaction, durably, before it is broadcast; one that is open or has landed is left alone,
        one that ended otherwise is open again.
        """

    def end(self, confirmation: Confirmation, outcomes: Sequence[EffectResult] = ()) -> None:
        """Note its end, keep it for the history and for publishing, and what it means for its subjects for
        the next plan, all at once; the second end of one intent does nothing.
        """


class Outbox(Protocol):
    """What others have not been told yet: by the published status, and on the forge's page."""

    def unpublished(self) -> tuple[Unpublished, ...]:
        """The events (10,000 at most at once) that no pushed commit covers, oldest first."""

    def published(self, ids: Sequence[int], commit: str) -> None:
        """A pushed commit covers these (or they need none: commit ""); saying it twice does nothing."""

    def states(self) -> tuple[ReportedState, ...]:
        """How commits stand, as the forge was told or is to be told, oldest first."""

    def keep_states(self, states: Sequence[ReportedState]) -> None:
        """Keep exactly these."""


class Inbox(Protocol):
    """Requests to the loop; any thread may ask."""

    def ask(self, request: Request, at: int) -> None:
        """Leave a request; the same one twice before it is taken is one."""

    def approve(self, approval: Approval) -> None:
        """Keep it for the next plan and for publishing; it survives whatever dies then."""

    def take(self) -> tuple[Request, ...]:
        """The requests left since the last time, oldest first; each is given once."""


class Records(Protocol):
    """The journal as a reader sees it, beside a running daemon or without one; changes nothing."""

    def decisions(self, subject: Subject) -> tuple[Decision, ...]:
        """Holds and effects on a subject, on an order with those on our bid on it, on a deployment with
        those on its orders; newest first, at most 1,000.
        """

    def confirmation(self, tx_hash: str) -> Confirmation | None:
        """How an intent ended; None when it is open or unknown."""

    def totals(self) -> Totals:
        """What was counted since the journal began."""

    def published(self) -> str:
        """The last commit that was said to cover something, "" for none."""


class Notifier(Protocol):
    """Tells a tenant's side. The same notice has the same key, so a receiver can tell a repetition."""

    def notify(self, notice: NotifyTenant) -> Outcome:
        """Send it. Unknown while it is on its way: ask again; never waits long."""


class Forge(Protocol):
    """Shows people how a commit stands. Setting the same state twice shows one."""

    def set_state(self, said: CommitState) -> Outcome:
        """Set it. Unknown while it is on its way or the forge is left alone: ask again; never waits."""


class History(Protocol):
    """The journal's past, for those who read it page by page; changes nothing."""

    def counts(self) -> JournalCounts:
        """How many of each there are."""

    def look(self, before: int, at_most: int) -> JournalPage:
        """Transactions below a position (0: the newest), with the counts and what is latest beside them."""

    def events(self, since: int, at_most: int) -> tuple[RecordedEvent, ...]:
        """The newest events that are not older than `since` (unix seconds), oldest first."""

    def decisions(self, subject: Subject) -> tuple[Decision, ...]:
        """As `Records.decisions`."""


class Inspector(Protocol):
    """What may be asked of an adapter beside the cycle: may wait on its machines. Raises OSError with a
    sentence.
    """

    def logs(self, workload: WorkloadId, tail_lines: int) -> Iterator[bytes]:
        """As `Adapter.logs`."""

    def use(self, workload: WorkloadId) -> WorkloadUse:
        """What its containers use, or what they asked for where nothing measures them."""

    def events(self, workload: WorkloadId) -> WorkloadEvents:
        """What the machines said about its objects, newest first."""


class Clock(Protocol):
    """The host's clock: it times waits, never money."""

    def now(self) -> int:
        """Unix seconds."""

    def wait(self, seconds: float) -> None:
        """Return after so many seconds, or at once when woken."""
