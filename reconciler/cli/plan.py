"""`provider-daemon plan`: what the next cycle would do; changes nothing."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options import host_option, output_option, settings_of
from reconciler.reports.plan_json import plan_json
from reconciler.reports.plan_text import plan_text
from reconciler.wiring import looking

CHANGES = 2


@click.command()
@host_option
@output_option
def plan(host: Path | None, output: str) -> int:
    """Show what the next cycle would do and why, and what is held and why.

    Exit code 0: nothing to do, 2: there are changes, 1: an error.
    """
    with looking(settings_of(host)) as runner:
        found = runner.look()
    click.echo((plan_json if output == "json" else plan_text)(found.plan), nl=False)
    return 0 if found.plan.quiet else CHANGES
