"""Protocols between the layers: small and synchronous; methods that write say whether they are idempotent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol

from reconciler.values.approvals import Approval
from reconciler.values.commit_status import CommitStatus, ReportedStatus
from reconciler.values.desired import Workload
from reconciler.values.ids import LeaseId, WorkloadId
from reconciler.values.inspection import WorkloadEvents, WorkloadUse
from reconciler.values.intents import Confirmation, FeeTerms, Intent, Prepared
from reconciler.values.ledger import LedgerPage
from reconciler.values.manifests import TenantManifests
from reconciler.values.memory import Memory
from reconciler.values.messages import Message
from reconciler.values.observed import AdapterView, Market, Transfer
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
from reconciler.values.work import InFlight, QueueStatistics, WorkItem, WorkResult

Wake = Callable[[], None]
"""Ends the cycle's wait early; callable from any thread, any number of times."""

Effect = Callable[[], Outcome]
"""One call of a port that may wait for its target; idempotent."""


class Repo(Protocol):
    """The state repository. Reading changes nothing; publishing the same files twice makes one commit."""

    def fetch(self, applied: str) -> Reading[tuple[Commit, ...]]:
        """The newest commit of the desired branch, then the last applied one if it differs and is still
        known.

        `descends` of the newest: it descends from `applied` (true if `applied` is empty); `superseded` then
        names the commits between the two.
        """

    def last_fetched(self, applied: str) -> Reading[tuple[Commit, ...]]:
        """The commits of the last successful fetch, for use while the repository is unreachable."""

    def read(self, blobs: Sequence[str]) -> Mapping[str, bytes]:
        """Blob id -> bytes; unknown blobs are left out."""

    def published_mark(self, branch: str) -> Reading[str]:
        """The mark of the last event that the branch covers, from its last commit; "" if none."""

    def publish(self, commit: BranchCommit) -> Outcome:
        """Replace the content of one of our branches with these files and push it. Done with the commit's
        id, or with "" if nothing differed (a commit that `replaces` is made anyway).
        """


class Chain(Protocol):
    """The market. Reading changes nothing; broadcasting the same bytes twice executes them once (semantics
    1.2).
    """

    def observe(
        self, hashes: Sequence[str], known: Sequence[LeaseId], to_confirm: Collection[Subject] = ()
    ) -> Reading[Market]:
        """One view at one height, with the results of the requested transactions and the state of `known`
        leases, closed ones included: those that memory or adapters refer to; and with what the witness, if
        there is one, shows of the objects `to_confirm`.

        Unseen if the node is unreachable, syncing, of another chain, behind a height seen before, or a list
        is incomplete.
        """

    def transfers_between(self, first: int, last: int) -> tuple[Transfer, ...] | None:
        """Transfers of our account in the transactions of these blocks, from the node's index; None if it
        does not have them.
        """

    def forget_height(self) -> None:
        """Accept the node's next height even if a higher one was seen: the owner declares the earlier one
        false.
        """

    def prepare(self, messages: Sequence[Message], terms: FeeTerms) -> Prepared | Outcome:
        """Simulate at the newest block, drop refused messages and those that cost more than they may, and
        sign; sends nothing. An Outcome says why there is no transaction.
        """

    def broadcast(self, intent: Intent) -> Outcome:
        """Submit the intent's bytes to the node's check. Done: accepted, to be confirmed; Refused or
        Failed: not executed, nothing spent; Unknown: no response, or an answer that proves nothing.
        """


class Adapter(Protocol):
    """Runs workloads on machines. Applying and removing are idempotent; both return before the machines have
    converged.
    """

    def observe(self) -> AdapterView:
        """The observed state, cached where possible; an API error is Unseen, never empty."""

    def prepare(self, quota: Resources) -> Outcome:
        """Create the namespace or directory for workloads, with the quota."""

    def apply(self, workload: Workload, digest: str) -> Outcome:
        """Apply the workload's specification (without containers if it is paused), and store `digest` with
        it.
        """

    def remove(self, workload: WorkloadId) -> Outcome:
        """Remove every object labelled with this id; Done once the removal is accepted. Observe to see it
        completed.
        """

    def logs(self, workload: WorkloadId, tail_lines: int) -> Iterator[bytes]:
        """The last lines of its containers, each prefixed with its container; bounded in bytes. Raises
        OSError with a message.
        """


class Manifests(Protocol):
    """The manifests that tenants sent, on their branch."""

    def current(self, market: Market | None) -> Reading[TenantManifests]:
        """As last read, for a plan with this view of the chain; waits for no network. Unseen before the first
        read.
        """

    def unsealed(self, workload: Workload) -> Workload | Outcome:
        """The workload with the plain values of its sealed ones, for its adapter alone; else why not."""

    def synchronise(self) -> Outcome:
        """Push what is not pushed, without force; at first, read the branch from the remote repository.
        Idempotent; may wait for the repository.
        """


class WorkQueues(Protocol):
    """Effects outside the cycle's thread, in one queue per target, so that no target delays another.

    Level-triggered: of one key, at most one item runs; a newer item replaces a queued one and follows the
    running one; only a removal replaces a queued removal. What is in flight is lost in a crash, and recovered
    by observation. All methods but `statistics` belong to the cycle's thread, and none waits for a target,
    except where items run inline.
    """

    def submit(self, item: WorkItem, effect: Effect) -> bool:
        """Queue an item; False if it is not taken: the queue is full or closed, or a removal is queued."""

    def targets(self) -> tuple[str, ...]:
        """The targets of all items so far."""

    def collect(self, target: str) -> tuple[WorkResult, ...]:
        """The target's results since the last call, oldest first; each is returned once."""

    def in_flight(self) -> tuple[InFlight, ...]:
        """What was submitted and has not ended."""

    def statistics(self) -> tuple[QueueStatistics, ...]:
        """Each queue's depth, age and totals, by target; callable from any thread."""

    def drain(self, grace_seconds: float) -> tuple[InFlight, ...]:
        """Take no further item, and wait for those in flight; returns those that the end of the grace period
        abandons.
        """


class StorageError(Exception):
    """State cannot be read or stored; the text says where it is, why, and what to do."""


class Journal(Protocol):
    """State that one cycle passes to the next. Completed writes survive `kill -9`; one thread only.

    All journal protocols raise JournalError with a message if the file cannot be used.
    """

    def is_new(self) -> bool:
        """Whether no plan was remembered yet."""

    def memory(self) -> Memory:
        """The memory of the last remembered plan; empty if the journal is new."""

    def results(self) -> tuple[EffectResult, ...]:
        """Recorded results that no remembered plan has consumed yet, oldest first; repeated calls return the
        same and newer ones.
        """

    def approvals(self) -> tuple[Approval, ...]:
        """The owner's approvals that no remembered plan has consumed yet, oldest first."""

    def remember(self, plan: Plan, at: int) -> None:
        """In one transaction: store the plan's memory, its holds as decisions, its verdict and its
        transitions for publishing, end the intents that it confirms, and delete the results and approvals
        that were last read. Repeating the same plan writes only the transitions.
        """

    def record(self, outcomes: Sequence[EffectResult]) -> None:
        """Store results of effects for the next plan, for publishing, and as decisions. Not idempotent; a
        result lost in a crash is recovered by observation.
        """


class Intents(Protocol):
    """Intents: signed transactions until they end."""

    def open_intents(self) -> tuple[Intent, ...]:
        """Intents that have not ended, oldest first."""

    def record_intent(self, intent: Intent) -> None:
        """Record a transaction durably before it is broadcast. An open or landed one is unchanged; one that
        ended otherwise is reopened.
        """

    def record_end(self, confirmation: Confirmation, outcomes: Sequence[EffectResult] = ()) -> None:
        """In one transaction: record its end for the history and for publishing, and the results of its
        messages for the next plan. Ending an intent twice does nothing.
        """


class Outbox(Protocol):
    """Pending notifications: events for the status branch, and commit states for the forge."""

    def unpublished(self) -> tuple[Unpublished, ...]:
        """Events that no pushed commit covers, oldest first, at most 10,000."""

    def mark_published(self, ids: Sequence[int], commit: str) -> None:
        """Mark events as covered by a pushed commit (commit "": they need none); idempotent."""

    def commit_statuses(self) -> tuple[ReportedStatus, ...]:
        """Commit states, reported to the forge or pending, oldest first."""

    def store_commit_statuses(self, states: Sequence[ReportedStatus]) -> None:
        """Replace the stored commit states."""


class Inbox(Protocol):
    """Requests to the loop, from any thread."""

    def enqueue(self, request: Request, at: int) -> None:
        """Add a request; duplicates of a pending one are dropped."""

    def approve(self, approval: Approval) -> None:
        """Store it durably for the next plan and for publishing."""

    def take(self) -> tuple[Request, ...]:
        """Remove and return the pending requests, oldest first."""


class Records(Protocol):
    """Read-only access to the journal, with or without a running daemon."""

    def decisions(self, subject: Subject) -> tuple[Decision, ...]:
        """Decisions on a subject, newest first, at most 1,000; an order includes those on our bid on it, a
        deployment or owner those on its orders.
        """

    def confirmation(self, tx_hash: str) -> Confirmation | None:
        """How an intent ended; None if it is open or unknown."""

    def totals(self) -> Totals:
        """Totals since the journal began."""

    def published(self) -> str:
        """The last commit that covered events, "" for none."""

    def ledger_after(self, row: int) -> LedgerPage:
        """The changes of the wallet's balance that were booked after this row (0: all)."""


class Notifier(Protocol):
    """Sends notices to tenants. Equal notices have equal keys, so that a receiver can drop duplicates."""

    def notify(self, notice: NotifyTenant) -> Outcome:
        """Send it; may wait for the receiver. Unknown while the receiver requests a wait: call again."""


class Forge(Protocol):
    """Commit states on a forge. Setting the same state twice is idempotent."""

    def set_status(self, status: CommitStatus) -> Outcome:
        """Set it; may wait for the forge. Unknown during a back-off: call again."""


class History(Protocol):
    """Read-only, paged access to the journal's history."""

    def counts(self) -> JournalCounts:
        """Counts of transactions and events."""

    def page(self, before: int, at_most: int) -> JournalPage:
        """Transactions below a position (0: the newest), with the counts and the latest decisions."""

    def events(self, since: int, at_most: int) -> tuple[RecordedEvent, ...]:
        """The newest events that are not older than `since` (unix seconds), oldest first."""

    def ledger_after(self, row: int) -> LedgerPage:
        """As `Records.ledger_after`."""

    def decisions(self, subject: Subject) -> tuple[Decision, ...]:
        """As `Records.decisions`."""


class Inspector(Protocol):
    """Live queries to an adapter, outside the cycle; may wait for its machines. Raises OSError with a
    message.
    """

    def logs(self, workload: WorkloadId, tail_lines: int) -> Iterator[bytes]:
        """As `Adapter.logs`."""

    def use(self, workload: WorkloadId) -> WorkloadUse:
        """The usage of its containers, or their requests if they are not measured."""

    def events(self, workload: WorkloadId) -> WorkloadEvents:
        """Events about its objects, newest first."""


class Clock(Protocol):
    """The host's clock: it times waits, never money."""

    def now(self) -> int:
        """Unix seconds."""

    def wait(self, seconds: float) -> None:
        """Return after so many seconds, or as soon as woken."""
