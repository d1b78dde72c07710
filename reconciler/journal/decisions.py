"""The latest decision per subject and reason; an unchanged one is not rewritten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice, takewhile

from reconciler.journal.database import Database
from reconciler.values.ids import DeploymentId, OrderId
from reconciler.values.intents import Confirmation, IntentOutcome
from reconciler.values.outcomes import Done
from reconciler.values.plans import Hold, Reason
from reconciler.values.records import Decision, EffectResult, describe_outcome, message_result
from reconciler.values.subjects import Subject, SubjectKind

OURS_REFRESH_SECONDS = 60
OTHERS_REFRESH_SECONDS = 600
"""How far `last_seen` of a current decision may lag."""

CONTINUITY_SECONDS = 3_600
"""Gap after which a repeated hold gets a new `first_seen`."""

OTHERS_KEPT_SECONDS = 14 * 86_400
OURS_KEPT_SECONDS = 400 * 86_400
KEPT_MAX = 50_000
PRUNE_SECONDS = 3_600

_UPSERT = """REPLACE INTO decisions
(subject, reason, held, ours, message, first_seen, last_seen, ended_at, order_id, owner, dseq)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

_SELECT = "SELECT subject, reason, held, message, first_seen, last_seen, ours, ended_at FROM decisions"

BLIND = frozenset({Reason.CLUSTER_UNSEEN.value, Reason.AUTH_FAILURE.value})
UNSEEN = BLIND | {Reason.CHAIN_UNSEEN.value, Reason.REPOSITORY_UNSEEN.value}
"""Holds that mask others: while they are current, absent holds have not ended."""

Key = tuple[str, str]
"""Subject and reason, as they are stored."""


class Decisions:
    """The decisions table with its rows cached in memory, so that unchanged decisions are detected without
    reading.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[Key, Decision] = {}
        self._by_age: tuple[dict[Key, None], dict[Key, None]] = ({}, {})
        """Keys of decisions about others and about our objects, those not seen for longest first."""
        self._active = set[Key]()
        self._update(map(decision, database.rows(f"{_SELECT} ORDER BY last_seen")))
        self._pruned_at = 0

    def rows_of_holds(self, holds: Iterable[Hold], at: int) -> tuple[Decision, ...]:
        """The rows to write for these holds."""
        joined: dict[Key, Decision] = {}
        for hold in holds:
            fresh = Decision(hold.subject, hold.reason.value, True, clean(hold.message), at, at, hold.ours)
            key = _key(fresh)
            other = joined.get(key)
            joined[key] = (
                fresh if other is None else replace(other, message=f"{other.message}; {fresh.message}")
            )
        return tuple(d for d in map(self._refreshed, joined.values()) if d is not None)

    def rows_of_ended(self, holds: Sequence[Hold], at: int) -> tuple[Decision, ...]:
        """The rows to write for recorded holds that are not among these."""
        here = {(clean(hold.subject.name), hold.reason.value) for hold in holds}
        reasons = {reason for _, reason in here}
        gone = (self._known[key] for key in sorted(self._active - here))
        return tuple(replace(d, ended_at=at) for d in gone if _may_end(d, reasons))

    def rows_of_results(self, outcomes: Sequence[EffectResult]) -> tuple[Decision, ...]:
        """The rows to write for these results."""
        latest: dict[Key, Decision] = {}
        for each in outcomes:
            message = clean(f"{each.effect}: {describe_outcome(each.outcome)}")
            fresh = Decision(each.key.subject, each.key.kind, False, message, each.at, each.at, True)
            latest[_key(fresh)] = fresh
        return tuple(latest.values())

    def rows_of_landed(self, ends: Iterable[Confirmation], at: int) -> tuple[Decision, ...]:
        """The rows to write for the messages of landed transactions."""
        landed = (end for end in ends if end.outcome is IntentOutcome.LANDED)
        return self.rows_of_results(
            [
                message_result(message, Done(f"block {end.height}, transaction {end.intent.hash[:12]}"), at)
                for end in landed
                for message in end.intent.messages
            ]
        )

    def write(self, rows: Sequence[Decision]) -> None:
        """Write them, within the caller's transaction."""
        self._database.execute_all(
            _UPSERT,
            [
                (*_key(d), d.held, d.ours, d.message, d.first_seen, d.last_seen, d.ended_at, *_order(d))
                for d in rows
            ],
        )

    def update_cache(self, rows: Sequence[Decision], at: int) -> None:
        """Update the cache after the transaction is committed, and prune old rows once an hour."""
        if not rows:
            return
        self._update(rows)
        if not 0 <= at - self._pruned_at < PRUNE_SECONDS:
            self._pruned_at = at
            self._prune(at)

    def _refreshed(self, fresh: Decision) -> Decision | None:
        known = self._known.get(_key(fresh))
        if known is None:
            return fresh
        refresh = OURS_REFRESH_SECONDS if fresh.ours else OTHERS_REFRESH_SECONDS
        gap = fresh.last_seen - max(known.last_seen, known.ended_at)
        same = (known.message, known.held, known.ours) == (fresh.message, fresh.held, fresh.ours)
        if same and not known.ended_at and 0 <= gap < refresh:
            return None
        return replace(fresh, first_seen=known.first_seen) if 0 <= gap <= CONTINUITY_SECONDS else fresh

    def _update(self, rows: Iterable[Decision]) -> None:
        for each in rows:
            key = _key(each)
            before = self._known.get(key)
            if before is None or (before.ours, before.last_seen) != (each.ours, each.last_seen):
                if before is not None:
                    del self._by_age[before.ours][key]
                self._by_age[each.ours][key] = None
            self._known[key] = each
            (self._active.add if each.is_active else self._active.discard)(key)

    def _prune(self, at: int) -> None:
        """Delete what is too old, and the oldest beyond the most; reads no more rows than it deletes."""
        old = [key for keys in self._by_age for key in self._too_old(keys, at)]
        spare = len(self._known) - len(old) - KEPT_MAX
        if spare > 0:
            gone = set(old)
            rest = (key for keys in self._by_age for key in keys if key not in gone)
            old.extend(islice(rest, spare))
        if not old:
            return
        with self._database.transaction():
            self._database.execute_all("DELETE FROM decisions WHERE subject = ? AND reason = ?", old)
        for key in old:
            del self._by_age[self._known.pop(key).ours][key]
        self._active.difference_update(old)

    def _too_old(self, keys: Iterable[Key], at: int) -> Iterator[Key]:
        known = self._known
        return takewhile(lambda key: at - known[key].last_seen > _kept_seconds(known[key]), keys)


def _may_end(hold: Decision, reasons: set[str]) -> bool:
    """Whether an absent hold has ended. While the chain is unseen, only holds about unseen sources end; while
    a cluster is unseen, no holds on our own objects do.
    """
    if hold.reason in UNSEEN:
        return True
    if Reason.CHAIN_UNSEEN.value in reasons:
        return False
    return not (hold.ours and reasons & BLIND)


def _key(decided: Decision) -> Key:
    return clean(decided.subject.name), decided.reason


def _order(decided: Decision) -> tuple[str, str, str]:
    """The order that it concerns, its owner and its deployment's number; "" for none."""
    order = decided.subject.order
    return (clean(str(order)), clean(order.owner), str(order.dseq)) if order else ("", "", "")


def _kept_seconds(row: Decision) -> int:
    return OURS_KEPT_SECONDS if row.ours else OTHERS_KEPT_SECONDS


def decision(row: tuple[str, str, int, str, int, int, int, int]) -> Decision:
    """A row of the table as a value."""
    subject, reason, held, message, first_seen, last_seen, ours, ended_at = row
    return Decision(
        Subject.parse(subject), reason, bool(held), message, first_seen, last_seen, bool(ours), ended_at
    )


def clean(text: str) -> str:
    """The text without lone surrogates, which SQLite cannot store; they occur in malformed file names."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def find(database: Database, subject: Subject, at_most: int) -> tuple[Decision, ...]:
    """Decisions on a subject, newest first; an order includes those on bids on it, a deployment or owner
    those on its orders.
    """
    values: tuple[str, ...]
    if isinstance(subject.id, DeploymentId):
        where, values = "owner = ? AND dseq = ?", (clean(subject.id.owner), str(subject.id.dseq))
    elif isinstance(subject.id, OrderId):
        where, values = "order_id = ?", (clean(subject.name),)
    elif subject.name and subject.kind in (SubjectKind.ADAPTER, SubjectKind.PROVIDER):
        where, values = "subject = ? OR owner = ?", (clean(subject.name),) * 2
    else:
        where, values = "subject = ?", (clean(subject.name),)
    query = f"{_SELECT} WHERE {where} ORDER BY last_seen DESC, subject, reason LIMIT ?"
    return tuple(map(decision, database.rows(query, (*values, at_most))))


def orders_of(database: Database, dseq: int) -> tuple[str, ...]:
    """The ids of the orders of a deployment's number that have decisions."""
    rows = database.rows("SELECT DISTINCT order_id FROM decisions WHERE dseq = ? ORDER BY 1", (str(dseq),))
    return tuple(order for (order,) in rows)


def latest(database: Database, at_most: int) -> tuple[Decision, ...]:
    """Decisions on all subjects, newest first, ours before others of the same second."""
    rows = database.rows(f"{_SELECT} ORDER BY last_seen DESC, ours DESC, subject, reason LIMIT ?", (at_most,))
    return tuple(map(decision, rows))
