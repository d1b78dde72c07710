"""`provider-daemon get`: lists of the running daemon, for people and programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import click

from reconciler.cli.api_client import fetch
from reconciler.cli.options import echo_structured, host_option, output_option, settings_of, terminal_width
from reconciler.reports.columns import table
from reconciler.reports.list_view import ListView
from reconciler.settings import ListenSettings
from reconciler.values.approvals import SHOWN
from reconciler.values.money import amount_text
from reconciler.values.readings import workloads_source
from reconciler.values.times import format_duration, utc_text
from reconciler.values.views import BidView, HoldView, LeaseView, ManifestView, WorkloadView

Row = TypeVar("Row")
Columns = Mapping[str, Callable[[Row], object]]


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An open order with its decision: a bid, or the reason of a hold."""

    order: str
    decision: str
    message: str


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """A tenant's manifest, and the state of its workload."""

    workload: str
    state: str
    manifest: ManifestView


@dataclass(frozen=True, slots=True)
class Kind(Generic[Row]):
    """How one kind is fetched, its columns, and those that only `-o wide` shows."""

    rows: Callable[[ListenSettings], Sequence[Row]]
    columns: Columns[Row]
    wide: Columns[Row]
    filters: Columns[Row]
    """By the name of an option, the text that it must equal."""

    def lines(self, rows: Sequence[Row], *, wide: bool) -> list[str]:
        """A table of the rows, as wide as the terminal unless all columns are wanted."""
        columns = {**self.columns, **(self.wide if wide else {})}
        cells = [[str(cell(row)) for cell in columns.values()] for row in rows]
        return list(table(list(columns), cells, None if wide else terminal_width()))

    def matching(self, rows: Sequence[Row], wanted: Mapping[str, str]) -> Sequence[Row]:
        """The rows for which every filter holds; UsageError for one that this kind does not have."""
        if unknown := sorted(set(wanted) - set(self.filters)):
            raise click.UsageError(f"--{unknown[0]} is not for this kind of object")
        return [row for row in rows if all(str(self.filters[n](row)) == text for n, text in wanted.items())]


def _orders(listen: ListenSettings) -> Sequence[OrderRow]:
    """Open orders with a decision."""
    bids = fetch(listen, "/api/v1/bids", ListView[BidView]).items
    holds = fetch(listen, "/api/v1/holds?about=orders", ListView[HoldView]).items
    rows = [OrderRow(bid.order, "bid", f"{amount_text(bid.price_uve)} a block") for bid in bids]
    rows += [OrderRow(hold.subject, hold.reason.value, hold.message) for hold in holds]
    return sorted(rows, key=lambda row: (row.order, row.decision))


def _left(lease: LeaseView) -> str:
    left = lease.funding.seconds_left
    return "-" if left is None else format_duration(left) if left >= 0 else "ended"


def _tenant(chain_id: str) -> str:
    """The tenant of a lease, bid or order, whose id begins with its address."""
    return chain_id.partition("/")[0]


def _trouble(workload: WorkloadView) -> str:
    found = workload.trouble
    return f"{found.reason}: {found.message}; {found.advice}" if found else "-"


def _ready(workload: WorkloadView) -> str:
    """`1/2`, with a question mark while its adapter is unseen and this is the last known."""
    if workloads_source(workload.adapter) not in workload.unseen:
        return f"{workload.replicas_ready}/{workload.replicas}"
    return f"{workload.replicas_ready}/{workload.replicas}?" if workload.replicas else "unknown"


def _addresses(workload: WorkloadView) -> str:
    return ", ".join(each.describe() for each in workload.addresses) or "-"


WORKLOADS: Kind[WorkloadView] = Kind(
    lambda listen: fetch(listen, "/api/v1/workloads", ListView[WorkloadView]).items,
    {
        "ID": lambda w: w.id,
        "STATE": lambda w: w.state,
        "READY": _ready,
        "PRICE": lambda w: amount_text(w.price_uve) if w.is_price_known else "unknown",
        "TROUBLE": lambda w: w.trouble.reason if w.trouble else "-",
    },
    {
        "ADAPTER": lambda w: w.adapter,
        "BILLING": lambda w: w.billing,
        "LEASE": lambda w: w.lease,
        "ADDRESSES": _addresses,
        "WHY": _trouble,
    },
    {"tenant": lambda w: _tenant(w.lease), "state": lambda w: w.state, "adapter": lambda w: w.adapter},
)
LEASES: Kind[LeaseView] = Kind(
    lambda listen: fetch(listen, "/api/v1/leases", ListView[LeaseView]).items,
    {
        "LEASE": lambda x: x.id,
        "PRICE": lambda x: amount_text(x.price_uve),
        "ACCRUED": lambda x: amount_text(x.funding.accrued_uve),
        "FUNDS": lambda x: x.funding.state,
        "LEFT": _left,
    },
    {
        "WORKLOAD": lambda x: x.workload,
        "WITHDRAWN": lambda x: amount_text(x.withdrawn_uve),
        "AT": lambda x: utc_text(x.withdrawn_at) if x.withdrawn_at else "-",
        "BLOCKS LEFT": lambda x: "-" if x.funding.blocks_left is None else x.funding.blocks_left,
    },
    {"tenant": lambda x: _tenant(x.id), "state": lambda x: x.funding.state},
)
BIDS: Kind[BidView] = Kind(
    lambda listen: fetch(listen, "/api/v1/bids", ListView[BidView]).items,
    {
        "ORDER": lambda b: b.order,
        "PRICE": lambda b: amount_text(b.price_uve),
        "DEPOSIT": lambda b: amount_text(b.deposit_uve),
        "SINCE HEIGHT": lambda b: b.created_at_height,
    },
    {"BID": lambda b: b.id, "STATE": lambda b: b.state},
    {"tenant": lambda b: _tenant(b.order), "state": lambda b: b.state},
)
ORDERS: Kind[OrderRow] = Kind(
    _orders,
    {"ORDER": lambda o: o.order, "DECISION": lambda o: o.decision},
    {"MESSAGE": lambda o: o.message},
    {"tenant": lambda o: _tenant(o.order), "state": lambda o: o.decision},
)
HOLDS: Kind[HoldView] = Kind(
    lambda listen: fetch(listen, "/api/v1/holds", ListView[HoldView]).items,
    {"SUBJECT": lambda h: h.subject or "all", "REASON": lambda h: h.reason, "MESSAGE": lambda h: h.message},
    {"PUBLISHED": lambda h: "yes" if h.ours else "no", "APPROVAL": lambda h: h.approval[:SHOWN] or "-"},
    {"state": lambda h: h.reason},
)
MANIFESTS: Kind[ManifestRow] = Kind(
    lambda listen: [
        ManifestRow(each.id, "unusable" if each.manifest.fault else each.state, each.manifest)
        for each in fetch(listen, "/api/v1/workloads", ListView[WorkloadView]).items
        if each.manifest is not None
    ],
    {
        "WORKLOAD": lambda m: m.workload,
        "TENANT": lambda m: m.manifest.tenant,
        "HASH": lambda m: m.manifest.manifest_hash[:12],
        "ACCEPTED": lambda m: utc_text(m.manifest.accepted_at),
        "STATE": lambda m: m.state,
    },
    {
        "METHOD": lambda m: m.manifest.method,
        "COMMIT": lambda m: m.manifest.commit[:12] or "-",
        "WHY": lambda m: m.manifest.fault or "-",
    },
    {"tenant": lambda m: m.manifest.tenant, "state": lambda m: m.state},
)
KINDS: Mapping[str, Kind[Any]] = {
    "workloads": WORKLOADS,
    "leases": LEASES,
    "bids": BIDS,
    "orders": ORDERS,
    "holds": HOLDS,
    "manifests": MANIFESTS,
}


@click.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@host_option
@output_option
@click.option("--tenant", help="Only those of this tenant's address.")
@click.option("--state", help="Only those in this state: running, healthy, a decision, a hold's reason.")
@click.option("--adapter", help="Only workloads of this adapter.")
def get(kind: str, host: Path | None, output: str, **filters: str | None) -> None:
    """List workloads, leases, bids, orders (with the decision about each) or holds.

    \b
    provider-daemon get workloads --state failed
    provider-daemon get leases --tenant ve1... -o wide
    """
    found = KINDS[kind]
    wanted = {name: text for name, text in filters.items() if text is not None}
    rows = found.matching(found.rows(settings_of(host).listen), wanted)
    if echo_structured({kind: rows}, output):
        return
    if not rows:
        click.echo(f"no {kind}")
    else:
        for line in found.lines(rows, wide=output == "wide"):
            click.echo(line)
