"""`provider-daemon status`: the running daemon's last cycle, in a page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from reconciler.cli.asking import ask
from reconciler.cli.options import host_option, output_option, settings_of
from reconciler.repo.repository import GitRepository
from reconciler.wiring import place_of


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
    for path in GitRepository(place_of(settings), settings.state).uncommitted():
        click.echo(f"unused     {path} was edited and not committed; what counts is the commit")


def _lines(answer: dict[str, Any], workloads: dict[str, Any]) -> Iterator[str]:
    chain, money, counts = answer["chain"], answer["money"], answer["counts"]
    yield f"provider   {answer['provider']}  {answer['address']}"
    yield f"chain      {chain['id']} at height {chain['height']}, {chain['time'] or 'not seen yet'}"
    for what, commit in answer["revisions"].items():
        yield f"{what:<10} {commit[:12] or 'none yet'}"
    yield f"money      {money['balance_uve']}uve in the wallet, {money['deposits_uve']}uve locked in bids"
    yield (
        f"           {money['earned_uve']}uve earned after {money['fees_uve']}uve of fees, "
        f"{money['accrued_uve']}uve accrued on leases"
    )
    open_now = f"{counts['orders_open']} orders open, {counts['bids_open']} bids"
    yield f"market     {open_now}, {counts['leases']} leases"
    for word, wanted in (("observing only", "observe_only"), ("spending is stopped", "spending_stopped")):
        if answer[wanted]:
            yield f"           {word}"
    for reading in answer["readings"]:
        if reading["why"]:
            yield f"unseen     {reading['source']}: {reading['why']}"
    for each in workloads["workloads"]:
        trouble = f"  {each['trouble']['reason']}: {each['trouble']['message']}" if each["trouble"] else ""
        yield f"workload   {each['id']}  {each['state']}  {each['price_uve']}uve a block{trouble}"
    for hold in answer["holds"]:
        yield f"held       {hold['subject']}  {hold['reason']}: {hold['message']}"
    for word, count in sorted(counts["holds"].items()):
        yield f"holds      {count} x {word}"
