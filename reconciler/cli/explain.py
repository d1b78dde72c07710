"""`provider-daemon explain`: why, from the record of decisions; also while no daemon runs, and after a
restart.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from reconciler.cli.faults import ToldError
from reconciler.cli.options import host_option, output_option, settings_of
from reconciler.journal.opening import open_records
from reconciler.values.records import Decision

STANDS_SECONDS = 660
"""A hold that stands is written again within ten minutes; one not seen for longer is over."""


@click.command()
@click.argument("subject")
@host_option
@output_option
def explain(subject: str, host: Path | None, output: str) -> None:
    """Say what was decided about SUBJECT and why.

    SUBJECT is an order (owner/dseq/gseq/oseq), a lease or bid (.../provider), a workload's id, or a file.
    """
    settings = settings_of(host)
    records = open_records(settings.state)
    try:
        found = records.decisions(subject)
    finally:
        records.close()
    if not found:
        raise ToldError(
            f"error: nothing is on record about {subject}; orders are named owner/dseq/gseq/oseq, "
            "and a decision is made once the daemon has seen its subject"
        )
    if output == "json":
        click.echo(json.dumps([_fields(d) for d in found], indent=2))
        return
    for decision in found:
        click.echo(_line(decision))


def _line(decision: Decision) -> str:
    word = "held" if decision.held else "did"
    return (
        f"{decision.subject}: {word} ({decision.word}) since {_time(decision.first_seen)}: {decision.message}"
    )


def _fields(decision: Decision) -> dict[str, object]:
    return {
        "subject": decision.subject,
        "held": decision.held,
        "word": decision.word,
        "message": decision.message,
        "since": _time(decision.first_seen),
        "last_seen": _time(decision.last_seen),
    }


def _time(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
