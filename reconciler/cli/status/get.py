"""`provider-daemon get`: lists of the running daemon, for people and programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml

from reconciler.cli.api_client import ask
from reconciler.cli.options import host_option, settings_of
from reconciler.reports.columns import table
from reconciler.settings import ListenSettings
from reconciler.values.approvals import SHOWN
from reconciler.values.durations import span

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Listed:
    """One kind: its rows, all of them, its columns, and those that only `-o wide` shows."""

    rows: Callable[[ListenSettings], list[Row]]
    columns: Mapping[str, Callable[[Row], object]]
    wide: Mapping[str, Callable[[Row], object]]


def _rows_at(path: str, key: str) -> Callable[[ListenSettings], list[Row]]:
    """A list that is asked for without a limit is whole."""

    def rows(listen: ListenSettings) -> list[Row]:
        found: list[Row] = ask(listen, path)[key]
        return found

    return rows


def _orders(listen: ListenSettings) -> list[Row]:
    """Orders that are open, as far as something was decided about them: a bid, or why there is none."""
    bids = [
        {"order": b["order"], "decision": "bid", "says": f"{b['price_uve']}uve a block"}
        for b in ask(listen, "/api/v1/bids")["bids"]
    ]
    held = [
        {"order": h["subject"], "decision": h["reason"], "says": h["message"]}
        for h in ask(listen, "/api/v1/holds?about=orders")["holds"]
    ]
    return sorted([*bids, *held], key=lambda row: (row["order"], row["decision"]))


def _left(row: Row) -> str:
    left = row["funding"]["seconds_left"]
    return "-" if left is None else span(left) if left >= 0 else "ended"


def _trouble(row: Row) -> str:
    found = row["trouble"]
    return f"{found['reason']}: {found['message']}; {found['advice']}" if found else "-"


KINDS: Mapping[str, Listed] = {
    "workloads": Listed(
        _rows_at("/api/v1/workloads", "workloads"),
        {
            "ID": lambda r: r["id"],
            "STATE": lambda r: r["state"],
            "READY": lambda r: f"{r['replicas_ready']}/{r['replicas']}",
            "PRICE": lambda r: f"{r['price_uve']}uve",
            "TROUBLE": lambda r: r["trouble"]["reason"] if r["trouble"] else "-",
        },
        {
            "ADAPTER": lambda r: r["adapter"],
            "BILLING": lambda r: r["billing"],
            "LEASE": lambda r: r["lease"],
            "WHY": _trouble,
        },
    ),
    "leases": Listed(
        _rows_at("/api/v1/leases", "leases"),
        {
            "LEASE": lambda r: r["id"],
            "PRICE": lambda r: f"{r['price_uve']}uve",
            "ACCRUED": lambda r: f"{r['accrued_uve']}uve",
            "FUNDS": lambda r: r["funding"]["state"],
            "LEFT": _left,
        },
        {
            "WORKLOAD": lambda r: r["workload"],
            "WITHDRAWN": lambda r: f"{r['withdrawn_uve']}uve",
            "AT": lambda r: r["withdrawn_at"] or "-",
            "BLOCKS LEFT": lambda r: (
                "-" if r["funding"]["blocks_left"] is None else r["funding"]["blocks_left"]
            ),
        },
    ),
    "bids": Listed(
        _rows_at("/api/v1/bids", "bids"),
        {
            "ORDER": lambda r: r["order"],
            "PRICE": lambda r: f"{r['price_uve']}uve",
            "DEPOSIT": lambda r: f"{r['deposit_uve']}uve",
            "SINCE HEIGHT": lambda r: r["created_at_height"],
        },
        {"BID": lambda r: r["id"], "STATE": lambda r: r["state"]},
    ),
    "orders": Listed(
        _orders,
        {"ORDER": lambda r: r["order"], "DECISION": lambda r: r["decision"]},
        {"SAYS": lambda r: r["says"]},
    ),
    "holds": Listed(
        _rows_at("/api/v1/holds", "holds"),
        {
            "SUBJECT": lambda r: r["subject"] or "all",
            "REASON": lambda r: r["reason"],
            "MESSAGE": lambda r: r["message"],
        },
        {
            "PUBLISHED": lambda r: "yes" if r["ours"] else "no",
            "APPROVAL": lambda r: r["approval"][:SHOWN] or "-",
        },
    ),
}


@click.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@host_option
@click.option(
    "-o", "--output", type=click.Choice(["text", "wide", "json", "yaml"]), default="text", show_default=True
)
def get(kind: str, host: Path | None, output: str) -> None:
    """List workloads, leases, bids, orders (with what was decided about each) or holds."""
    listed = KINDS[kind]
    rows = listed.rows(settings_of(host).listen)
    if output == "json":
        click.echo(json.dumps({kind: rows}, indent=2))
    elif output == "yaml":
        click.echo(yaml.safe_dump({kind: rows}, sort_keys=False, allow_unicode=True), nl=False)
    elif not rows:
        click.echo(f"no {kind}")
    else:
        columns = {**listed.columns, **(listed.wide if output == "wide" else {})}
        cells = [[str(cell(row)) for cell in columns.values()] for row in rows]
        for line in table(list(columns), cells):
            click.echo(line)
