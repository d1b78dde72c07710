"""A preview as sections: errors, consequences, then details."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from reconciler.reports.grouping import LineKind, SubjectEntry
from reconciler.reports.preview_effects import Effects, effects_of, headline, lines_with
from reconciler.reports.preview_rows import Cell, price_row, room_rows, size_text
from reconciler.values.money import group_amounts, grouped, plain
from reconciler.values.preview import BidDecision, FileChange, Preview, WorkloadChange
from reconciler.values.subjects import Subject


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A head, and rows with the same number of cells."""

    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Lines about one object; the name "" for single lines."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the report; `urgent` ones are never folded."""

    title: str
    lead: str = ""
    table: ReportTable | None = None
    groups: tuple[Group, ...] = ()
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """A headline, and the sections that are not empty."""

    headline: str
    sections: tuple[Section, ...]


def report_of(preview: Preview) -> Report:
    """The report; effects come before holds, which may be many."""
    effects = effects_of(preview)
    made = (
        _faults(preview),
        _ceilings(preview),
        _warnings(preview),
        _done(preview, effects),
        _files(preview),
        _prices(preview),
        _orders(preview),
        _moves(preview),
        _withheld(preview, effects),
        _capacity(preview),
        Section("Assumptions", groups=_plain(_notes(preview))),
    )
    sections = tuple(s for s in made if s.lead or s.groups or (s.table and s.table.rows))
    return Report(headline(preview, effects), sections)


def _faults(preview: Preview) -> Section:
    errors = [f.describe() for f in preview.faults if not f.warning]
    lead = "These files are not applied; the last valid version of each stays in force." if errors else ""
    return Section("Errors", lead, groups=_plain(errors), urgent=True)


def _ceilings(preview: Preview) -> Section:
    found = [f"{h.subject}: {h.reason}: {h.message}" for h in preview.ceilings]
    lead = "Limits of the host file withhold this." if found else ""
    if any(h.approval for h in preview.ceilings):
        lead += " Once merged, it waits for the owner's approval with the digest shown here."
    return Section("Limits exceeded", lead, groups=_plain(found), urgent=True)


def _warnings(preview: Preview) -> Section:
    warnings = [f.describe() for f in preview.faults if f.warning]
    return Section("Warnings", groups=_plain([*preview.warnings, *warnings]), urgent=True)


def _files(preview: Preview) -> Section:
    """Changed fields of a workload are listed with its effects instead."""
    workloads = {change.path for change in preview.workloads}
    faulty = {fault.path for fault in preview.faults if not fault.warning}
    groups = []
    for file in sorted(preview.files, key=lambda each: "/" in each.path):
        if file.path in workloads and file.path not in faulty:
            continue
        word = f"renamed from {file.was}" if file.was else file.verb
        lines = _fields(file)
        if file.path in faulty:
            lines = ("it has errors and is not applied",)
        groups.append(Group(f"{file.path} ({word})", lines))
    return Section("Files", groups=tuple(groups))


def _fields(file: FileChange) -> tuple[str, ...]:
    if file.verb == "changed" and not file.fields:
        return ("only comments, order or format differ",)
    return tuple(f"{f.name}: {f.old or '(none)'} -> {f.new or '(none)'}" for f in file.fields)


def _prices(preview: Preview) -> Section:
    if not preview.prices:
        return Section("Prices")
    costs = preview.costs
    sizes = "; ".join(size_text(price) for price in preview.prices)
    lead = (
        f"In uve a block of {plain(costs.block_seconds)} s: {sizes}. Net is the income of 30 days after the "
        f"chain's take of {costs.take_percent} % and {costs.month_fees:,}uve of fees."
    )
    if not preview.is_admitted:
        lead = f"Not in force while the commit is held. {lead}"
    head = ("order", "a block", "change", "net of 30 days")
    return Section("Prices", lead, ReportTable(head, tuple(price_row(p) for p in preview.prices)))


def _orders(preview: Preview) -> Section:
    if not preview.changes:
        return Section("Open orders")
    same = preview.orders_open - len(preview.orders)
    lead = f"{_count(preview.orders_open, 'order')} open on the chain; for {same} nothing changes."
    if preview.bids_open:
        keep = "keeps its price" if preview.bids_open == 1 else "keep their prices"
        lead += (
            f" Our {_count(preview.bids_open, 'open bid')} {keep}: the chain takes one bid an order and "
            "provider, so an open bid cannot be replaced."
        )
    rows = tuple((str(o.order), _verdict(o.old), _verdict(o.new)) for o in preview.orders)
    return Section("Open orders", lead, ReportTable(("order", "before", "after"), rows))


def _moves(preview: Preview) -> Section:
    """Price changes that the table of open orders does not show."""
    shown = {str(change.order) for change in preview.orders}
    moves = [move for move in preview.moves if move.id not in shown]
    if not moves:
        return Section("Prices of other orders, and of leases billed by usage")
    lead = "In uve a block, by the tables of pricing.yaml; the decision on these orders stays the same."
    rows = tuple((f"{each.subject} {each.id}", _amount(each.old), _amount(each.new)) for each in moves)
    table = ReportTable(("order or lease", "before", "after"), rows)
    return Section("Prices of other orders, and of leases billed by usage", lead, table)


def _amount(amount: Decimal | None) -> str:
    return "-" if amount is None else grouped(amount)


def _verdict(verdict: BidDecision) -> str:
    if verdict.bid is not None:
        return f"bid {grouped(verdict.bid)}uve a block"
    return f"no bid, {verdict.reason}: {group_amounts(verdict.message)}" if verdict.reason else "no decision"


def _done(preview: Preview, effects: Effects) -> Section:
    groups = _objects(preview, effects, effects.done, (LineKind.SEEN, LineKind.DONE))
    return Section("Effects of the merge", groups=tuple(groups))


def _withheld(preview: Preview, effects: Effects) -> Section:
    return Section("Holds", groups=tuple(_objects(preview, effects, effects.withheld, (LineKind.HELD,))))


def _objects(
    preview: Preview, effects: Effects, changed: Sequence[WorkloadChange], kinds: tuple[LineKind, ...]
) -> Iterator[Group]:
    """The changed workloads first, with their fields, then other affected objects."""
    files = {file.path: _fields(file) for file in preview.files}
    listed = {entry.subject.name: _lines(entry, kinds) for entry in effects.affected}
    for each in changed:
        yield Group(f"{each.id}: {each.verb}", (*files.get(each.path, ()), *listed.get(each.id, ())))
    names = {each.id for each in changed}
    for entry in effects.affected:
        if entry.subject.name not in names and lines_with(entry, *kinds):
            yield Group(_named(entry.subject), _lines(entry, kinds))


def _named(subject: Subject) -> str:
    return subject.name or "the provider"


def _lines(entry: SubjectEntry, kinds: tuple[LineKind, ...]) -> tuple[str, ...]:
    return tuple(group_amounts(line.text) for line in lines_with(entry, *kinds))


def _capacity(preview: Preview) -> Section:
    before, after = preview.rooms
    if before is None or after is None or before == after:
        return Section("Capacity")
    rows = tuple(room_rows(before, after))
    head = ("", "allocatable", "free after planned bids")
    return Section("Capacity", table=ReportTable(head, rows))


def _notes(preview: Preview) -> list[str]:
    basis = preview.basis
    applied = basis.applied[:12] or "no commit yet"
    seen = f"Planned on the state of {basis.chain_id} that {basis.provider} saw at height {basis.height}"
    return [f"{seen}; it has applied {applied}.", *preview.notes]


def _plain(lines: Sequence[str]) -> tuple[Group, ...]:
    return tuple(Group("", (line,)) for line in lines)


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
