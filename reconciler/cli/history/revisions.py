"""`provider-daemon history`: the revisions that were applied or not, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.cli.history.history_source import read
from reconciler.cli.history.source_options import host_settings, place_in_clone, place_on_host, place_options
from reconciler.cli.options import echo_structured, output_option, terminal_width
from reconciler.journal.database import NAME
from reconciler.journal.opening import open_records
from reconciler.reports.columns import table
from reconciler.reports.history import CommitOutcome, HistoryEntry
from reconciler.values.records import PastRevision
from reconciler.values.revision_verdict import VerdictKind
from reconciler.values.times import utc_text

COLUMNS = ("COMMIT", "OUTCOME", "AT", "UNTIL", "PLAN", "AUTHOR", "SUBJECT")


@dataclass(frozen=True, slots=True)
class Row:
    """A revision and its outcome: since and until when (unix seconds, 0: still), and by which plan."""

    commit: str
    outcome: str
    at: int
    until: int
    plan_digest: str
    author: str
    subject: str
    why: str = ""
    reverts: str = ""


@click.command()
@place_options
@output_option
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    help="Maximum number of revisions.",
)
def history(host: Path | None, clone: Path | None, output: str, limit: int, **words: str) -> None:
    """Show the revisions that the daemon evaluated, newest first: applied, held, refused or superseded, since
    when, and by which plan.

    Reads the journal on the daemon's host, which has the reasons; elsewhere the status branch of a clone.
    """
    settings = host_settings(host, clone)
    if settings is not None and (settings.state / NAME).exists():
        rows = _of_journal(settings.state, limit)
    else:
        found = read(place_on_host(settings) if settings else place_in_clone(clone, **words))
        rows = _of_entries([each for each in found.entries if each.is_revision])[:limit]
        if found.missing:
            click.echo(found.missing, err=True)
    if echo_structured([_fields(row) for row in rows], output):
        return
    _print(rows, terminal_width(output))


def _print(rows: Sequence[Row], width: int | None) -> None:
    if not rows:
        click.echo("no revision is recorded")
        return
    cells = [
        (
            row.commit[:12],
            row.outcome,
            utc_text(row.at),
            utc_text(row.until) if row.until else "-",
            row.plan_digest[:12],
            row.author,
            row.subject + (f" (reverts {row.reverts[:12]})" if row.reverts else ""),
        )
        for row in rows
    ]
    for line, row in zip(table(COLUMNS, cells, width), (None, *rows), strict=True):
        click.echo(line)
        if row is not None and row.why:
            [_, why] = table(("",), [(f"  {row.why}",)])
            click.echo(why)


def _of_journal(state: Path, limit: int) -> list[Row]:
    records = open_records(state)
    try:
        return [_of_past(each) for each in records.revisions(limit)]
    finally:
        records.close()


def _of_past(past: PastRevision) -> Row:
    revision_verdict = past.revision_verdict
    return Row(
        revision_verdict.commit,
        _outcome(past),
        past.judged_at,
        past.ended_at,
        past.plan_digest,
        revision_verdict.author,
        revision_verdict.subject,
        revision_verdict.why,
        revision_verdict.reverts,
    )


def _outcome(past: PastRevision) -> str:
    if past.revision_verdict.verdict is VerdictKind.APPLIED:
        return (CommitOutcome.APPLIED if past.ended_at else CommitOutcome.IN_FORCE).value
    return CommitOutcome.SUPERSEDED.value if past.ended_at else past.revision_verdict.verdict.value


def _of_entries(entries: Sequence[HistoryEntry]) -> list[Row]:
    """Each was in force until the next newer one was applied."""
    rows: list[Row] = []
    until = 0
    for entry in entries:
        commit, own = entry.desired, entry.revision == entry.desired.id
        status = entry.applied if own and entry.applied else entry.held
        assert status is not None, "a revision was applied or held"
        rows.append(
            Row(
                commit.id,
                entry.outcome.value,
                status.at,
                until,
                status.plan_digest,
                commit.author,
                commit.subject,
                "" if own else entry.held_message,
                commit.reverts,
            )
        )
        until = status.at if own else until
    return rows


def _fields(row: Row) -> Mapping[str, object]:
    return {
        "commit": row.commit,
        "outcome": row.outcome,
        "at": utc_text(row.at),
        "until": utc_text(row.until) if row.until else None,
        "plan_digest": row.plan_digest,
        "author": row.author,
        "subject": row.subject,
        "reverts": row.reverts,
        "why": row.why,
    }
