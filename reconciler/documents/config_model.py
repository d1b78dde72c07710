"""`config.yaml`: whom to bid for, when money and usage fall due, how status is published."""

from typing import Annotated, Literal

from pydantic import Field

from reconciler.documents.forms import WHOLE, Address, Amount, Delay, Duration, ImageRule
from reconciler.documents.model import FileModel, StrictModel

SUSPENDED_MAX = 200
"""Characters of a reason."""


class BiddingModel(StrictModel):
    """Whom to bid for, and when a bid is worth its fees."""

    enabled: bool = True
    """false: no bid is made; leases that exist go on."""
    break_even: Duration = "24h"
    """Within what time a bid must earn back its fees (bid, withdrawals, closing); else it is held."""
    owners_allowed: list[Address] = Field(default=[])
    """Bid for these tenants alone (addresses); empty: for all that are not denied."""
    owners_denied: list[Address] = Field(default=[])
    """Never bid for these tenants (addresses)."""


class WithdrawalsModel(StrictModel):
    """When a lease's earnings are drawn from its escrow."""

    every: Duration = "24h"
    """At least so long after the last withdrawal of that lease."""
    min_gain: Amount = "1uve"
    """At least so much must be left over after the fee, in whole uve."""


class UsageModel(StrictModel):
    """When usage of leases that are billed by usage is recorded and settled."""

    every: Duration = "24h"
    """The length of one usage record's period; each record makes the next settlement dearer."""
    min_gain: Amount = "1uve"
    """A record and its settlement must bring at least so much over their fees, in whole uve."""
    settle_before_expiry: Duration = "1h"
    """Settle so long before the settlement escrow expires, whatever it brings: the rest is lost then."""


class FirstUsageModel(UsageModel):
    """As it was written in v1alpha1."""

    settle_before_expiry: Duration = Field(default="1h", alias="expiry_margin")
    """Settle so long before the settlement escrow expires, whatever it brings: the rest is lost then."""


class EscrowModel(StrictModel):
    """From when on a lease counts as hardly paid for, and what happens then."""

    low: Duration = "24h"
    """Funds for less than this: the tenant is told once, where the host file names a receiver of notices."""
    critical: Duration = "2h"
    """Funds for less than this: `on_critical` happens."""
    on_critical: Literal["nothing", "pause"] = "nothing"
    """pause: the workload stops gracefully until the tenant deposits more; nothing: it runs to the end."""


class PublishingModel(StrictModel):
    """How changes of status are gathered before a commit to the status branch."""

    quiet: Delay = "5s"
    """Commit after so long without a further change."""
    at_most: Delay = "30s"
    """Commit after so long even if changes go on."""


class ConfigFile(FileModel):
    """How this provider behaves."""

    kind: Literal["Config"] = "Config"
    """Config."""
    provider: Address | None = None
    """This provider's own address; with it, file names are checked in CI too, where no key is at hand."""
    bidding: BiddingModel = BiddingModel()
    """Whom to bid for."""
    withdrawals: WithdrawalsModel = WithdrawalsModel()
    """When earnings are drawn."""
    usage: UsageModel = UsageModel()
    """When usage is billed."""
    publishing: PublishingModel = PublishingModel()
    """How status is committed."""
    escrow: EscrowModel = EscrowModel()
    """What happens as a lease's funds run out."""
    suspended: Annotated[str, Field(max_length=SUSPENDED_MAX)] = ""
    """A reason: nothing is bid, withdrawn, recorded or closed while it stands here; workloads run on."""
    images_denied: list[ImageRule] = Field(default=[])
    """Images that no workload may use, in whatever spelling; * stands for any text, ? for one character:
    "docker.io/evil/*"."""
    capacity_reserve_percent: Annotated[int, Field(ge=0, le=100), WHOLE] = 0
    """Share of the capacity that is never promised, in percent."""


class FirstConfigFile(ConfigFile):
    """How this provider behaves, in the form of v1alpha1."""

    usage: FirstUsageModel = FirstUsageModel()
    """When usage is billed."""
