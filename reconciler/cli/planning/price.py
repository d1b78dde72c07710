"""`provider-daemon price`: the price of one order, item by item."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import click

from reconciler.cli.errors import CliError
from reconciler.cli.options import output_option
from reconciler.cli.planning.preview import PreviewRequest, planning_snapshot_if_published
from reconciler.cli.repository.validate import read_tree
from reconciler.documents.desired import DesiredReader
from reconciler.documents.forms import CPU, SIZE, TextForm, millicores, size_bytes
from reconciler.planning.money.fees import Fees
from reconciler.planning.money.quotes import QuoteTerms, items, quote
from reconciler.reports.bill import Bill, BillItem, bill_fields, bill_text
from reconciler.values.desired import Config, Desired
from reconciler.values.limits import Limits
from reconciler.values.money import plain
from reconciler.values.observed import ChainParams
from reconciler.values.preview import Costs
from reconciler.values.repository import Commit
from reconciler.values.resources import Resources

BLOCK_SECONDS = Decimal(5)
"""Block time, if none was measured."""


@click.command()
@click.option("--cpu", default="0", help="Millicores (500m) or cores (4).")
@click.option("--memory", default="0", help="Bytes, or Ki, Mi, Gi, Ti (8Gi).")
@click.option("--storage", default="0", help="Bytes, or Ki, Mi, Gi, Ti (50Gi).")
@click.option("--gpu", default="", help="A model (nvidia/a100), a count (2), or both (nvidia/a100=2).")
@click.option("--count", type=click.IntRange(1, 10_000), default=1, help="Replicas of these resources.")
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path())
@output_option
def price(path: Path, count: int, output: str, **options: str) -> None:
    """Show the price of an order at the prices in PATH (uncommitted edits included), and a lease's income.

    Block time and chain rules come from the snapshot branch, if the clone has one.
    """
    bill = _bill(path, _resources(options).times(count), _model(options["gpu"])[0])
    click.echo(
        json.dumps(bill_fields(bill), indent=2) + "\n" if output == "json" else bill_text(bill), nl=False
    )


def _bill(path: Path, resources: Resources, model: str) -> Bill:
    desired = _desired(path)
    pricing = desired.pricing
    if pricing is None:
        raise CliError(f"error: {path / 'pricing.yaml'} cannot be read; see provider-daemon validate {path}")
    terms, terms_note = _terms(path, desired.config or Config())
    if model:
        terms_note = f"pricing.yaml has one price for every GPU, {model} included. {terms_note}"
    return Bill(
        tuple(
            BillItem(i.name, f"{plain(i.count)}{i.unit}", i.price, i.cost) for i in items(resources, pricing)
        ),
        pricing,
        quote(resources, pricing, terms),
        Costs(terms.rules.take_percent, terms.month_fees, terms.block_seconds),
        terms_note,
    )


def _desired(path: Path) -> Desired:
    files, refused = read_tree(path)
    commit = Commit("", "", "", 0, {name: name for name in files}, unread_entries=refused)
    return DesiredReader(None).desired(commit, {}, files)


def _terms(path: Path, config: Config) -> tuple[QuoteTerms, str]:
    draw_seconds = config.withdrawals.every_seconds
    snapshot = planning_snapshot_if_published(PreviewRequest(path, "", ""))
    if snapshot is None:
        rules, limits = ChainParams(), Limits()
        terms_note = "This clone has no single snapshot; assumed: 5 s a block and the default rules."
        return QuoteTerms(rules, BLOCK_SECONDS, Fees.under(rules, limits), draw_seconds), terms_note
    market = snapshot.market
    terms_note = f"Block time, take and gas price as seen by {snapshot.provider} at height {market.height}."
    return QuoteTerms.of(market, snapshot.limits, config.withdrawals), terms_note


def _resources(options: dict[str, str]) -> Resources:
    gpu = _model(options["gpu"])[1]
    made = Resources(
        millicores(_checked(CPU, "--cpu", options["cpu"])),
        size_bytes(_checked(SIZE, "--memory", options["memory"])),
        size_bytes(_checked(SIZE, "--storage", options["storage"])),
        gpu,
    )
    if made == Resources():
        raise click.UsageError("name the resources: --cpu 4 --memory 8Gi --storage 50Gi --gpu nvidia/a100")
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
