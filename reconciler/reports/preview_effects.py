"""The effects of a change: which objects it affects and how, and what is withheld."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.reports.grouping import LineKind, PlanLine, SubjectEntry, entries
from reconciler.reports.preview_rows import change_text, percent
from reconciler.values.plans import Reason
from reconciler.values.preview import FileChange, Preview, WorkloadChange
from reconciler.values.subjects import SubjectKind

VERBS = ("closed", "left without a file", "paused", "created", "created, paused", "changed", "resumed")
"""Changes of a workload; those that stop something come first."""
COUNTED = (SubjectKind.WORKLOAD, SubjectKind.ADAPTER, SubjectKind.FILE)
"""Objects that a headline counts; a transaction only sums up others."""


@dataclass(frozen=True, slots=True)
class Effects:
    """`affected` has the lines of the new plan that the old one lacks, by object; `done` and `withheld` are
    the changed workloads, those that stop something first; `nothing` is the reason if nothing is done.
    """

    affected: tuple[SubjectEntry, ...]
    done: tuple[WorkloadChange, ...]
    withheld: tuple[WorkloadChange, ...]
    nothing: str = ""


def effects_of(preview: Preview) -> Effects:
    """Splits a change into effects and holds."""
    affected = tuple(_differences(preview))
    stopped = _stopped(preview, affected)
    rank = {verb: number for number, verb in enumerate(VERBS)}
    ordered = sorted(preview.workloads, key=lambda each: (rank.get(each.verb, len(VERBS)), each.id))
    done = tuple(each for each in ordered if each.id not in stopped)
    withheld = tuple(each for each in ordered if each.id in stopped)
    acts = any(lines_with(entry, LineKind.DONE) for entry in affected) or preview.orders or preview.prices
    nothing = "" if preview.is_admitted and acts else _no_changes(preview, done)
    return Effects(affected, done, withheld, nothing)


def headline(preview: Preview, effects: Effects) -> str:
    """`2 changed, 1 closed, 199 held; prices +39.6 %`, or that nothing takes effect and why."""
    if not preview.changes:
        return "nothing changes: no file of this provider differs"
    parts = [f"nothing takes effect: {effects.nothing}"] if effects.nothing else [*_counts(preview, effects)]
    if held := _held(effects):
        parts.append(f"{held} held")
    prices = _prices(preview) if preview.is_admitted else ""
    return "; ".join(part for part in (", ".join(parts), prices) if part)


def lines_with(entry: SubjectEntry, *kinds: LineKind) -> tuple[PlanLine, ...]:
    """The lines of an object of these kinds."""
    return tuple(line for line in entry.lines if line.kind in kinds)


def _differences(preview: Preview) -> Iterator[SubjectEntry]:
    """Without orders, limits and errors, which have their own sections."""
    before = set(preview.before.holds) | set(preview.ceilings)
    fresh = tuple(
        hold for hold in preview.after.holds if hold not in before and hold.reason is not Reason.FILE_FAULTY
    )
    known = {entry.subject: set(entry.lines) for entry in entries(replace(preview.before, holds=()))}
    for entry in entries(replace(preview.after, holds=fresh)):
        lines = tuple(line for line in entry.lines if line not in known.get(entry.subject, ()))
        if lines and entry.subject.kind is not SubjectKind.ORDER:
            yield SubjectEntry(entry.subject, lines)


def _stopped(preview: Preview, affected: Sequence[SubjectEntry]) -> frozenset[str]:
    """The changed workloads without effect: held, or their revision is not in force."""
    changed = {each.id for each in preview.workloads}
    if not preview.is_admitted:
        return frozenset(changed)
    done = {entry.subject.name for entry in affected if lines_with(entry, LineKind.DONE)}
    held = {hold.subject.name for hold in preview.after.holds}
    return frozenset((changed & held) - done)


def _no_changes(preview: Preview, done: Sequence[WorkloadChange]) -> str:
    if not preview.is_admitted:
        reasons = ", ".join(dict.fromkeys(hold.reason.value for hold in preview.ceilings))
        return f"held back by {reasons}" if reasons else "another revision stays in force"
    causes = [_without_effect(preview, file, done) for file in preview.files]
    return "" if "" in causes else " and ".join(dict.fromkeys(causes))


def _without_effect(preview: Preview, file: FileChange, done: Sequence[WorkloadChange]) -> str:
    """Why a changed file has no effect; "" if it has one."""
    faults = [fault for fault in preview.faults if fault.path == file.path]
    if any(not fault.warning for fault in faults):
        return "its files have errors"
    if any(fault.rule == "files" for fault in faults):
        return "its files are not read"
    if file.path in {each.path for each in preview.workloads}:
        return "" if file.path in {each.path for each in done} else "all of it is withheld"
    if file.path.startswith("workloads/") or (file.verb == "changed" and not file.fields):
        return "only comments, order or format differ"
    return ""


def _counts(preview: Preview, effects: Effects) -> Iterator[str]:
    """Workloads by change, else files; then other affected objects."""
    counted = Counter(each.verb for each in effects.done)
    yield from (f"{counted[verb]} {verb}" for verb in VERBS if counted[verb])
    listed = {each.id for each in preview.workloads}
    others = sum(
        entry.subject.kind in COUNTED
        and entry.subject.name not in listed
        and bool(lines_with(entry, LineKind.DONE))
        for entry in effects.affected
    )
    if others:
        yield f"{others} more affected"
    if preview.orders:
        yield f"{len(preview.orders)} open order{'s' if len(preview.orders) > 1 else ''} decided otherwise"
    if not (counted or others or preview.orders or preview.prices):
        yield f"{len(preview.files)} file{'s' if len(preview.files) > 1 else ''} changed"


def _held(effects: Effects) -> int:
    listed = {each.id for each in (*effects.done, *effects.withheld)}
    others = sum(
        entry.subject.name not in listed
        and not lines_with(entry, LineKind.DONE)
        and bool(lines_with(entry, LineKind.HELD))
        for entry in effects.affected
    )
    return len(effects.withheld) + others


def _prices(preview: Preview) -> str:
    changes = [change for price in preview.prices if (change := percent(price)) is not None]
    if not changes:
        return "prices set" if any(price.old is None for price in preview.prices) else ""
    low, high = min(changes), max(changes)
    return f"prices {change_text(low)}" + (f" to {change_text(high)}" if low != high else "")
