"""`pricing.yaml`: what a unit costs a block."""

from typing import Literal

from reconciler.documents.forms import Margin, Price
from reconciler.documents.model import FileModel, StrictModel


class PricingModel(StrictModel):
    """Prices in uve; a group costs (1 + profit_margin) x the sum of count x units x price a block."""

    cpu_millicores: Price
    """Price of one millicore (a thousandth of a core) a block, such as "1uve"."""
    memory_mb: Price
    """Price of one MB (2^20 bytes) of memory a block, such as "1uve"."""
    storage_mb: Price
    """Price of one MB (2^20 bytes) of storage a block, such as "0.1uve"."""
    gpu: Price
    """Price of one GPU a block, such as "5000uve"."""
    profit_margin: Margin
    """Fraction put on the sum of the prices: 0.15 is 15 %; below 1000, with at most 6 decimals."""
    rounding: Literal["up", "none"] = "up"
    """What becomes of the fraction of a uve in a group's price: `up` rounds it up, last; `none` keeps it."""


class PricingFile(FileModel):
    """Prices of what this provider rents out."""

    kind: Literal["Pricing"] = "Pricing"
    """Pricing."""
    pricing: PricingModel
    """The prices. A bid is made at the price they give, never below."""
