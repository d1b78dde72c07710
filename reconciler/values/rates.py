"""Exchange rates: how many uve one unit of a currency is."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from reconciler.values.readings import Reading


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """The uve of one unit of a currency, and when that was found (unix seconds)."""

    uve: Decimal
    at: int


@dataclass(frozen=True, slots=True)
class RateSource:
    """The host file's rate: its currency, its oldest age, and what its file says."""

    currency: str
    max_age_seconds: int
    reading: Reading[ExchangeRate]
