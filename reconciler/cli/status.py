"""`provider-daemon status`: the running daemon's last cycle, in a page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from reconciler.cli.asking import ask
from reconciler.cli.options import host_option, output_option, settings_of


@click.command()
@host_option
@output_option
def status(host: Path | None, output: str) -> None:
    """Show the provider, its money, its leases and workloads, and what is held."""
    settings = settings_of(host)
    answer = ask(settings.api, "/api/v1/status")
    if output == "json":
        click.echo(json.dumps(answer, indent=2))
        return
    workloads = ask(settings.api, "/api/v1/workloads")
    for line in _lines(answer, workloads):
        click.echo(line)


def _lines(answer: dict[str, Any], workloads: Any) -> Iterator[str]:
    yield json.dumps(answer, indent=2)
    yield json.dumps(workloads, indent=2)
