"""The host file: settings of the machine's owner, which no pull request can change.

It is read once at start. (restart): a change applies after `systemctl restart provider-daemon`. (live): the
file that the key names is read again when it changes; another file name applies after a restart.
`stop-spending` and `drain` are live.
"""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from reconciler.documents.adapter_access_model import AdaptersModel
from reconciler.documents.forms import (
    RECIPIENT,
    WHOLE,
    Address,
    Amount,
    Cpu,
    Currency,
    Duration,
    Line,
    Name,
    PathText,
    Price,
    SecretGrantName,
    Size,
    WorkloadName,
)
from reconciler.documents.gateway_model import GatewayModel
from reconciler.documents.model import FileModel, StrictModel


class NodeModel(StrictModel):
    """A node of the chain; TLS is required unless it runs on this machine."""

    grpc: Line
    """gRPC address, host:port. (restart)"""
    rpc: Line
    """CometBFT RPC address, https://host:port, or http:// on this machine. (restart)"""
    tls: bool = False
    """true: gRPC over TLS, verified with public authorities or `ca_file`. (restart)"""
    ca_file: PathText | None = None
    """Certificate authorities, PEM, that replace the public ones for both addresses. (restart)"""
    plaintext: bool = False
    """true: allow plaintext to a node on another machine; anyone on the network path can forge its answers.
    (restart)
    """


class ChainModel(NodeModel):
    """The node for queries and transactions."""

    chain_id: Line
    """Required chain ID of the node. (restart)"""
    witness: NodeModel | None = None
    """A second node with another operator: a workload is removed, a lease without funds closed, and a payout
    made only if both nodes show the reason. (restart)
    """


class SecretGrantModel(StrictModel):
    """A secret that workload files may reference."""

    name: SecretGrantName
    """Name of the Kubernetes Secret or vault entry; "name/key" grants one key only. (restart)"""
    workloads: Annotated[list[WorkloadName], Field(max_length=1_000)] = Field(default=[])
    """IDs of the workloads that may use it. (restart)"""
    tenants: Annotated[list[Address], Field(max_length=1_000)] = Field(default=[])
    """Addresses of tenants whose workloads may all use it. (restart)"""


Count = Annotated[int, Field(ge=1, le=1_000_000), WHOLE]


def _decimal(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


Number = Annotated[Decimal, BeforeValidator(_decimal)]
"""Fields of this type state their JSON schema: pydantic's schema of a Decimal lacks the bounds and allows
text.
"""


class RepositoryModel(StrictModel):
    """Source of the desired state, and who may change it."""

    url: Line
    """Git URL (https://, ssh://, user@host:path), or path of a repository on this machine. (restart)"""
    branch: Line = "main"
    """Branch with the desired state. (restart)"""
    path: Annotated[str, Field(max_length=400)] = ""
    """This provider's folder in the repository; empty: the root. (restart)"""
    allow_rewrite: bool = False
    """true: also apply commits that do not descend from the last applied one. (restart)"""
    allowed_signers: PathText | None = None
    """File in the format of ssh-keygen's ALLOWED SIGNERS; if set, only commits signed by one of them are
    applied. (live)
    """
    credentials: PathText | None = None
    """File in git-credential-store format, for https; mode 0600. (live)"""
    ca_file: PathText | None = None
    """Certificate authorities, PEM, that replace the system's for the repository's host. (restart)"""
    poll: Duration = "30s"
    """Poll interval for a remote repository; a local one is read in each cycle. (restart)"""
    publish: bool = True
    """false: do not push the status branch. (restart)"""
    snapshot: bool = True
    """false: do not push the snapshot branch; `plan --offline` then has no input. (restart)"""
    signing_key: PathText | None = None
    """SSH key without a passphrase that signs the commits of both branches, so that a snapshot cannot be
    forged. (restart)
    """
    author_name: Line = "provider-daemon"
    """Author name of status commits. (restart)"""
    author_email: Line = "provider-daemon@localhost"
    """Author e-mail of status commits. (restart)"""


class ProviderModel(StrictModel):
    """The provider's identity on the chain."""

    name: Name = "provider"
    """Provider name, part of the status branch's name. (restart)"""
    key: Line = "provider"
    """Name of the signing key in the keyring. (restart)"""
    keyring: PathText | None = None
    """Directory with keyring-file or keyring-test; default: `keyring` in the state directory. (restart)"""
    backend: Literal["file", "test"] = "file"
    """file: encrypted with a passphrase; test: not encrypted. (restart)"""
    passphrase_file: PathText | None = None
    """File whose first line is the passphrase of a `file` keyring; mode 0600. A systemd service reads its
    credential `passphrase` instead, or the one named here as $CREDENTIALS_DIRECTORY/NAME. (restart)
    """


class ListenModel(StrictModel):
    """Listen addresses; any off loopback require TLS, and a token or client certificate of each client."""

    api: Line = "127.0.0.1:8443"
    """HTTP API and page. (restart)"""
    metrics: Line = "127.0.0.1:8444"
    """Metrics. (restart)"""
    outside: Line | None = None
    """Second address of the API, for remote clients, such as "192.0.2.7:8443". (restart)"""
    tls_certificate: PathText | None = None
    """Server certificate chain, PEM. (live)"""
    tls_key: PathText | None = None
    """Its private key, PEM, without a passphrase. (live)"""
    client_ca: PathText | None = None
    """Certificate authorities, PEM, of clients that need no token. (restart)"""
    tokens: PathText | None = None
    """File of tokens, one per line: TOKEN or sha256:HASH, then optionally a name and an expiry. (live)"""
    webhook_secret: PathText | None = None
    """File whose first line is the secret of webhooks at POST /hooks/git; mode 0600. (live)"""
    ask_token: PathText | None = None
    """File whose first line is the token that commands such as `status` send if `api` is off loopback;
    default: the first plaintext token of `tokens`. (live)
    """
    ask_certificate: PathText | None = None
    """Client certificate that commands send instead, PEM, issued by `client_ca`. (live)"""
    ask_key: PathText | None = None
    """Its private key, PEM, without a passphrase. (live)"""


class PriceBoundsModel(StrictModel):
    """Bounds of prices in uve per unit and block, by the keys of pricing.yaml."""

    cpu_millicores: Price | None = None
    """Bound for one millicore. (restart)"""
    memory_mb: Price | None = None
    """Bound for one MB of memory. (restart)"""
    storage_mb: Price | None = None
    """Bound for one MB of storage, of any class. (restart)"""
    gpu: Price | None = None
    """Bound for one GPU, of any model. (restart)"""
    endpoint: Price | None = None
    """Bound for one public port. (restart)"""
    leased_ip: Price | None = None
    """Bound for one leased IP address. (restart)"""
    minimum: Price | None = None
    """Bound for the lowest price of a lease. (restart)"""


class CapacityModel(StrictModel):
    """Ceiling on promised capacity, whatever the machines offer."""

    cpu: Cpu
    """CPU, such as "8000m". (restart)"""
    memory: Size
    """Memory, such as "16Gi". (restart)"""
    storage: Size
    """Storage, such as "200Gi". (restart)"""
    gpu: Annotated[int, Field(ge=0, le=1_000_000), WHOLE] = 0
    """Number of GPUs. (restart)"""


class LimitsModel(StrictModel):
    """Ceilings; actions beyond one are held, with the reason."""

    messages_per_transaction: Annotated[int, Field(ge=1, le=500), WHOLE] = 100
    """Messages per transaction. (restart)"""
    bids_per_cycle: Count = 100
    """Bids per cycle. (restart)"""
    spend_per_hour: Amount = "50000000uve"
    """Fees and deposits per hour. (restart)"""
    fees_per_day: Amount = "100000000uve"
    """Fees of any 24 hours; closings, usage records and what stops a loss may exceed it. (restart)"""
    balance_reserve: Amount = "1000000uve"
    """Balance that is never spent. (restart)"""
    bid_deposit_max: Amount = "2500000uve"
    """Largest deposit for one bid; the chain's default is 500000uve. (restart)"""
    promised_per_tenant_percent: Annotated[int, Field(ge=0, le=100), WHOLE] = 25
    """Share of the capacity for leases that open bids on one tenant's orders may claim, in percent; one open
    bid is always allowed, and bids with a lease do not count. (restart)
    """
    removals_per_cycle: Count = 10
    """Workloads removed per cycle. (restart)"""
    removals_per_revision: Annotated[int, Field(ge=0, le=1_000_000), WHOLE] = 10
    """Workloads of active leases that revisions may stop, move or replace within window, by any change: a
    deleted file, pause, close, another image, a denied image, a changed or removed adapter file. (restart)
    """
    window: Duration = "24h"
    """Period over which price_change_percent and removals_per_revision count, whatever the number of commits.
    (restart)
    """
    closings_per_hour: Count = 3
    """Leases closed by the provider per hour. (restart)"""
    actions_per_cycle: Count = 1_000
    """Actions per cycle. (restart)"""
    concurrent_effects: Annotated[int, Field(ge=1, le=256), WHOLE] = 8
    """Effects that run at once on one target: an adapter, the repository, the receiver of notices, the forge.
    (restart)
    """
    queued_effects: Count = 1_000
    """Effects in flight on one target; more are held until one has ended. (restart)"""
    price_change_percent: Annotated[int, Field(ge=0, le=100_000), WHOLE] | None = None
    """Largest change of the lowest and the highest price that is bid for a unit (margin, multipliers and a
    strategy that bids down to cost included), relative to each price in force within window, in percent;
    a return to one of them is always allowed. (restart)
    """
    price_min: PriceBoundsModel = PriceBoundsModel()
    """Lower bounds of prices. (restart)"""
    price_max: PriceBoundsModel = PriceBoundsModel()
    """Upper bounds of prices, margin and surcharges included; that of `minimum` bounds the step of
    `rounding` too. (restart)
    """
    discount_percent_max: Annotated[int, Field(ge=0, le=99), WHOLE] = 25
    """Largest discount of a lease by all multipliers of pricing.yaml together, in percent. (restart)"""
    clock_skew: Duration = "60s"
    """Largest difference between this host's clock and the chain's; beyond it nothing is spent. (restart)"""
    timeout_blocks: Annotated[int, Field(ge=1, le=20), WHOLE] = 20
    """Blocks until a sent transaction expires. (restart)"""
    gas_adjustment: (
        Annotated[Number, Field(ge=1, le=10), WithJsonSchema({"type": "number", "minimum": 1, "maximum": 10})]
        | None
    ) = None
    """Smallest factor applied to simulated gas; default: by kind of message, what the chain used of the
    simulated gas. (restart)
    """
    gas_price_max: Price = "0.25uve"
    """Highest price per unit of gas that is paid; the chain asks for at most ten times its usual 0.025uve.
    (restart)
    """
    capacity: CapacityModel | None = None
    """Ceiling on promised capacity; default: all that the machines offer. (restart)"""


class PayoutModel(StrictModel):
    """Payouts of what exceeds an operating float."""

    address: Address
    """Account that receives the payouts. (restart)"""
    operating_float: Amount
    """Balance that stays; at least limits.balance_reserve. (restart)"""
    every: Duration = "24h"
    """Time between two payouts. (restart)"""
    amount_min: Amount = "1000000uve"
    """Smallest payout. (restart)"""
    amount_max: Amount = "100000000uve"
    """Largest payout; the rest follows with the next one. (restart)"""
    day_max: Amount = "100000000uve"
    """Payouts of any 24 hours. (restart)"""


class TimingModel(StrictModel):
    """Intervals."""

    poll_seconds: Annotated[
        Number,
        Field(ge=Decimal("0.05"), le=600),
        WithJsonSchema({"type": "number", "minimum": 0.05, "maximum": 600}),
    ] = Decimal(1)
    """Poll interval of the chain's height; about a fifth of the block time. (restart)"""
    cycle_at_most_seconds: Annotated[int, Field(ge=1, le=3_600), WHOLE] = 60
    """Longest time between the starts of two cycles. (restart)"""


class NoticesModel(StrictModel):
    """Webhook for low funds of tenants."""

    url: Line
    """https:// (or http:// on this machine): receives a POST with a JSON notice once per lease and state.
    (restart)
    """
    secret_file: PathText | None = None
    """File with the secret that signs each notice (X-Signature-256: sha256=...). (live)"""


class ForgeModel(StrictModel):
    """Forge that shows the status of each commit: held, applied, faulty."""

    url: Line
    """https://github.com, https://HOST of a Gitea, or http:// on this machine. (restart)"""
    allow_http: bool = False
    """true: allow plain http to another host, such as a Gitea in a home lab; anyone on the network path can
    read the token. (restart)
    """
    repository: Line
    """OWNER/NAME of the state repository there. (restart)"""
    token_file: PathText
    """File whose first line is a token with permission to set commit statuses; mode 0600. (live)"""
    ca_file: PathText | None = None
    """As repository.ca_file, which is the default if both are on one host. (restart)"""
    context: Line | None = None
    """Name of this status among other checks; default: provider-daemon/NAME. (restart)"""


class RateModel(StrictModel):
    """Exchange rate for prices in another currency than uve."""

    currency: Currency
    """Currency of the prices in pricing.yaml. (restart)"""
    file: PathText
    """File with the uve of one unit and the time of the rate: {"rate": "40.5", "time":
    "2026-12-01T12:00:00Z"}, or both as plain words. Replace it as a whole (write beside it, then rename).
    (live)
    """
    max_age: Duration = "24h"
    """Oldest age of the rate; with an older one nothing is bid on. (restart)"""


class SealingModel(StrictModel):
    """Sealing of values that must not be readable in the repository."""

    recipient: Annotated[str, Field(pattern=RECIPIENT.pattern)]
    """The age recipient that values are sealed for, as `provider-daemon seal --new-identity` prints it.
    (restart)
    """
    identity: PathText | None = None
    """File with the age identities that unseal them, mode 0600; default: `identity.age` in the state
    directory. (live)
    """


class HostFile(FileModel):
    """Settings of the machine's owner."""

    kind: Literal["Host"] = "Host"
    """Host."""
    repository: RepositoryModel
    """Source of the desired state. (restart)"""
    provider: ProviderModel = ProviderModel()
    """The provider's identity. (restart)"""
    chain: ChainModel
    """The node. (restart)"""
    adapters: AdaptersModel = AdaptersModel()
    """Access to machines. (restart)"""
    secrets: Annotated[list[SecretGrantModel], Field(max_length=1_000)] = Field(default=[])
    """Secrets that workload files may reference (`secret: name/key`), and by whom. (restart)"""
    notices: NoticesModel | None = None
    """Webhook for low funds of tenants; none by default. (restart)"""
    forge: ForgeModel | None = None
    """Forge that shows the status of each commit; none by default. (restart)"""
    state: PathText = "/var/lib/provider-daemon"
    """State directory: mirror, journal, keyring; used by one daemon at a time. (restart)"""
    listen: ListenModel = ListenModel()
    """Listen addresses. (restart)"""
    gateway: GatewayModel | None = None
    """Listener for tenants; none by default: their workloads are then written to the repository. (restart)"""
    sealing: SealingModel | None = None
    """Sealing of values; required by `gateway`. (restart)"""
    limits: LimitsModel = LimitsModel()
    """Ceilings. (restart)"""
    payout: PayoutModel | None = None
    """Payouts of what exceeds an operating float; none by default. (restart)"""
    rate: RateModel | None = None
    """Exchange rate for prices in another currency; none by default. (restart)"""
    timing: TimingModel = TimingModel()
    """Intervals. (restart)"""
