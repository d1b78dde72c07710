"""`provider-daemon explain`: why, from the journal; also while no daemon runs, and after a restart."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import click

from reconciler.cli.errors import CliError
from reconciler.cli.history.event_lines import EventLine
from reconciler.cli.options import host_option, output_option, settings_of
from reconciler.cli.status.explain_live import live_links
from reconciler.cli.status.explained_subject import ExplainedSubject, explained_subject
from reconciler.cli.times import moment
from reconciler.journal.opening import open_records
from reconciler.reports.explanation import Link
from reconciler.values.durations import span
from reconciler.values.text import printable


@click.command()
@click.argument("subject")
@host_option
@output_option
def explain(subject: str, host: Path | None, output: str) -> None:
    """Say why SUBJECT is as it is: from its order to the next try.

    SUBJECT is an order (owner/dseq/gseq/oseq, or its dseq alone), a lease or bid (.../provider), a workload's
    id, a file, or a transaction's hash (its beginning is enough).
    """
    settings = settings_of(host)
    records = open_records(settings.state)
    try:
        told = explained_subject(records, subject)
    finally:
        records.close()
    live = live_links(settings.listen, told.workload) if told.links else None
    if not told.links and not told.events:
        raise CliError(
            f"error: nothing is on record about {printable(subject)}; orders are named "
            "owner/dseq/gseq/oseq, and a decision is made once the daemon has seen its subject"
        )
    if live is not None and live.links:
        told = replace(told, links=live.links)
    if output == "json":
        click.echo(json.dumps(_fields(told, live is not None), indent=2))
        return
    for line in _lines(told):
        click.echo(printable(line))
    if live is None:
        click.echo("no daemon answers: this is how its last cycle left it")
    elif live.why:
        click.echo(f"the daemon tells nothing ({live.why}): this is how its last cycle left it")


def _lines(told: ExplainedSubject) -> Iterator[str]:
    for link in told.links:
        yield f"{link.step:<9}  {f'{link.word}: ' if link.word else ''}{link.says}{_when(link)}"
    for each in told.events:
        yield f"event      {moment(each.at)} {each.says}"


def _when(link: Link) -> str:
    if link.step == "next try":
        if not link.until:
            return ""
        wait = link.until - int(time.time())
        return f" at {moment(link.until)}" + (f", in {span(wait)}" if wait > 0 else ", which is due")
    if link.until:
        return f" (from {moment(link.since)} to {moment(link.until)}; over)"
    return f" (since {moment(link.since)})" if link.since else ""


def _fields(told: ExplainedSubject, running: bool) -> dict[str, object]:
    return {
        "daemon_answers": running,
        "links": [_link(link) for link in told.links],
        "events": [_event(each) for each in told.events],
    }


def _link(link: Link) -> dict[str, object]:
    times = {name: moment(at) if at else None for name, at in (("since", link.since), ("until", link.until))}
    return asdict(link) | times | {"current": link.step != "was held"}


def _event(found: EventLine) -> dict[str, object]:
    return {"at": moment(found.at), "kind": found.kind, "says": found.says}
