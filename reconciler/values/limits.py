"""Limits of the host file, which a pull request cannot change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from reconciler.values.grants import Grants
from reconciler.values.rates import RateSource
from reconciler.values.resources import Resources


@dataclass(frozen=True, slots=True)
class PayoutRules:
    """What exceeds `operating_float` is paid to `address` every `every_seconds`, at least `amount_min` and at
    most `amount_max` at once, and `day_max` in any 24 hours; in uve.
    """

    address: str
    operating_float: int
    every_seconds: int = 86_400
    amount_min: int = 1_000_000
    amount_max: int = 100_000_000
    day_max: int = 100_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits and switches of the host file; an effect that exceeds one becomes a Hold.

    Amounts in uve, price bounds in uve a unit and block by the names of `values/bounds.py`, the gas price in
    uve. None means no bound; `stop_spending`, `draining` and
    `rate` are read from their files each cycle;
    `concurrent_effects` and `queued_effects` are the running effects and those in flight, of one target;
    `gas_adjustment` is the smallest factor applied to simulated gas (None: only what was measured); `grants`
    are the repository's; `payout` is None if nothing is paid out. No workload may have `gateway_host`.
    """

    observe_only: bool = False
    stop_spending: bool = False
    draining: bool = False
    messages_per_transaction: int = 100
    bids_per_cycle: int = 100
    spend_per_hour: int = 50_000_000
    fees_per_day: int = 100_000_000
    balance_reserve: int = 1_000_000
    bid_deposit_max: int = 2_500_000
    promised_per_tenant_percent: int = 25
    removals_per_cycle: int = 10
    removals_per_revision: int = 10
    window_seconds: int = 86_400
    closings_per_hour: int = 3
    actions_per_cycle: int = 1_000
    concurrent_effects: int = 8
    queued_effects: int = 1_000
    price_change_percent: int | None = None
    price_min: Mapping[str, Decimal] = field(default_factory=dict)
    price_max: Mapping[str, Decimal] = field(default_factory=dict)
    discount_percent_max: int = 25
    rate: RateSource | None = None
    allow_rewrite: bool = False
    require_signature: bool = False
    clock_skew_seconds: int = 60
    timeout_blocks: int = 20
    gas_adjustment: Decimal | None = None
    gas_price_max: Decimal = Decimal("0.25")
    capacity: Resources | None = None
    grants: Grants = field(default_factory=Grants)
    payout: PayoutRules | None = None
    gateway_host: str = ""

    @property
    def factor_min(self) -> Decimal:
        """The smallest product of multipliers."""
        return Decimal(100 - self.discount_percent_max) / 100
