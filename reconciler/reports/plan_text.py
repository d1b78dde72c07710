"""A plan as a person reads it: object by object, what would be done, what is withheld, and why."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.reports.grouping import SIGNS, Entry, Kind, Sign, entries
from reconciler.values.plans import Plan

_TITLES = {
    Kind.PROVIDER: "Provider",
    Kind.FILE: "Files",
    Kind.ORDER: "Orders",
    Kind.WORKLOAD: "Workloads",
    Kind.ADAPTER: "Adapters",
    Kind.TRANSACTION: "Transactions",
}

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def plan_text(plan: Plan) -> str:
    """The plan in lines: `+` is done, `-` is withheld with its reason, `~` was observed."""
    return "\n".join(_lines(plan)) + "\n"


def headline(plan: Plan) -> str:
    """One line: the revision and the counts."""
    revision = f"commit {plan.revision[:12]}" if plan.revision else "no commit that could be applied"
    done = _count(len(plan.actions), "action") if plan.actions else "nothing to do"
    return f"Plan for {revision}: {done}, {len(plan.holds)} held"


def printable(text: str) -> str:
    """The text with what would move a terminal's cursor or turn its writing made visible: strangers write
    parts of it.
    """
    return _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _lines(plan: Plan) -> Iterator[str]:
    yield headline(plan)
    kind: Kind | None = None
    for entry in entries(plan):
        if entry.subject.kind is not kind:
            kind = entry.subject.kind
            yield f"\n{_TITLES[kind]}"
        yield from _entry(entry)


def _entry(entry: Entry) -> Iterator[str]:
    indent = "  "
    if entry.subject.id:
        yield f"  {printable(entry.subject.id)}"
        indent = "    "
    for line in entry.lines:
        word = "held, " if line.sign is Sign.HELD else ""
        yield f"{indent}{SIGNS[line.sign]} {word}{printable(line.text)}"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
