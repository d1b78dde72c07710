"""A plan as text: effects and holds, grouped by object."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.reports.grouping import PREFIXES, LineKind, SubjectEntry, entries
from reconciler.values.plans import Plan
from reconciler.values.subjects import SubjectKind
from reconciler.values.text import printable

_TITLES = {
    SubjectKind.PROVIDER: "Provider",
    SubjectKind.FILE: "Files",
    SubjectKind.ORDER: "Orders",
    SubjectKind.WORKLOAD: "Workloads",
    SubjectKind.ADAPTER: "Adapters",
    SubjectKind.TRANSACTION: "Transactions",
}


def plan_text(plan: Plan) -> str:
    """The plan as lines: `+` planned, `-` held with its reason, `~` observed."""
    return "\n".join(_lines(plan)) + "\n"


def headline(plan: Plan) -> str:
    """One line: the revision and the counts."""
    revision = f"commit {plan.revision[:12]}" if plan.revision else "no commit that could be applied"
    done = _count(len(plan.actions), "action") if plan.actions else "nothing to do"
    return f"Plan for {revision}: {done}, {len(plan.holds)} held"


def _lines(plan: Plan) -> Iterator[str]:
    yield headline(plan)
    kind: SubjectKind | None = None
    for entry in entries(plan):
        if entry.subject.kind is not kind:
            kind = entry.subject.kind
            yield f"\n{_TITLES[kind]}"
        yield from _entry(entry)


def _entry(entry: SubjectEntry) -> Iterator[str]:
    indent = "  "
    if entry.subject.name:
        yield f"  {printable(entry.subject.name)}"
        indent = "    "
    for line in entry.lines:
        word = "held, " if line.kind is LineKind.HELD else ""
        yield f"{indent}{PREFIXES[line.kind]} {word}{printable(line.text)}"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
