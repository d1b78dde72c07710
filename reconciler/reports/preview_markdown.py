"""A preview as a comment on a pull request: urgent sections first, details folded, all text escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from reconciler.reports.preview import Group, Section, report_of
from reconciler.values.markdown import cell, table
from reconciler.values.preview import Preview

CHARACTERS_MAX = 6_000
"""Per section, after escaping: a comment has 65,536, and no section may crowd out another."""
ROWS_MAX = 50
"""Rows or groups of one section."""
LINES_MAX = 20
"""Lines of one group."""
_COMMAND = re.compile("&#96;(provider-daemon [A-Za-z0-9 -]+)&#96;")
"""A command, made of characters without meaning in Markdown."""
WHERE = "`provider-daemon plan` on a clone shows all"


def preview_markdown(preview: Preview) -> str:
    """The preview in Markdown; text from outside cannot become a link, mention, HTML or table."""
    report = report_of(preview)
    lines = (
        f"### Effects of merging this on {cell(preview.basis.provider)}: {cell(report.headline)}",
        "",
        f"`{preview.base[:12]}` to `{preview.head[:12]}`",
        *sections_markdown(report.sections),
    )
    return "\n".join(lines) + "\n"


def sections_markdown(sections: Iterable[Section]) -> Iterator[str]:
    """The sections, each after an empty line; only urgent ones cannot be folded."""
    for section in sections:
        yield ""
        yield from _urgent(section) if section.urgent else _folded(section)


def _urgent(section: Section) -> Iterator[str]:
    count = len(section.groups)
    yield f"**{section.title}{f' ({count})' if count > 1 else ''}**"
    yield ""
    if section.lead:
        yield _escaped(section.lead)
        yield ""
    rows = (f"- {_escaped(line)}" for group in section.groups[:ROWS_MAX] for line in group.lines)
    yield from _bounded(rows)
    yield from _more(len(section.groups))


def _folded(section: Section) -> Iterator[str]:
    count = len(section.table.rows) if section.table else len(section.groups)
    title = f"{section.title} ({count})" if count else section.title
    yield f"<details{' open' if _is_short(section) else ''}><summary>{title}</summary>"
    yield ""
    if section.lead:
        yield _escaped(section.lead)
        yield ""
    if section.table and section.table.rows:
        rows = [[_escaped(text) for text in row] for row in section.table.rows[:ROWS_MAX]]
        yield from _bounded(table(section.table.head, rows).split("\n"))
        yield from _more(len(section.table.rows))
    yield from _bounded(line for group in section.groups[:ROWS_MAX] for line in _group(group))
    yield from _more(len(section.groups))
    yield ""
    yield "</details>"


def _group(group: Group) -> Iterator[str]:
    indent = ""
    if group.name:
        yield f"- {cell(group.name)}"
        indent = "  "
    yield from (f"{indent}- {_escaped(line)}" for line in group.lines[:LINES_MAX])
    if len(group.lines) > LINES_MAX:
        yield f"{indent}- and {len(group.lines) - LINES_MAX} more"


def _bounded(lines: Iterable[str]) -> Iterator[str]:
    """The lines that fit into a section."""
    room = CHARACTERS_MAX
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            yield ""
            yield f"and more; {WHERE}"
            return
        yield line


def _escaped(text: str) -> str:
    """Our own text: arrows of one character, which do not wrap, and commands as code."""
    return _COMMAND.sub(r"`\1`", cell(text.replace(" -> ", " \u2192 ")))


def _is_short(section: Section) -> bool:
    """Short enough to be unfolded."""
    rows = len(section.table.rows) if section.table else 0
    return rows + sum(1 + len(group.lines) for group in section.groups) <= 12


def _more(count: int) -> Iterator[str]:
    if count > ROWS_MAX:
        yield ""
        yield f"and {count - ROWS_MAX} more; {WHERE}"
