"""A preview sorted into sections, as a person reads it: what is wrong, what it means, then the details."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from reconciler.reports.grouping import Entry, Kind, Line, Sign, Subject, entries
from reconciler.values.money import plain
from reconciler.values.preview import FileChange, Preview, Price, Quote, Room, Verdict
from reconciler.values.resources import MB, Resources

Cell = str

UNITS = (
    ("cpu", "cpu_milli", 1, "m"),
    ("memory", "memory_bytes", MB, " MB"),
    ("storage", "storage_bytes", MB, " MB"),
    ("gpu", "gpu", 1, ""),
)
"""What capacity is told in: name, field, divisor, sign."""


@dataclass(frozen=True, slots=True)
class Table:
    """A head and rows of as many cells."""

    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Lines about one thing, by its name; "" for lines that stand alone."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the report; `urgent` are those that must be seen without being looked for."""

    title: str
    lead: str = ""
    table: Table | None = None
    groups: tuple[Group, ...] = ()
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """One sentence on how much changes, and the sections that have something to say."""

    headline: str
    sections: tuple[Section, ...]


def report_of(preview: Preview) -> Report:
    """The preview as a person reads it."""
    touched = _differences(preview)
    made = (
        _faults(preview),
        _ceilings(preview),
        _warnings(preview),
        _files(preview.files),
        _prices(preview),
        _orders(preview),
        _effects(touched),
        _capacity(preview),
        Section("How sure this is", groups=_plain(_notes(preview))),
    )
    told = tuple(s for s in made if s.lead or s.groups or (s.table and s.table.rows))
    return Report(_headline(preview, len(touched)), told)


def _headline(preview: Preview, touched: int) -> str:
    if not preview.changes:
        return "Nothing changes: no file of this provider differs."
    counted = [
        _count(len(preview.files), "file"),
        _count(len(preview.orders), "open order") + " decided otherwise",
        _count(touched, "object") + " affected",
    ]
    return "Changes " + ", ".join(counted) + "."


def _faults(preview: Preview) -> Section:
    errors = [f.show() for f in preview.faults if not f.warning]
    lead = "These files are not applied; the last good version of each goes on." if errors else ""
    return Section("Errors", lead, groups=_plain(errors), urgent=True)


def _ceilings(preview: Preview) -> Section:
    found = [f"{h.subject}: {h.reason}: {h.message}" for h in preview.ceilings]
    lead = "The host file's limits hold this back, whoever merges it." if found else ""
    return Section("Limits that are hit", lead, groups=_plain(found), urgent=True)


def _warnings(preview: Preview) -> Section:
    told = [f.show() for f in preview.faults if f.warning]
    return Section("What it means for money", groups=_plain([*preview.warnings, *told]), urgent=True)


def _files(files: Sequence[FileChange]) -> Section:
    groups = []
    for file in files:
        word = f"renamed from {file.was}" if file.was else file.verb
        lines = [f"{f.name}: {f.old or '(none)'} -> {f.new or '(none)'}" for f in file.fields]
        if file.verb == "changed" and not lines:
            lines = ["only comments, order or form differ; nothing that is read"]
        groups.append(Group(f"{file.path} ({word})", tuple(lines)))
    return Section("Files", groups=tuple(groups))


def _prices(preview: Preview) -> Section:
    if not preview.prices:
        return Section("Prices")
    costs = preview.costs
    lead = (
        f"In uve, at {plain(costs.block_seconds)} s a block. Net is what 30 days leave after the chain's "
        f"take of {costs.take_percent} % and {costs.month_fees}uve of fees (bid, withdrawals, closing)."
    )
    head = ("order", "a block", "change", "an hour", "30 days", "net of 30 days", "fees earned back in")
    return Section("Prices", lead, Table(head, tuple(_price_row(p) for p in preview.prices)))


def _price_row(price: Price) -> tuple[Cell, ...]:
    return (
        f"{price.name} ({_size(price.resources)})",
        _both(price, lambda quote: plain(quote.rate)),
        _percent(price.old, price.new),
        _both(price, lambda quote: _whole(quote.hour)),
        _both(price, lambda quote: _whole(quote.month)),
        _both(price, lambda quote: str(quote.net)),
        _both(price, _hours),
    )


def _orders(preview: Preview) -> Section:
    if not preview.changes:
        return Section("Open orders")
    same = preview.orders_open - len(preview.orders)
    lead = f"{_count(preview.orders_open, 'order')} open on the chain; for {same} nothing changes."
    if preview.bids_open:
        keep = "keeps its price" if preview.bids_open == 1 else "keep their prices"
        lead += (
            f" Our {_count(preview.bids_open, 'open bid')} {keep}: the chain takes one bid an order and "
            "provider, so one that is made cannot be made anew."
        )
    rows = tuple((str(o.order), _verdict(o.old), _verdict(o.new)) for o in preview.orders)
    return Section("Open orders", lead, Table(("order", "before", "after"), rows))


def _verdict(verdict: Verdict) -> str:
    if verdict.bid is not None:
        return f"bid {plain(verdict.bid)}uve a block"
    return f"no bid, {verdict.reason}: {verdict.message}" if verdict.reason else "nothing decided"


def _effects(touched: Sequence[Entry]) -> Section:
    groups = tuple(Group(_named(entry.subject), _lines(entry)) for entry in touched)
    lead = "Once it is merged: + is done, - is withheld with its reason." if groups else ""
    return Section("Workloads and the rest", lead, groups=groups)


def _differences(preview: Preview) -> tuple[Entry, ...]:
    """What the new plan says of each object and the old one does not; orders have a section of their own, and
    limits stand above.
    """
    before = set(preview.before.holds) | set(preview.ceilings)
    fresh = tuple(hold for hold in preview.after.holds if hold not in before)
    known = {entry.subject: set(entry.lines) for entry in entries(replace(preview.before, holds=()))}
    found = []
    for entry in entries(replace(preview.after, holds=fresh)):
        lines = tuple(line for line in entry.lines if line not in known.get(entry.subject, ()))
        if lines and entry.subject.kind is not Kind.ORDER:
            found.append(Entry(entry.subject, lines))
    return tuple(found)


def _named(subject: Subject) -> str:
    return subject.id or "the provider"


def _lines(entry: Entry) -> tuple[str, ...]:
    return tuple(_line(line) for line in entry.lines)


def _line(line: Line) -> str:
    sign = {Sign.SEEN: "~", Sign.DONE: "+", Sign.HELD: "-"}[line.sign]
    return f"{sign} {line.text}"


def _capacity(preview: Preview) -> Section:
    before, after = preview.rooms
    if before is None or after is None or before == after:
        return Section("Capacity")
    rows = tuple(_room_rows(before, after))
    head = ("", "to promise", "free once the bids are made")
    return Section("Capacity", table=Table(head, rows))


def _room_rows(before: Room, after: Room) -> Iterator[tuple[Cell, ...]]:
    for name, field, unit, sign in UNITS:
        cells = []
        for part in ("usable", "free"):
            old, new = (getattr(getattr(room, part), field) // unit for room in (before, after))
            cells.append(f"{old}{sign}" if old == new else f"{old}{sign} -> {new}{sign}")
        yield (name, *cells)


def _notes(preview: Preview) -> list[str]:
    sight = preview.sight
    applied = sight.applied[:12] or "no commit yet"
    seen = f"Planned on what {sight.provider} saw on {sight.chain_id} at height {sight.height}"
    return [f"{seen}; it has applied {applied}.", *preview.notes]


def _plain(lines: Sequence[str]) -> tuple[Group, ...]:
    return tuple(Group("", (line,)) for line in lines)


def _size(resources: Resources) -> str:
    gpu = f", {resources.gpu} gpu" if resources.gpu else ""
    return f"{resources.cpu_milli}m, {resources.memory_bytes // MB} MB{gpu}"


def _both(price: Price, show: Callable[[Quote], str]) -> str:
    old, new = (show(quote) if quote else "-" for quote in (price.old, price.new))
    return old if old == new else f"{old} -> {new}"


def _percent(old: Quote | None, new: Quote | None) -> str:
    if old is None or new is None or old.rate == 0:
        return "-"
    change = (new.rate - old.rate) * 100 / old.rate
    return f"{round(change, 1):+f}".rstrip("0").rstrip(".") + " %" if change else "0 %"


def _whole(amount: Decimal) -> str:
    return plain(round(amount, 2)) if amount < 10 else str(round(amount))


def _hours(quote: Quote) -> str:
    if quote.break_even_seconds is None:
        return "never"
    minutes = -(-quote.break_even_seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{plain(Decimal(round(minutes / 60, 1)))} h"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
