"""`pricing.yaml`: prices per unit and block, and the tables that refine them."""

from typing import Annotated, Literal

from pydantic import Field

from reconciler.documents.forms import (
    WHOLE,
    Address,
    Attribute,
    GpuField,
    GpuRam,
    ListPrice,
    Margin,
    RoundingText,
)
from reconciler.documents.model import FileModel, StrictModel


class GpuPriceModel(StrictModel):
    """Price of the GPUs that have all of these properties; the most specific entry counts. Where an order
    leaves a property open, the most expensive GPU that it may get counts, unless an entry leaves open the
    same.
    """

    vendor: GpuField | None = None
    """Vendor, such as nvidia."""
    model: GpuField | None = None
    """Model, such as a100."""
    ram: GpuRam | None = None
    """RAM, such as 80Gi."""
    interface: GpuField | None = None
    """Interface: pcie or sxm."""
    price: ListPrice
    """Price of one GPU per block, such as "8000uve"."""


class StorageClassesModel(StrictModel):
    """Prices of one MB (2^20 bytes) per block by storage class; a class without a price costs storage_mb."""

    beta1: ListPrice | None = None
    """Class beta1 (hard disks)."""
    beta2: ListPrice | None = None
    """Class beta2 (SSD)."""
    beta3: ListPrice | None = None
    """Class beta3 (NVMe)."""
    default: ListPrice | None = None
    """Class default."""
    ram: ListPrice | None = None
    """Class ram: shared memory (shm)."""


class MultiplierModel(StrictModel):
    """A factor on the price of one tenant's leases, or of leases whose order requires an attribute; of both
    if both are named. Factors of a lease are multiplied.
    """

    tenant: Address | None = None
    """Address of the tenant."""
    attribute: Attribute | None = None
    """Attribute that the order requires, "key=value", such as "region=eu"."""
    percent: Annotated[int, Field(ge=1, le=1_000), WHOLE]
    """Factor in percent: 90 is a discount of 10 %, 120 a surcharge of 20 %. All discounts of a lease together
    are at most discount_percent_max of the host file.
    """


class PricingModel(StrictModel):
    """Prices in uve, or in a currency that the host file's rate converts; a group costs (1 + profit_margin) x
    multipliers x the sum of count x units x price per block, at least `minimum`.
    """

    cpu_millicores: ListPrice
    """Price of one millicore (a thousandth of a core) per block, such as "1uve"."""
    memory_mb: ListPrice
    """Price of one MB (2^20 bytes) of memory per block, such as "1uve"."""
    storage_mb: ListPrice
    """Price of one MB (2^20 bytes) of storage per block, such as "0.1uve"."""
    gpu: ListPrice
    """Price of one GPU per block, such as "5000uve"; of each that `gpu_models` does not list."""
    profit_margin: Margin
    """Fraction added to the sum: 0.15 is 15 %; below 1000, at most 6 decimals."""
    rounding: RoundingText = "up"
    """Rounding of a group's price, once at the end: `up` to whole uve, "10uve" up to the next multiple of
    10uve; `none` keeps the fraction.
    """
    gpu_models: Annotated[list[GpuPriceModel], Field(max_length=50)] = Field(default=[])
    """Prices of GPUs by vendor, model, RAM and interface."""
    storage_classes: StorageClassesModel = StorageClassesModel()
    """Prices of storage by class."""
    endpoint: ListPrice | None = None
    """Price of one public port per block, however many replicas serve it; default: free."""
    leased_ip: ListPrice | None = None
    """Price of one leased IP address per block; default: free."""
    minimum: ListPrice | None = None
    """Lowest price of a lease per block, margin and discounts included; default: none."""
    multipliers: Annotated[list[MultiplierModel], Field(max_length=200)] = Field(default=[])
    """Discounts and surcharges by tenant and by attribute of the order."""


class PricingFile(FileModel):
    """Prices of resources."""

    kind: Literal["Pricing"] = "Pricing"
    """Pricing."""
    pricing: PricingModel
    """The prices. `bidding.strategy` of config.yaml decides what is bid."""
