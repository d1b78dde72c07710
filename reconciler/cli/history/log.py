"""`provider-daemon log`: desired commits, when each was applied, and the events that followed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from reconciler.cli.history.history_source import HistorySource, read
from reconciler.cli.history.source_options import host_settings, place_in_clone, place_on_host, place_options
from reconciler.cli.options import echo_structured, output_option
from reconciler.cli.times import since as start_of
from reconciler.reports.history import CommitOutcome, HistoryEntry, since
from reconciler.reports.history_filter import filter_of, matching
from reconciler.values.history import StatusRevision
from reconciler.values.text import printable
from reconciler.values.times import utc_text

FILES_SHOWN = 8


@click.command()
@place_options
@output_option
@click.option(
    "--object",
    "wanted",
    metavar="ID",
    help="A workload's id, a lease, an order, a file, or the prefix of a commit's or transaction's hash.",
)
@click.option(
    "--since", "start", metavar="TIME", help="Start time: 15m, 2h or 7d ago, or 2026-01-31T08:00:00Z."
)
@click.option(
    "--limit",
    type=click.IntRange(1, 20_000),
    default=50,
    show_default=True,
    help="Maximum number of commits.",
)
def log(
    host: Path | None,
    clone: Path | None,
    output: str,
    wanted: str | None,
    start: str | None,
    limit: int,
    **words: str,
) -> None:
    """Show the commits of the desired branch, newest first, each with its outcome.

    Joins the desired branch with the status branch; needs only a clone with both, or the daemon's host.
    """
    settings = host_settings(host, clone)
    found = read(place_on_host(settings) if settings else place_in_clone(clone, **words))
    shown = _chosen(found, wanted, start)
    cut = shown[:limit]
    if not echo_structured([fields(each) for each in cut], output):
        for each in cut:
            for line in lines(each):
                click.echo(printable(line))
        if not shown:
            click.echo("nothing is recorded" + (f" about {printable(wanted)}" if wanted else ""))
    if len(shown) > limit:
        click.echo(f"{limit} of {len(shown)} commits are shown; --limit shows more", err=True)
    if found.missing:
        click.echo(found.missing, err=True)


def _chosen(found: HistorySource, wanted: str | None, start: str | None) -> Sequence[HistoryEntry]:
    entries: Sequence[HistoryEntry] = found.entries
    if wanted:
        published = (line for commit in found.status_commits for line in commit.lines)
        entries = tuple(matching(entries, filter_of(wanted, found.address, published)))
    return tuple(since(entries, start_of(start))) if start else entries


def lines(entry: HistoryEntry) -> Iterator[str]:
    """An entry as text: the commit, its outcome, and the status commits that followed, oldest first."""
    commit = entry.desired
    if commit.author:
        yield f"{commit.id[:12]}  {utc_text(commit.at)}  {commit.author} <{commit.email}>"
        yield f"    {commit.subject}"
    else:
        yield f"{commit.id[:12] or 'no commit'}  is not in this history"
    if commit.reverts:
        yield f"    reverts   {commit.reverts[:12]}"
    if commit.files:
        more = len(commit.files) - FILES_SHOWN
        yield f"    files     {', '.join(commit.files[:FILES_SHOWN])}" + (
            f" and {more} more" if more > 0 else ""
        )
    if entry.held is not None:
        yield f"    held      {utc_text(entry.held.at)} by plan {entry.held.plan_digest[:12]}"
        if entry.held_message:
            yield f"              {entry.held_message}"
    if entry.outcome is not CommitOutcome.HELD:
        yield f"    {outcome_line(entry)}"
    for each in entry.status_commits:
        yield from _status_lines(each)


def outcome_line(entry: HistoryEntry) -> str:
    """The outcome in one line."""
    if entry.applied is None:
        return entry.outcome.value
    later = "" if entry.revision == entry.desired.id else f"with {entry.revision[:12]} "
    when = f"{utc_text(entry.applied.at)} by plan {entry.applied.plan_digest[:12]}"
    return f"{entry.outcome.value:<9} {later}since {when}"


def _status_lines(commit: StatusRevision) -> Iterator[str]:
    height = f"  height {commit.height}" if commit.height else ""
    yield f"      {utc_text(commit.at)}{height}  status {commit.id[:12]}"
    yield from (f"        {line}" for line in commit.lines)
    yield from (f"        transaction {each}" for each in commit.transactions)


def fields(entry: HistoryEntry) -> dict[str, object]:
    """An entry as JSON; times are RFC 3339, or null."""
    commit, applied, held = entry.desired, entry.applied, entry.held
    return {
        "commit": commit.id,
        "author": commit.author,
        "email": commit.email,
        "at": utc_text(commit.at) if commit.at else None,
        "subject": commit.subject,
        "files": list(commit.files),
        "reverts": commit.reverts,
        "outcome": entry.outcome.value,
        "revision": entry.revision,
        "applied_at": utc_text(applied.at) if applied else None,
        "plan_digest": applied.plan_digest if applied else held.plan_digest if held else "",
        "held_at": utc_text(held.at) if held else None,
        "held_message": entry.held_message,
        "status_commits": [_status_fields(each) for each in entry.status_commits],
    }


def _status_fields(commit: StatusRevision) -> dict[str, object]:
    return {
        "commit": commit.id,
        "at": utc_text(commit.at),
        "height": commit.height or None,
        "plan_digest": commit.plan_digest,
        "lines": list(commit.lines),
        "transactions": list(commit.transactions),
    }
