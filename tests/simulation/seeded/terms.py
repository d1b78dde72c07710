"""The fixed conditions of one run: its chain, its machines, its operator's files."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from reconciler.devnet.accounts import TENANTS, key_of

BEGINS_AT = 1_800_000_000
DAY = 86_400
DAYS = 30

CONFIG = """\
bidding: {{break_even: {break_even}}}
withdrawals: {{every: {every}, min_gain: 1uve}}
usage: {{every: {usage}, min_gain: 1uve, expiry_margin: 2h}}
publishing: {{quiet: 5s, at_most: 30s}}
escrow: {{low: 24h, critical: 2h, on_critical: {on_critical}}}
"""
PRICING = """\
pricing:
  cpu_millicores: {cpu}uve
  memory_mb: 1uve
  storage_mb: 0.1uve
  gpu: 20000uve
  profit_margin: 0.15
"""
TABLES = """\
pricing:
  cpu_millicores: {cpu} usd
  memory_mb: 0.02 usd
  storage_mb: 0.002 usd
  gpu: 400 usd
  endpoint: 0.14 usd
  minimum: 11 usd
  rounding: 10uve
  storage_classes: {{beta2: 0.01 usd, beta3: 0.05 usd}}
  gpu_models: [{{vendor: nvidia, model: a100, price: 900 usd}}, {{vendor: nvidia, price: 500 usd}}]
  multipliers: [{{tenant: {tenant}, percent: 120}}, {{attribute: billing=usage, percent: 90}}]
  profit_margin: 0.15
"""
"""About the same prices in a currency, with a table of everything."""

USD_UVE = (50, 51, 50, 49)
"""The uve of a unit of the currency, a day after another."""

CLUSTER_FILE = """\
kind: KubernetesAdapter
enabled: true
network_policy: other
ingress: {domain: apps.example}
"""
KUBERNETES, SPARE, ANSIBLE = "kubernetes", "spare", "ansible"
"""Adapters that the host file names; the first two reach the same cluster."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Drawn from a seed once; steps do not change them.

    `nodes` and `hosts` are millicores of each machine; `gap_blocks` the usual longest jump.
    """

    block_seconds: int
    nodes: tuple[int, ...]
    hosts: tuple[int, ...]
    every: str
    usage: str
    on_critical: str
    balance_uve: int
    gap_blocks: int
    notices: bool
    forge: bool
    witness: bool
    chain_cents: int = 100
    tables: bool = False
    fees_per_day: int = 100_000_000

    @property
    def config(self) -> str:
        """`config.yaml`."""
        return CONFIG.format(
            every=self.every, usage=self.usage, on_critical=self.on_critical, break_even="48h"
        )


def terms_of(rng: Random) -> Terms:
    """The conditions of a seed."""
    block_seconds = rng.choice([1, 6, 6, 30, 60, 300])
    return Terms(
        block_seconds=block_seconds,
        nodes=tuple(rng.choice([2000, 4000, 8000]) for _ in range(rng.randint(1, 4))),
        hosts=tuple(rng.choice([2000, 4000]) for _ in range(rng.choice([0, 0, 1, 3]))),
        every=rng.choice(["12h", "24h", "24h", "72h"]),
        usage=rng.choice(["8h", "24h", "48h"]),
        on_critical=rng.choice(["nothing", "pause"]),
        balance_uve=rng.choice([3_000_000, 10_000_000, 50_000_000]),
        gap_blocks=rng.choice([10_000, 40_000, 160_000]) // block_seconds,
        notices=rng.random() < 0.7,
        forge=rng.random() < 0.7,
        witness=rng.random() < 0.5,
        tables=rng.random() < 0.5,
        fees_per_day=rng.choice([100_000_000, 100_000_000, 100_000, 1_000_000]),
    )


def pricing(cents: int, terms: Terms) -> str:
    """`pricing.yaml` with a price of a millicore in hundredths of a uve."""
    if terms.tables:
        return TABLES.format(cpu=f"{cents / 5_000:.4f}", tenant=key_of(TENANTS[1]).address)
    return PRICING.format(cpu=f"{cents / 100:g}")
