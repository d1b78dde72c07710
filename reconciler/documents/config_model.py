"""`config.yaml`: bidding, withdrawals, usage billing and publishing."""

from typing import Annotated, Literal

from pydantic import Field

from reconciler.documents.forms import WHOLE, Address, Amount, Delay, Duration, HostRule, ImageRule
from reconciler.documents.model import FileModel, StrictModel

SUSPENDED_MAX = 200
"""Characters of the reason."""


class BiddingModel(StrictModel):
    """Selection of the orders to bid on."""

    enabled: bool = True
    """false: place no bids; existing leases continue."""
    strategy: Literal["cost-plus", "percent-of-maximum", "undercut"] = "cost-plus"
    """The price of a bid. `cost-plus`: the price of pricing.yaml. `percent-of-maximum`: a part of the highest
    price that the tenant accepts, at least the price of pricing.yaml. `undercut`: less than the lowest open
    bid of another provider, at most the price of pricing.yaml and at least that without its margin.
    """
    maximum_percent: Annotated[int, Field(ge=1, le=100), WHOLE] = 95
    """With `percent-of-maximum`: the part of the tenant's highest price, in percent."""
    undercut_percent: Annotated[int, Field(ge=0, le=50), WHOLE] = 1
    """With `undercut`: how much less than the lowest other bid, in percent."""
    break_even: Duration = "24h"
    """Time within which a bid must earn back its fees (bid, withdrawals, closing); other bids are held."""
    bid_lifetime: Duration = "30m"
    """Time after which an open bid that no lease has followed is closed, so that its capacity and deposit are
    free again; the chain accepts no second bid on the order.
    """
    manifest_timeout: Duration | None = None
    """Time after which a lease is closed whose tenant has sent no manifest, and that has no workload file.
    Default: 5m if the host file has a gateway, else never.
    """
    outpriced_percent: Annotated[int, Field(ge=0, le=100), WHOLE] = 20
    """How far the price of an open bid may be below the price of the same order today, in percent; beyond it
    the bid is closed, and a lease that a tenant made of it meanwhile is left before its workload starts. 100:
    never.
    """
    owners_allowed: list[Address] = Field(default=[])
    """Addresses of the only tenants to bid for; empty: all that are not denied."""
    owners_denied: list[Address] = Field(default=[])
    """Addresses of tenants never to bid for."""


class WithdrawalsModel(StrictModel):
    """Withdrawals of a lease's earnings from its escrow account."""

    every: Duration = "24h"
    """Shortest time between two withdrawals of a lease."""
    min_gain: Amount = "1uve"
    """Smallest gain after the fee, in whole uve."""
    fee_percent_max: Annotated[int, Field(ge=1, le=100), WHOLE] = 2
    """Largest share of the earnings that the fee may be, in percent; before the funds run out, earnings are
    withdrawn whatever the share.
    """


class UsageModel(StrictModel):
    """Recording and settlement of leases billed by usage."""

    every: Duration = "24h"
    """Period of one usage record; each record raises the cost of the next settlement."""
    min_gain: Amount = "1uve"
    """Smallest gain of a record after the fees of recording and settling, in whole uve."""
    settle_before_expiry: Duration = "1h"
    """Settle this long before the settlement escrow expires, as soon as it covers the fee: unsettled usage is
    then lost.
    """
    unfunded_grace: Duration = "15m"
    """How long a lease is served without a settlement escrow that pays for its usage; then its workload is
    stopped and the lease closed. If its escrow is used up, expires or is refunded, that happens at once: the
    chain accepts no second escrow for an order.
    """
    meter: Literal["requests", "metrics"] = "requests"
    """`requests`: CPU and memory of ready replicas are billed as requested; `metrics`: as the cluster's
    metrics API measures them, at most as requested, and nothing while it does not.
    """


class FirstUsageModel(UsageModel):
    """The format of v1alpha1."""

    settle_before_expiry: Duration = Field(default="1h", alias="expiry_margin")
    """Settle this long before the settlement escrow expires, as soon as it covers the fee: unsettled usage is
    then lost.
    """


class EscrowModel(StrictModel):
    """Thresholds of low funds of a lease, and the reaction."""

    low: Duration = "24h"
    """Remaining time below which funds are low. If the host file names a webhook for notices, one notice is
    sent per state: low, critical, unfunded, exhausted.
    """
    critical: Duration = "2h"
    """Remaining time below which `on_critical` applies."""
    on_critical: Literal["nothing", "pause"] = "nothing"
    """pause: stop the workload gracefully until the tenant deposits more; nothing: let it run."""


class PublishingModel(StrictModel):
    """Debouncing of commits to the status branch."""

    quiet: Delay = "5s"
    """Commit after this time without a further change."""
    at_most: Delay = "30s"
    """Commit after this time even if changes continue."""


class ConfigFile(FileModel):
    """Behaviour of the provider."""

    kind: Literal["Config"] = "Config"
    """Config."""
    provider: Address | None = None
    """The provider's address; lets CI, which has no key, check the names of workload files."""
    bidding: BiddingModel = BiddingModel()
    """Which orders to bid on."""
    withdrawals: WithdrawalsModel = WithdrawalsModel()
    """Withdrawals of earnings."""
    usage: UsageModel = UsageModel()
    """Billing by usage."""
    publishing: PublishingModel = PublishingModel()
    """Commits to the status branch."""
    escrow: EscrowModel = EscrowModel()
    """Reaction to low funds of a lease."""
    suspended: Annotated[str, Field(max_length=SUSPENDED_MAX)] = ""
    """If not empty, the reason why bids, withdrawals, usage records and closings are suspended; workloads
    keep running.
    """
    images_denied: list[ImageRule] = Field(default=[])
    """Images that no workload may use, after normalisation; * matches any text, ? one character:
    "docker.io/evil/*"."""
    hosts_denied: Annotated[list[HostRule], Field(max_length=10_000)] = Field(default=[])
    """Host names that no tenant's manifest may use; ".example.com" is the domain and all names below it."""
    capacity_reserve_percent: Annotated[int, Field(ge=0, le=100), WHOLE] = 0
    """Share of the capacity that is never promised, in percent."""


class FirstConfigFile(ConfigFile):
    """Behaviour of the provider, in the format of v1alpha1."""

    usage: FirstUsageModel = FirstUsageModel()
    """Billing by usage."""
