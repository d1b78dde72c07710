"""`pricing.yaml`: prices per unit and block."""

from typing import Literal

from reconciler.documents.forms import Margin, Price
from reconciler.documents.model import FileModel, StrictModel


class PricingModel(StrictModel):
    """Prices in uve; a group costs (1 + profit_margin) x the sum of count x units x price per block."""

    cpu_millicores: Price
    """Price of one millicore (a thousandth of a core) per block, such as "1uve"."""
    memory_mb: Price
    """Price of one MB (2^20 bytes) of memory per block, such as "1uve"."""
    storage_mb: Price
    """Price of one MB (2^20 bytes) of storage per block, such as "0.1uve"."""
    gpu: Price
    """Price of one GPU per block, such as "5000uve"."""
    profit_margin: Margin
    """Fraction added to the sum: 0.15 is 15 %; below 1000, at most 6 decimals."""
    rounding: Literal["up", "none"] = "up"
    """Rounding of a group's price to whole uve: `up` rounds up, once at the end; `none` keeps the fraction.
    """


class PricingFile(FileModel):
    """Prices of resources."""

    kind: Literal["Pricing"] = "Pricing"
    """Pricing."""
    pricing: PricingModel
    """The prices. A bid is placed at exactly the resulting price."""
