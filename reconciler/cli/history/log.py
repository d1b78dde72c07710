"""`provider-daemon log`: desired commits, when each was applied, and what it did."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from reconciler.cli.history.history_source import HistorySource, read
from reconciler.cli.history.source_options import host_settings, place_in_clone, place_on_host, place_options
from reconciler.cli.options import output_option
from reconciler.cli.times import moment
from reconciler.cli.times import since as start_of
from reconciler.reports.history import CommitFate, HistoryEntry, since
from reconciler.reports.history_filter import about, sought
from reconciler.values.history import StatusRevision
from reconciler.values.text import printable

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
@click.option("--since", "start", metavar="TIME", help="15m, 2h or 7d ago, or 2026-01-31T08:00:00Z.")
@click.option(
    "--limit", type=click.IntRange(1, 20_000), default=50, show_default=True, help="The newest commits."
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
    if output == "json":
        click.echo(json.dumps([fields(each) for each in cut], indent=2))
    else:
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
        said = (line for told in found.told for line in told.says)
        entries = tuple(about(entries, sought(wanted, found.address, said)))
    return tuple(since(entries, start_of(start))) if start else entries


def lines(entry: HistoryEntry) -> Iterator[str]:
    """An entry as text: the commit, its outcome, and what it did, oldest first."""
    asked = entry.asked
    if asked.author:
        yield f"{asked.id[:12]}  {moment(asked.at)}  {asked.author} <{asked.email}>"
        yield f"    {asked.subject}"
    else:
        yield f"{asked.id[:12] or 'no commit'}  is not in this history"
    if asked.reverts:
        yield f"    reverts   {asked.reverts[:12]}"
    if asked.files:
        more = len(asked.files) - FILES_SHOWN
        yield f"    files     {', '.join(asked.files[:FILES_SHOWN])}" + (
            f" and {more} more" if more > 0 else ""
        )
    if entry.held is not None:
        yield f"    held      {moment(entry.held.at)} by plan {entry.held.plan_digest[:12]}"
        if entry.held_words:
            yield f"              {entry.held_words}"
    if entry.fate is not CommitFate.HELD:
        yield f"    {outcome(entry)}"
    for told in entry.did:
        yield from _did(told)


def outcome(entry: HistoryEntry) -> str:
    """The outcome in one line."""
    if entry.applied is None:
        return entry.fate.value
    applied_with = "" if entry.revision == entry.asked.id else f" with {entry.revision[:12]}"
    when = f"{moment(entry.applied.at)} by plan {entry.applied.plan_digest[:12]}"
    return f"{entry.fate.value:<9} {applied_with.strip()}{' ' if applied_with else ''}since {when}"


def _did(told: StatusRevision) -> Iterator[str]:
    height = f"  height {told.height}" if told.height else ""
    yield f"      {moment(told.at)}{height}  status {told.id[:12]}"
    yield from (f"        {line}" for line in told.says)
    yield from (f"        transaction {each}" for each in told.transactions)


def fields(entry: HistoryEntry) -> dict[str, object]:
    """An entry as JSON; times are RFC 3339, or null."""
    asked, applied, held = entry.asked, entry.applied, entry.held
    return {
        "commit": asked.id,
        "author": asked.author,
        "email": asked.email,
        "at": moment(asked.at) if asked.at else None,
        "subject": asked.subject,
        "files": list(asked.files),
        "reverts": asked.reverts,
        "outcome": entry.fate.value,
        "revision": entry.revision,
        "applied_at": moment(applied.at) if applied else None,
        "plan_digest": applied.plan_digest if applied else held.plan_digest if held else "",
        "held_at": moment(held.at) if held else None,
        "held_words": entry.held_words,
        "did": [_told_fields(each) for each in entry.did],
    }


def _told_fields(told: StatusRevision) -> dict[str, object]:
    return {
        "status_commit": told.id,
        "at": moment(told.at),
        "height": told.height or None,
        "plan_digest": told.plan_digest,
        "says": list(told.says),
        "transactions": list(told.transactions),
    }
