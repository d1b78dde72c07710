"""The host file: what only the machine's owner decides, out of a pull request's reach.

It is read once, at the start, so that a change of it applies after `systemctl restart provider-daemon`:
(restart) stands beside such keys. (live) stands beside keys that name a file which is read again when it
changes; that they name another applies after a restart, too. `stop-spending` and `drain` are live.
"""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from reconciler.documents.forms import (
    WHOLE,
    Address,
    Amount,
    Cpu,
    Directory,
    Duration,
    HostGrant,
    Jump,
    Line,
    Name,
    PathText,
    Price,
    SecretGrantName,
    Size,
    WorkloadName,
)
from reconciler.documents.model import FileModel, StrictModel


class NodeModel(StrictModel):
    """A node of the chain; off this machine it is reached over TLS."""

    grpc: Line
    """Its gRPC address, host:port. (restart)"""
    rpc: Line
    """Its CometBFT RPC, https://host:port, or http:// on this machine. (restart)"""
    tls: bool = False
    """true: gRPC over TLS, verified with public authorities or `ca_file`. (restart)"""
    ca_file: PathText | None = None
    """Certificates, PEM, that both are verified against in place of public authorities. (restart)"""
    plaintext: bool = False
    """true: a node on another machine is asked without TLS: everyone on the way can change what it says.
    (restart)
    """


class ChainModel(NodeModel):
    """The node that we ask and send through."""

    chain_id: Line
    """The chain that it must be of. (restart)"""
    witness: NodeModel | None = None
    """A second node, run by somebody else: a workload is removed only where both show its lease as ended.
    (restart)
    """


class KubernetesAccessModel(StrictModel):
    """How the cluster is reached."""

    kubeconfig: PathText | None = None
    """The kubeconfig; without it $KUBECONFIG. In a pod, one that names its tokenFile. (live)"""
    context: Line | None = None
    """The context in it; without it the current one. (restart)"""
    programs: bool = False
    """true: a program that the kubeconfig names (exec, auth-provider) may be run to get credentials.
    (restart)
    """
    namespaces: Annotated[list[Name], Field(max_length=100)] = Field(default=["provider-workloads"])
    """The namespaces that adapters/kubernetes.yaml may name; in another, nothing runs. (restart)"""


class AnsibleAccessModel(StrictModel):
    """How hosts are reached, and what adapters/ansible.yaml may ask for; if it asks for more, nothing of it
    runs. The files are readable to the daemon's user only.
    """

    enabled: bool = False
    """true: workloads may run on plain hosts. (restart)"""
    hosts: Annotated[list[HostGrant], Field(max_length=1_000)] = Field(default=[])
    """The hosts that may be used: names, IP addresses or ranges such as "192.0.2.0/24"; names match as a
    whole. (restart)
    """
    this_machine: bool = False
    """true: workloads may run on the daemon's own machine (address: localhost), beside its key. (restart)"""
    sudo: bool = False
    """true: groups may say `sudo: true` or `user: root`. (restart)"""
    storage_paths: Annotated[list[Directory], Field(max_length=100)] = Field(
        default=["/var/lib/provider-workloads"]
    )
    """The directories of hosts in or below which storage.path may be. (restart)"""
    jump: Jump | None = None
    """An SSH server, "user@host:port", through which all hosts but this machine are reached; its key must be
    in known_hosts, too. (restart)
    """

    private_key: PathText | None = None
    """The SSH key, without a passphrase, of hosts that are not this machine. (live)"""
    known_hosts: PathText | None = None
    """The keys of the hosts, as ssh-keyscan prints them; a host whose key is another is not talked to. (live)
    """
    vault: PathText | None = None
    """A file of ansible-vault that holds tenants' secrets, as `name: {key: value}`. (live)"""
    vault_password_file: PathText | None = None
    """The file with the vault's password. (live)"""


class AdaptersModel(StrictModel):
    """How each adapter reaches its machines, and which of them the repository may use."""

    kubernetes: KubernetesAccessModel = KubernetesAccessModel()
    """The Kubernetes cluster. (restart)"""
    ansible: AnsibleAccessModel = AnsibleAccessModel()
    """Plain hosts. (restart)"""


class SecretGrantModel(StrictModel):
    """A secret that workload files may refer to."""

    name: SecretGrantName
    """The Secret of the cluster, or the name in the vault; "name/key" grants one key only. (restart)"""
    workloads: Annotated[list[WorkloadName], Field(max_length=1_000)] = Field(default=[])
    """Workloads, by their ids, that may use it. (restart)"""
    tenants: Annotated[list[Address], Field(max_length=1_000)] = Field(default=[])
    """Tenants, by their addresses, all of whose workloads may use it. (restart)"""


Count = Annotated[int, Field(ge=1, le=1_000_000), WHOLE]


def _decimal(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


Number = Annotated[Decimal, BeforeValidator(_decimal)]
"""Its schema stands beside its bounds: of a Decimal pydantic tells neither these nor that a text is none."""


class RepositoryModel(StrictModel):
    """Where the desired state is, and who may change it."""

    url: Line
    """A git URL (https://, ssh://, user@host:path), or the path of a repository on this machine. (restart)"""
    branch: Line = "main"
    """The branch whose commits are desired. (restart)"""
    path: Annotated[str, Field(max_length=400)] = ""
    """The folder inside the repository that is this provider's; empty: the top. (restart)"""
    allow_rewrite: bool = False
    """true: a commit that does not descend from the one last applied is applied all the same. (restart)"""
    allowed_signers: PathText | None = None
    """A file of ssh-keygen's ALLOWED SIGNERS; with it, only commits that one of them signed are applied.
    (live)
    """
    credentials: PathText | None = None
    """A file in git-credential-store's form, for https; nobody but the daemon's user may read it. (live)"""
    ca_file: PathText | None = None
    """Certificates (PEM) of the authorities that may vouch for its host, not the system's. (restart)"""
    poll: Duration = "30s"
    """How often a repository on another machine is asked; one on this machine is looked at each cycle.
    (restart)
    """
    publish: bool = True
    """false: no status branch is pushed. (restart)"""
    snapshot: bool = True
    """false: no snapshot branch is pushed; pull requests then are not planned off the host. (restart)"""
    signing_key: PathText | None = None
    """An ssh key without a passphrase that signs the commits of both branches, so that nobody can forge a
    snapshot. (restart)
    """
    author_name: Line = "provider-daemon"
    """The author of status commits. (restart)"""
    author_email: Line = "provider-daemon@localhost"
    """The author's address. (restart)"""


class ProviderModel(StrictModel):
    """Who we are on the chain."""

    name: Name = "provider"
    """The provider's name, as the status branch carries it. (restart)"""
    key: Line = "provider"
    """The name of the signing key in the keyring. (restart)"""
    keyring: PathText | None = None
    """The directory that holds keyring-file or keyring-test; without it: `keyring` in the state directory.
    (restart)
    """
    backend: Literal["file", "test"] = "file"
    """file: sealed with a passphrase; test: open to everyone who can read the files. (restart)"""
    passphrase_file: PathText | None = None
    """The file whose first line opens a `file` keyring; nobody but the daemon's user may read it. A service
    reads its credential `passphrase` instead, or the one named here as $CREDENTIALS_DIRECTORY/NAME. (restart)
    """


class ListenModel(StrictModel):
    """Where the servers listen; what others reach needs TLS, and a token or a certificate of who asks."""

    api: Line = "127.0.0.1:8443"
    """The HTTP API and the page. (restart)"""
    metrics: Line = "127.0.0.1:8444"
    """The metrics. (restart)"""
    outside: Line | None = None
    """A second address of the API, for others, such as "192.0.2.7:8443". (restart)"""
    tls_certificate: PathText | None = None
    """The certificate chain that others see, PEM. (live)"""
    tls_key: PathText | None = None
    """Its key, PEM, without a passphrase. (live)"""
    client_ca: PathText | None = None
    """Certificates, PEM, whose clients may ask without a token. (restart)"""
    tokens: PathText | None = None
    """A file of tokens, one a line: TOKEN (or sha256:HASH), then, if wanted, a name and until when. (live)"""
    webhook_secret: PathText | None = None
    """A file whose first line a forge proves at POST /hooks/git; nobody but the daemon's user may read it.
    (live)
    """
    ask_token: PathText | None = None
    """Where `api` is reached by others: a file whose first line is the token that commands such as `status`
    show; left out: the first of `tokens` that stands there whole. (live)
    """
    ask_certificate: PathText | None = None
    """The certificate that commands show instead, PEM, of `client_ca`. (live)"""
    ask_key: PathText | None = None
    """Its key, PEM, without a passphrase. (live)"""


class PriceBoundsModel(StrictModel):
    """Bounds of prices in uve a unit and block, by the keys of pricing.yaml."""

    cpu_millicores: Price | None = None
    """Bound for one millicore. (restart)"""
    memory_mb: Price | None = None
    """Bound for one MB of memory. (restart)"""
    storage_mb: Price | None = None
    """Bound for one MB of storage. (restart)"""
    gpu: Price | None = None
    """Bound for one GPU. (restart)"""


class CapacityModel(StrictModel):
    """The most that may be promised, whatever the machines have."""

    cpu: Cpu
    """CPU, such as "8000m". (restart)"""
    memory: Size
    """Memory, such as "16Gi". (restart)"""
    storage: Size
    """Storage, such as "200Gi". (restart)"""
    gpu: Annotated[int, Field(ge=0, le=1_000_000), WHOLE] = 0
    """Count of GPUs. (restart)"""


class LimitsModel(StrictModel):
    """Ceilings; reaching one withholds what goes beyond, with its reason."""

    messages_per_transaction: Annotated[int, Field(ge=1, le=500), WHOLE] = 100
    """Messages that one transaction carries at most. (restart)"""
    bids_per_cycle: Count = 100
    """Bids that one cycle makes at most. (restart)"""
    spend_per_hour: Amount = "50000000uve"
    """Fees and deposits within an hour at most. (restart)"""
    balance_reserve: Amount = "1000000uve"
    """What always stays in the account. (restart)"""
    bid_deposit_max: Amount = "2500000uve"
    """The largest deposit that is locked for one bid; the chain asks for 500000uve by default. (restart)"""
    removals_per_cycle: Count = 10
    """Workloads that one cycle removes at most. (restart)"""
    removals_per_revision: Annotated[int, Field(ge=0, le=1_000_000), WHOLE] = 10
    """Workloads of active leases that revisions stop, move or replace within window at most, whatever field
    does it: deleting, pausing, closing, another image, a denied image, a disabled adapter, a new namespace.
    (restart)
    """
    window: Duration = "24h"
    """How far back price_change_percent and removals_per_revision look, however many commits. (restart)"""
    closings_per_hour: Count = 3
    """Leases that are closed by us within an hour at most. (restart)"""
    actions_per_cycle: Count = 1_000
    """Effects that one cycle has at most. (restart)"""
    price_change_percent: Annotated[int, Field(ge=0, le=100_000), WHOLE] | None = None
    """How far a price, its margin counted in, may move from any that was in force within window, in percent
    of that one; going back to one is always allowed. (restart)
    """
    price_min: PriceBoundsModel = PriceBoundsModel()
    """No price below is applied. (restart)"""
    price_max: PriceBoundsModel = PriceBoundsModel()
    """No price above is applied. (restart)"""
    clock_skew: Duration = "60s"
    """How far this host's clock may be from the chain's before spending waits. (restart)"""
    timeout_blocks: Annotated[int, Field(ge=1, le=20), WHOLE] = 20
    """For how many blocks a sent transaction may still be executed. (restart)"""
    gas_adjustment: Annotated[
        Number, Field(ge=1, le=10), WithJsonSchema({"type": "number", "minimum": 1, "maximum": 10})
    ] = Decimal("1.5")
    """By what simulated gas is multiplied. (restart)"""
    gas_price_max: Price = "0.1uve"
    """The most that is paid for a unit of gas. (restart)"""
    capacity: CapacityModel | None = None
    """The most that may be promised; without it all that the machines offer. (restart)"""


class TimingModel(StrictModel):
    """How often we look."""

    poll_seconds: Annotated[
        Number,
        Field(ge=Decimal("0.05"), le=600),
        WithJsonSchema({"type": "number", "minimum": 0.05, "maximum": 600}),
    ] = Decimal(1)
    """How often the chain's height is asked; about a fifth of the time of a block. (restart)"""
    cycle_at_most_seconds: Annotated[int, Field(ge=1, le=3_600), WHOLE] = 60
    """A cycle starts at least so often, even if nothing woke it. (restart)"""


class NoticesModel(StrictModel):
    """Who is told when a tenant's funds run low."""

    url: Line
    """https:// (or http:// on this machine): a JSON notice is posted there, once for each lease and state.
    (restart)
    """
    secret_file: PathText | None = None
    """A file whose content signs each notice (X-Signature-256: sha256=...). (live)"""


class ForgeModel(StrictModel):
    """Where people see how a commit stands: held, applied, at fault."""

    url: Line
    """The forge: https://github.com, https://HOST of a Gitea, or http:// on this machine. (restart)"""
    allow_http: bool = False
    """Permit plain http to another host, such as a Gitea in a home lab: everybody on the network between can
    read the token. (restart)
    """
    repository: Line
    """OWNER/NAME of the state repository there. (restart)"""
    token_file: PathText
    """A file whose first line is a token that may set states; nobody but the daemon's user may read it.
    (live)
    """
    ca_file: PathText | None = None
    """As repository.ca_file, which counts here too where both are on one host. (restart)"""
    context: Line | None = None
    """What tells this state from other checks; without it provider-daemon/NAME. (restart)"""


class HostFile(FileModel):
    """What only the machine's owner decides."""

    kind: Literal["Host"] = "Host"
    """Host."""
    repository: RepositoryModel
    """Where the desired state is. (restart)"""
    provider: ProviderModel = ProviderModel()
    """Who we are. (restart)"""
    chain: ChainModel
    """The node. (restart)"""
    adapters: AdaptersModel = AdaptersModel()
    """How machines are reached. (restart)"""
    secrets: Annotated[list[SecretGrantModel], Field(max_length=1_000)] = Field(default=[])
    """The secrets that workload files may refer to (`secret: name/key`), each for whom; no others. (restart)
    """
    notices: NoticesModel | None = None
    """Who is told when a tenant's funds run low; nobody without it. (restart)"""
    forge: ForgeModel | None = None
    """Where people see how a commit stands; nowhere without it. (restart)"""
    state: PathText = "/var/lib/provider-daemon"
    """The state directory: mirror, journal, keyring; one daemon at a time. (restart)"""
    listen: ListenModel = ListenModel()
    """Where the servers listen. (restart)"""
    limits: LimitsModel = LimitsModel()
    """Ceilings. (restart)"""
    timing: TimingModel = TimingModel()
    """How often we look. (restart)"""
