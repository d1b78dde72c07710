"""`provider-daemon price`: the price of one order, item by item."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import click

from reconciler.cli.errors import CliError
from reconciler.cli.options import echo_structured, output_option
from reconciler.cli.planning.preview import PreviewRequest, planning_snapshot_if_published
from reconciler.cli.repository.validate import read_tree
from reconciler.documents.desired import DesiredReader
from reconciler.documents.forms import CPU, SIZE, TextForm, millicores, size_bytes
from reconciler.planning.bidding.bids import USAGE_BID
from reconciler.planning.bidding.strategies import bid_price, lowest_rivals
from reconciler.planning.money.fees import Fees
from reconciler.planning.money.quotes import QuoteTerms, quote
from reconciler.planning.revisions.prices import pricing_in_force
from reconciler.reports.bill import Bill, BillItem, bill_fields, bill_text
from reconciler.values.desired import Config, Desired
from reconciler.values.gpus import GpuModel
from reconciler.values.ids import OrderId
from reconciler.values.limits import Limits
from reconciler.values.money import DENOM, plain, show_rate
from reconciler.values.observed import ChainParams, Order
from reconciler.values.planning_snapshot import PlanningSnapshot
from reconciler.values.preview import Costs
from reconciler.values.pricing import as_ordered, factor, items
from reconciler.values.repository import Commit
from reconciler.values.resources import USAGE_BILLED, Demand, Resources
from reconciler.values.text import printable

BLOCK_SECONDS = Decimal(5)
"""Block time, if none was measured."""


@click.command()
@click.option("--cpu", default="0", help="Millicores (500m) or cores (4).")
@click.option("--memory", default="0", help="Bytes, or Ki, Mi, Gi, Ti (8Gi).")
@click.option("--storage", default="0", help="Bytes, or Ki, Mi, Gi, Ti (50Gi).")
@click.option("--gpu", default="", help="A model (nvidia/a100), a count (2), or both (nvidia/a100=2).")
@click.option("--count", type=click.IntRange(1, 10_000), default=1, help="Replicas of these resources.")
@click.option(
    "--order", "order_id", metavar="ID", help="An open order of the snapshot: owner/dseq/gseq/oseq."
)
@click.option("--workload", metavar="ID", help="A workload file of PATH, with or without its folder.")
@click.option("--rate", default="", help="uve of one unit of the currency of the prices: 40.5.")
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path())
@output_option
def price(
    path: Path, count: int, output: str, order_id: str | None, workload: str | None, **words: str
) -> None:
    """Show the price of an order at the prices in PATH (uncommitted edits included), and a lease's income.

    The order is given by its resources, by the id of an open order, or by a workload file. Block time, chain
    rules and orders come from the snapshot branch, if the clone has one.
    """
    snapshot = planning_snapshot_if_published(PreviewRequest(path, "", ""))
    desired = _in_uve(_desired(path), snapshot, words["rate"])
    bid = ""
    if order_id is not None:
        order = _order(order_id, snapshot)
        demand, bid = order.demand, _bid(order, desired, snapshot)
    elif workload is not None:
        demand = _of_workload(workload, desired, snapshot)
    else:
        demand = Demand(_resources(words).times(count))
    bill = replace(_bill(path, desired, snapshot, demand), bid=bid)
    if not echo_structured(bill_fields(bill), output):
        click.echo(bill_text(bill), nl=False)


def _in_uve(desired: Desired, snapshot: PlanningSnapshot | None, rate: str) -> Desired:
    """With the prices as they would be in force on the host of the snapshot."""
    limits = snapshot.limits if snapshot else Limits()
    pricing = desired.pricing
    if pricing is None:
        return desired
    if pricing.currency == DENOM:
        return replace(desired, pricing=pricing_in_force(pricing, limits))
    known = snapshot.memory.rates.get(pricing.currency) if snapshot else None
    if rate and not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,18})?", rate):
        raise click.UsageError(f"--rate {rate!r} is not a decimal number")
    uve = Decimal(rate) if rate else known.uve if known else Decimal(0)
    if not uve:
        why = f"prices are in {pricing.currency}, and no snapshot has a rate in force"
        raise CliError(f"error: {why}; name the uve of 1{pricing.currency} with --rate")
    return replace(desired, pricing=pricing_in_force(pricing, limits, uve))


def _order(text: str, snapshot: PlanningSnapshot | None) -> Order:
    try:
        wanted = OrderId.parse(text)
    except ValueError as error:
        raise click.UsageError(f"--order: {error}") from None
    if snapshot is None:
        raise CliError("error: orders are in the snapshot branch, and this clone has no single one; fetch it")
    order = snapshot.market.orders.get(wanted)
    if order is None:
        where = f"at height {snapshot.market.height}, when the snapshot was taken"
        raise CliError(f"error: no order {text} is open {where}; `git fetch` gets a newer one")
    return order


def _bid(order: Order, desired: Desired, snapshot: PlanningSnapshot | None) -> str:
    """What would be bid on an order, and why."""
    pricing, bidding = desired.pricing, (desired.config or Config()).bidding
    if pricing is None or snapshot is None:
        return ""
    most = f"the tenant pays at most {show_rate(order.price)}"
    if USAGE_BILLED in order.attributes:
        return f"{show_rate(USAGE_BID)} a block, as it is billed by usage; {most}"
    rival = lowest_rivals(snapshot.market.rival_bids).get(order.id)
    bid = bid_price(order, bidding, pricing, rival)
    other = f"; the lowest other bid is {show_rate(rival)}" if rival is not None else ""
    if bid > order.price:
        return f"none, as {show_rate(bid)} a block is too much: {most}{other}"
    return f"{show_rate(bid)} a block by the strategy {bidding.strategy.value}; {most}{other}"


def _of_workload(name: str, desired: Desired, snapshot: PlanningSnapshot | None) -> Demand:
    """What a workload file asks for, as a lease of its tenant."""
    wanted = Path(name).name.removesuffix(".yaml")
    found = next((each for id_, each in desired.workloads.items() if str(id_) == wanted), None)
    if found is None:
        raise CliError(f"error: there is no readable workload file {printable(wanted)}.yaml; see validate")
    leases = snapshot.market.leases if snapshot else {}
    lease = next((each for key, each in leases.items() if key.order == found.lease.order), None)
    if lease is None:
        ports = sum(1 for service in found.services for port in service.ports if port.public)
        return Demand(replace(found.resources, endpoints=ports), found.lease.order.owner)
    leased, pricing = lease.demand, desired.pricing
    asked = as_ordered(found.resources, leased.resources, pricing) if pricing else found.resources
    exposed = replace(asked, endpoints=leased.resources.endpoints, leased_ips=leased.resources.leased_ips)
    return replace(leased, resources=exposed)


def _bill(path: Path, desired: Desired, snapshot: PlanningSnapshot | None, demand: Demand) -> Bill:
    pricing = desired.pricing
    if pricing is None:
        raise CliError(f"error: {path / 'pricing.yaml'} cannot be read; see provider-daemon validate {path}")
    terms, terms_note = _terms(snapshot, desired.config or Config())
    return Bill(
        tuple(
            BillItem(i.name, f"{plain(i.count)}{i.unit}", i.price, i.cost)
            for i in items(demand.resources, pricing)
        ),
        pricing,
        quote(demand, pricing, terms),
        Costs(terms.rules.take_percent, terms.month_fees, terms.block_seconds),
        terms_note,
        factor=factor(demand, pricing),
    )


def _desired(path: Path) -> Desired:
    files, refused = read_tree(path)
    commit = Commit("", "", "", 0, {name: name for name in files}, unread_entries=refused)
    return DesiredReader(None).desired(commit, {}, files)


def _terms(snapshot: PlanningSnapshot | None, config: Config) -> tuple[QuoteTerms, str]:
    draw_seconds = config.withdrawals.every_seconds
    if snapshot is None:
        rules, limits = ChainParams(), Limits()
        terms_note = "This clone has no single snapshot; assumed: 5 s a block and the default rules."
        return QuoteTerms(rules, BLOCK_SECONDS, Fees.under(rules, limits), draw_seconds), terms_note
    market = snapshot.market
    terms_note = f"Block time, take and gas price as seen by {snapshot.provider} at height {market.height}."
    return QuoteTerms.of(market, snapshot.limits, config.withdrawals), terms_note


def _resources(options: dict[str, str]) -> Resources:
    name, gpu = _model(options["gpu"])
    try:
        model = GpuModel.parse(name)
    except ValueError as error:
        raise click.UsageError(f"--gpu: {error}") from None
    made = Resources(
        millicores(_checked(CPU, "--cpu", options["cpu"])),
        size_bytes(_checked(SIZE, "--memory", options["memory"])),
        size_bytes(_checked(SIZE, "--storage", options["storage"])),
        gpu,
        gpu_models=(((model,), gpu),) if gpu else (),
    )
    if made == Resources():
        raise click.UsageError(
            "name the resources, such as --cpu 4 --memory 8Gi --gpu nvidia/a100, an --order or a --workload"
        )
    return made


def _checked(form: TextForm, option: str, text: str) -> str:
    if text != "0" and not re.match(form.pattern, text):
        raise click.UsageError(f"{option} {text!r} is not {form.noun}; {form.advice}")
    return text


def _model(text: str) -> tuple[str, int]:
    """A GPU model ("" for any) and the count."""
    name, _, number = text.rpartition("=") if "=" in text else ("", "", text)
    if not number:
        return "", 0
    if number.isascii() and number.isdigit():
        return name, int(number)
    if "=" in text:
        raise click.UsageError(f"--gpu {text!r}: write a model, a count, or model=count: nvidia/a100=2")
    return number, 1
