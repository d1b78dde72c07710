"""A preview for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.reports.columns import table
from reconciler.reports.preview import Section, report_of
from reconciler.values.preview import Preview
from reconciler.values.text import printable


def preview_text(preview: Preview) -> str:
    """The preview as lines; text from outside cannot move the cursor."""
    return "\n".join(_lines(preview)) + "\n"


def _lines(preview: Preview) -> Iterator[str]:
    report = report_of(preview)
    yield f"From {preview.base[:12]} to {preview.head[:12]}: {report.headline}."
    for section in report.sections:
        yield ""
        yield section.title
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    if section.lead:
        yield f"  {printable(section.lead)}"
    if section.table and section.table.rows:
        yield from (f"  {line}" for line in table(section.table.head, section.table.rows))
    for group in section.groups:
        indent = "  "
        if group.name:
            yield f"  {printable(group.name)}"
            indent = "    "
        yield from (f"{indent}{printable(line)}" for line in group.lines)
