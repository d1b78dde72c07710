"""`provider-daemon explain`: why, from the running daemon and its journal; also while no daemon runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.cli.api_client import NoDaemonError, RequestRefusedError, fetch
from reconciler.cli.errors import CliError
from reconciler.cli.options import echo_structured, host_option, output_option, settings_of
from reconciler.cli.status.explained_subject import ExplainedSubject, explained_subject
from reconciler.journal.opening import open_records
from reconciler.reports.explanation import ExplanationStep
from reconciler.reports.workload_view import ExplanationView, WorkloadEventsView
from reconciler.settings import ListenSettings
from reconciler.values.ids import WorkloadId
from reconciler.values.text import printable
from reconciler.values.times import format_duration, utc_text
from reconciler.values.views import HealthView

EVENTS_SHOWN = 5
AFTER_CLUSTER = ("outcome", "held", "next try", "was held")
"""The steps that the cluster's events come before."""


@dataclass(frozen=True, slots=True)
class DaemonResponse:
    """A daemon responds: its steps, empty if it does not know the workload, and why there are none."""

    steps: tuple[ExplanationStep, ...] = ()
    why: str = ""


@click.command()
@click.argument("subject")
@host_option
@output_option
def explain(subject: str, host: Path | None, output: str) -> None:
    """Explain the state of SUBJECT, from its order to the next retry.

    SUBJECT is an order (owner/dseq/gseq/oseq, or its dseq alone), a lease or bid (.../provider), a workload's
    id, a file, or a transaction's hash (a prefix is enough).
    """
    settings = settings_of(host)
    records = open_records(settings.state)
    try:
        recorded = explained_subject(records, subject)
    finally:
        records.close()
    daemon = _daemon_response(settings.listen, recorded.workload) if recorded.steps else None
    if not recorded.steps and not recorded.events:
        raise CliError(
            f"error: nothing is recorded about {printable(subject)}; orders are named "
            "owner/dseq/gseq/oseq, and a decision exists once the daemon has seen its subject"
        )
    steps = daemon.steps if daemon and daemon.steps else recorded.steps
    if echo_structured(
        {"daemon_answers": daemon is not None, "steps": steps, "events": recorded.events}, output
    ):
        return
    for line in _lines(steps, recorded):
        click.echo(printable(line))
    if daemon is None:
        click.echo("no daemon answers: this is the state after its last cycle")
    elif daemon.why:
        click.echo(f"the daemon's explanation failed ({daemon.why}): this is the state after its last cycle")


def _daemon_response(listen: ListenSettings, workload: WorkloadId | None) -> DaemonResponse | None:
    """The daemon's explanation with its cluster's events; None if no daemon responds."""
    try:
        if workload is None:
            fetch(listen, "/healthz", HealthView)
            return DaemonResponse()
        steps = fetch(listen, f"/api/v1/workloads/{workload}/explain", ExplanationView).steps
    except NoDaemonError:
        return None
    except RequestRefusedError as error:
        return (
            DaemonResponse() if error.code == 404 else DaemonResponse(why=str(error).removeprefix("error: "))
        )
    if any(step.step == "trouble" for step in steps):
        before = (step for step in steps if step.step not in AFTER_CLUSTER)
        after = (step for step in steps if step.step in AFTER_CLUSTER)
        steps = (*before, *_cluster_steps(listen, workload), *after)
    return DaemonResponse(steps)


def _cluster_steps(listen: ListenSettings, workload: WorkloadId) -> Iterator[ExplanationStep]:
    """The latest warnings, or why they cannot be read."""
    try:
        events = fetch(listen, f"/api/v1/workloads/{workload}/events", WorkloadEventsView).events
    except CliError as error:
        yield ExplanationStep("cluster", "", str(error).removeprefix("error: "))
        return
    for event in [e for e in events if e.warning][:EVENTS_SHOWN]:
        times = f", {event.count} times" if event.count > 1 else ""
        yield ExplanationStep("cluster", event.reason, f"{event.about}: {event.message}{times}")


def _lines(steps: tuple[ExplanationStep, ...], recorded: ExplainedSubject) -> Iterator[str]:
    for step in steps:
        state = f"{step.state}: " if step.state else ""
        yield f"{step.step:<9}  {state}{step.message}{_when(step)}"
    for event in recorded.events:
        yield f"event      {utc_text(event.at)} {event.message}"


def _when(step: ExplanationStep) -> str:
    if step.step == "next try":
        if not step.until:
            return ""
        wait = step.until - int(time.time())
        return f" at {utc_text(step.until)}" + (
            f", in {format_duration(wait)}" if wait > 0 else ", which is due"
        )
    if step.until:
        return f" (from {utc_text(step.since)} to {utc_text(step.until)})"
    return f" (since {utc_text(step.since)})" if step.since else ""
