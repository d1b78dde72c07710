"""`provider-daemon price`: what one order costs at the prices of a clone, line by line."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import click

from reconciler.cli.errors import CliError
from reconciler.cli.options import output_option
from reconciler.cli.planning.preview import PreviewRequest, outlook_if_shared
from reconciler.cli.repository.validate import read_tree
from reconciler.documents.desired import DesiredReader
from reconciler.documents.forms import CPU, SIZE, TextForm, millicores, size_bytes
from reconciler.planning.fees import Fees
from reconciler.planning.quotes import QuoteTerms, items, quote
from reconciler.reports.bill import Bill, BillItem, bill_fields, bill_text
from reconciler.values.desired import Config, Desired
from reconciler.values.limits import Limits
from reconciler.values.money import plain
from reconciler.values.observed import ChainRules
from reconciler.values.preview import Costs
from reconciler.values.repository import Commit
from reconciler.values.resources import Resources

BLOCK_SECONDS = Decimal(5)
"""A block's time where nobody has measured it."""


@click.command()
@click.option("--cpu", default="0", help="Millicores (500m) or cores (4).")
@click.option("--memory", default="0", help="Bytes, or Ki, Mi, Gi, Ti (8Gi).")
@click.option("--storage", default="0", help="Bytes, or Ki, Mi, Gi, Ti (50Gi).")
@click.option("--gpu", default="", help="A model (nvidia/a100), a count (2), or both (nvidia/a100=2).")
@click.option("--count", type=click.IntRange(1, 10_000), default=1, help="So many of all this.")
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path())
@output_option
def price(path: Path, count: int, output: str, **asked: str) -> None:
    """What an order costs at the prices in PATH, as they stand there now, and what a lease of it brings.

    Block time and the chain's rules are those of the snapshot branch, where the clone has one.
    """
    bill = _bill(path, _resources(asked).times(count), _model(asked["gpu"])[0])
    click.echo(
        json.dumps(bill_fields(bill), indent=2) + "\n" if output == "json" else bill_text(bill), nl=False
    )


def _bill(path: Path, resources: Resources, model: str) -> Bill:
    desired = _desired(path)
    pricing = desired.pricing
    if pricing is None:
        raise CliError(f"error: {path / 'pricing.yaml'} cannot be read; see provider-daemon validate {path}")
    terms, told = _terms(path, desired.config or Config())
    if model:
        told = f"pricing.yaml has one price for every GPU, {model} like any other. {told}"
    return Bill(
        tuple(
            BillItem(i.name, f"{plain(i.count)}{i.unit}", i.price, i.cost) for i in items(resources, pricing)
        ),
        pricing,
        quote(resources, pricing, terms),
        Costs(terms.rules.take_percent, terms.month_fees, terms.block_seconds),
        told,
    )


def _desired(path: Path) -> Desired:
    files, refused = read_tree(path)
    commit = Commit("", "", "", 0, {name: name for name in files}, refused=refused)
    return DesiredReader(None).desired(commit, {}, files)


def _terms(path: Path, config: Config) -> tuple[QuoteTerms, str]:
    draw_seconds = config.withdrawals.every_seconds
    outlook = outlook_if_shared(PreviewRequest(path, "", ""))
    if outlook is None:
        rules, limits = ChainRules(), Limits()
        told = "Assumed, as this clone has no snapshot, or those of several: 5 s a block and the usual rules."
        return QuoteTerms(rules, BLOCK_SECONDS, Fees.under(rules, limits), draw_seconds), told
    market = outlook.market
    told = f"Block time, take and gas price as {outlook.provider} saw them at height {market.height}."
    return QuoteTerms.of(market, outlook.limits, config.withdrawals), told


def _resources(asked: dict[str, str]) -> Resources:
    gpu = _model(asked["gpu"])[1]
    made = Resources(
        millicores(_fits(CPU, "--cpu", asked["cpu"])),
        size_bytes(_fits(SIZE, "--memory", asked["memory"])),
        size_bytes(_fits(SIZE, "--storage", asked["storage"])),
        gpu,
    )
    if made == Resources():
        raise click.UsageError("say what is asked for: --cpu 4 --memory 8Gi --storage 50Gi --gpu nvidia/a100")
    return made


def _fits(form: TextForm, option: str, text: str) -> str:
    if text != "0" and not re.match(form.pattern, text):
        raise click.UsageError(f"{option} {text!r} is not {form.noun}; {form.advice}")
    return text


def _model(text: str) -> tuple[str, int]:
    """A GPU's model ("" for any) and how many."""
    name, _, number = text.rpartition("=") if "=" in text else ("", "", text)
    if not number:
        return "", 0
    if number.isascii() and number.isdigit():
        return name, int(number)
    if "=" in text:
        raise click.UsageError(f"--gpu {text!r}: write a model, a count, or model=count: nvidia/a100=2")
    return number, 1
