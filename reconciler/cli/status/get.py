"""`provider-daemon get`: lists of the running daemon, for people and programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import click
import yaml

from reconciler.cli.api_client import fetch
from reconciler.cli.options import host_option, settings_of
from reconciler.reports.columns import table
from reconciler.reports.list_view import ListView
from reconciler.reports.view_json import view_text, view_tree
from reconciler.settings import ListenSettings
from reconciler.values.approvals import SHOWN
from reconciler.values.money import show_rate
from reconciler.values.times import format_duration, utc_text
from reconciler.values.views import BidView, HoldView, LeaseView, WorkloadView

Row = TypeVar("Row")
Columns = Mapping[str, Callable[[Row], object]]


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An open order with its decision: a bid, or the reason of a hold."""

    order: str
    decision: str
    message: str


@dataclass(frozen=True, slots=True)
class Kind(Generic[Row]):
    """How one kind is fetched, its columns, and those that only `-o wide` shows."""

    rows: Callable[[ListenSettings], Sequence[Row]]
    columns: Columns[Row]
    wide: Columns[Row]

    def lines(self, rows: Sequence[Row], *, wide: bool) -> list[str]:
        """A table of the rows."""
        columns = {**self.columns, **(self.wide if wide else {})}
        return list(table(list(columns), [[str(cell(row)) for cell in columns.values()] for row in rows]))


def _orders(listen: ListenSettings) -> Sequence[OrderRow]:
    """Open orders with a decision."""
    bids = fetch(listen, "/api/v1/bids", ListView[BidView]).items
    holds = fetch(listen, "/api/v1/holds?about=orders", ListView[HoldView]).items
    rows = [OrderRow(bid.order, "bid", f"{show_rate(bid.price_uve)} a block") for bid in bids]
    rows += [OrderRow(hold.subject, hold.reason.value, hold.message) for hold in holds]
    return sorted(rows, key=lambda row: (row.order, row.decision))


def _left(lease: LeaseView) -> str:
    left = lease.funding.seconds_left
    return "-" if left is None else format_duration(left) if left >= 0 else "ended"


def _trouble(workload: WorkloadView) -> str:
    found = workload.trouble
    return f"{found.reason}: {found.message}; {found.advice}" if found else "-"


def _addresses(workload: WorkloadView) -> str:
    return ", ".join(each.describe() for each in workload.addresses) or "-"


WORKLOADS: Kind[WorkloadView] = Kind(
    lambda listen: fetch(listen, "/api/v1/workloads", ListView[WorkloadView]).items,
    {
        "ID": lambda w: w.id,
        "STATE": lambda w: w.state,
        "READY": lambda w: f"{w.replicas_ready}/{w.replicas}",
        "PRICE": lambda w: show_rate(w.price_uve),
        "TROUBLE": lambda w: w.trouble.reason if w.trouble else "-",
    },
    {
        "ADAPTER": lambda w: w.adapter,
        "BILLING": lambda w: w.billing,
        "LEASE": lambda w: w.lease,
        "ADDRESSES": _addresses,
        "WHY": _trouble,
    },
)
LEASES: Kind[LeaseView] = Kind(
    lambda listen: fetch(listen, "/api/v1/leases", ListView[LeaseView]).items,
    {
        "LEASE": lambda x: x.id,
        "PRICE": lambda x: show_rate(x.price_uve),
        "ACCRUED": lambda x: f"{x.funding.accrued_uve}uve",
        "FUNDS": lambda x: x.funding.state,
        "LEFT": _left,
    },
    {
        "WORKLOAD": lambda x: x.workload,
        "WITHDRAWN": lambda x: f"{x.withdrawn_uve}uve",
        "AT": lambda x: utc_text(x.withdrawn_at) if x.withdrawn_at else "-",
        "BLOCKS LEFT": lambda x: "-" if x.funding.blocks_left is None else x.funding.blocks_left,
    },
)
BIDS: Kind[BidView] = Kind(
    lambda listen: fetch(listen, "/api/v1/bids", ListView[BidView]).items,
    {
        "ORDER": lambda b: b.order,
        "PRICE": lambda b: show_rate(b.price_uve),
        "DEPOSIT": lambda b: f"{b.deposit_uve}uve",
        "SINCE HEIGHT": lambda b: b.created_at_height,
    },
    {"BID": lambda b: b.id, "STATE": lambda b: b.state},
)
ORDERS: Kind[OrderRow] = Kind(
    _orders,
    {"ORDER": lambda o: o.order, "DECISION": lambda o: o.decision},
    {"MESSAGE": lambda o: o.message},
)
HOLDS: Kind[HoldView] = Kind(
    lambda listen: fetch(listen, "/api/v1/holds", ListView[HoldView]).items,
    {"SUBJECT": lambda h: h.subject or "all", "REASON": lambda h: h.reason, "MESSAGE": lambda h: h.message},
    {"PUBLISHED": lambda h: "yes" if h.ours else "no", "APPROVAL": lambda h: h.approval[:SHOWN] or "-"},
)
KINDS: Mapping[str, Kind[Any]] = {
    "workloads": WORKLOADS,
    "leases": LEASES,
    "bids": BIDS,
    "orders": ORDERS,
    "holds": HOLDS,
}


@click.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@host_option
@click.option(
    "-o", "--output", type=click.Choice(["text", "wide", "json", "yaml"]), default="text", show_default=True
)
def get(kind: str, host: Path | None, output: str) -> None:
    """List workloads, leases, bids, orders (with the decision about each) or holds."""
    found = KINDS[kind]
    rows = found.rows(settings_of(host).listen)
    if output == "json":
        click.echo(view_text({kind: rows}), nl=False)
    elif output == "yaml":
        click.echo(yaml.safe_dump(view_tree({kind: rows}), sort_keys=False, allow_unicode=True), nl=False)
    elif not rows:
        click.echo(f"no {kind}")
    else:
        for line in found.lines(rows, wide=output == "wide"):
            click.echo(line)
