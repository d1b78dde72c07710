"""Observed state of the chain and the adapters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from reconciler.values.addresses import ServiceAddress
from reconciler.values.ids import BidId, DeploymentId, LeaseId, OrderId, WorkloadId
from reconciler.values.inspection import ServiceUse
from reconciler.values.machines import Capacity
from reconciler.values.readings import Reading
from reconciler.values.resources import Attribute, Demand, ResourceUnit, group_resources
from reconciler.values.subjects import Subject
from reconciler.values.volumes import KeptVolumes, PersistentVolume

SETTLEMENT_MODULE = "ve15awyxw4j4cw6lzcr95ut7e8q97c4ypmtv6sjtk"
"""Address of the settlement module (semantics 1.1). A payment from it at the end of a block is an automatic
settlement, which no event names (semantics 5.5).
"""


class State(StrEnum):
    """The chain's object states (semantics 2); each kind of object uses some of them."""

    INVALID = "invalid"
    OPEN = "open"
    ACTIVE = "active"
    LOST = "lost"
    CLOSED = "closed"
    PAUSED = "paused"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    OVERDRAWN = "overdrawn"
    PENDING = "pending"
    RELEASED = "released"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Order:
    """An order with its requirements, and the states of its group and deployment (zombie orders: semantics
    3.8).
    """

    id: OrderId
    state: State
    units: tuple[ResourceUnit, ...]
    created_at: int
    group_state: State
    deployment_state: State
    attributes: tuple[Attribute, ...] = ()
    signed_by_all: frozenset[str] = frozenset()
    signed_by_any: frozenset[str] = frozenset()

    @property
    def demand(self) -> Demand:
        """What its price depends on."""
        return Demand(group_resources(self.units), self.id.owner, self.attributes)

    @property
    def price(self) -> Decimal:
        """The tenant's highest price per block for the whole group (semantics 3.2, point 4)."""
        return sum((u.price * u.count for u in self.units), Decimal(0))

    @property
    def is_closed(self) -> bool:
        """Whether no lease can ever follow it: its group or deployment is closed for good, although the chain
        lists it as open for ever (semantics 3.8).
        """
        ended = (State.CLOSED, State.INSUFFICIENT_FUNDS)
        return self.deployment_state in ended or self.group_state in ended

    @property
    def denoms(self) -> frozenset[str]:
        """The denominations of its unit prices; the chain's handler panics on a bid in another (semantics
        3.2).
        """
        return frozenset(u.denom for u in self.units)


@dataclass(frozen=True, slots=True)
class Bid:
    """Our bid; `deposit` uve are locked while it is open or active (semantics 3.7); `order` is known
    while the bid is open.
    """

    id: BidId
    state: State
    price: Decimal
    created_at: int
    deposit: int
    order: Order | None = None

    @property
    def may_win(self) -> bool:
        """Whether it is open and a lease can follow it. The chain refunds only one losing bid; the others
        stay open, even when their order is gone (semantics 3.7, 3.8).
        """
        order = self.order
        return (
            self.state is State.OPEN
            and order is not None
            and order.state is State.OPEN
            and order.group_state is State.OPEN
            and order.deployment_state is State.ACTIVE
        )


@dataclass(frozen=True, slots=True)
class Payment:
    """A lease's payment, lazily settled: `balance` is accrued and not withdrawn, `withdrawn` gross uve
    (semantics 4.1).
    """

    lease: LeaseId
    state: State
    rate: Decimal
    balance: Decimal
    unsettled: Decimal
    withdrawn: int


@dataclass(frozen=True, slots=True)
class EscrowAccount:
    """A deployment's escrow account; `funds` in uve are net of what was transferred; payments of all its
    leases in the order of their xid (semantics 4.1, 4.2).
    """

    deployment: DeploymentId
    state: State
    settled_at: int
    funds: Decimal
    payments: tuple[Payment, ...]


@dataclass(frozen=True, slots=True)
class Lease:
    """One of our leases; `units` and `attributes` are its order's, `usage_billed` is one of these;
    `group` is the name of its group, `manifest_hash` that of its deployment, in hexadecimal.
    """

    id: LeaseId
    state: State
    price: Decimal
    created_at: int
    closed_on: int
    payment: Payment
    units: tuple[ResourceUnit, ...] = ()
    usage_billed: bool = False
    closed_reason: str = ""
    attributes: tuple[Attribute, ...] = ()
    group: str = ""
    manifest_hash: str = ""

    @property
    def demand(self) -> Demand:
        """What its price depends on."""
        return Demand(group_resources(self.units), self.id.order.owner, self.attributes)


@dataclass(frozen=True, slots=True)
class SettlementEscrow:
    """A settlement escrow for an order; times are unix seconds, money whole uve (semantics 5.1).

    `other_denoms` are the denominations besides uve that it was funded with; they pay for nothing.
    """

    id: str
    order: str
    lease: str
    depositor: str
    recipient: str
    state: State
    balance: int
    expires_at: int
    activated_at: int
    other_denoms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """A usage record; deduplicated by id, as the chain may list one repeatedly (semantics 5.4)."""

    id: str
    lease: str
    type: str
    period_start: int
    period_end: int
    cost: int
    signature: bytes
    settled: bool
    acknowledged: bool


@dataclass(frozen=True, slots=True)
class OrderSettlement:
    """The settlement module's view of the order of one of our leases."""

    escrow: SettlementEscrow | None
    records: tuple[UsageRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class ProviderRecord:
    """Our record on the chain, and the attributes that auditors signed: auditor -> attributes."""

    owner: str
    host_uri: str
    attributes: tuple[Attribute, ...]
    audited: Mapping[str, frozenset[Attribute]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wallet:
    """Our account: number, next sequence, spendable uve."""

    address: str
    number: int
    sequence: int
    balance: int


@dataclass(frozen=True, slots=True)
class ChainParams:
    """The chain's parameters that concern money; rates in percent, deposits and gas price in uve, times in
    seconds.
    """

    bid_deposit: int = 500_000
    order_max_bids: int = 20
    take_percent: int = 2
    gas_price: Decimal = Decimal("0.025")
    settlement_fee_percent: Decimal = Decimal(6)
    settlement_period_seconds: int = 86_400


@dataclass(frozen=True, slots=True)
class TxResult:
    """The result of a transaction: included in block `height`; `code` 0 is success, otherwise `log` has the
    error; `gas_used` is 0 if the node did not say.
    """

    hash: str
    height: int
    code: int
    codespace: str
    log: str
    gas_used: int = 0


@dataclass(frozen=True, slots=True)
class WitnessView:
    """What a second node shows of the objects that the last plan named: an order's settlement, a deployment's
    account, a lease, or (of the provider) the wallet; None: it has no such object. `why`: why it does not
    show the others.
    """

    shown: Mapping[Subject, OrderSettlement | EscrowAccount | Lease | Wallet | None] = field(
        default_factory=dict
    )
    why: str = ""


@dataclass(frozen=True, slots=True)
class TransferCause:
    """The bid or lease that a transfer is about, or only its deployment if several leases of it are possible;
    `is_refund`: it returns a bid's deposit.
    """

    lease: LeaseId | None = None
    deployment: DeploymentId | None = None
    is_refund: bool = False


@dataclass(frozen=True, slots=True)
class Transfer:
    """Coins that moved to or from our account, in whole uve, from `transfer` events; `tx` is empty for begin
    and end of a block.
    """

    height: int
    tx: str
    sender: str
    recipient: str
    amount: int
    cause: TransferCause = TransferCause()


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction in block `height` that used this sequence of our account, signed here or elsewhere."""

    hash: str
    height: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Market:
    """One view of the chain at one height.

    `orders` are all open ones that are not closed; `bids` our open and active ones; `leases` our active ones
    and the closed ones that memory or adapters refer to. `tx_results` are those of the queried transactions;
    a missing hash is in no block up to `height`. `block_seconds` is measured from headers, never assumed
    (semantics 1.3).

    `transfers` are those since the last view, None if there is a gap; `gap_transfers` those of earlier gaps,
    by their first and last height; `signed` the transactions of our account in the blocks since the last view
    of this process. `lag_blocks` is the distance to the RPC's height; `orders_cut`: some orders were left
    out; `unconfirmed`: lease -> why its closing is not confirmed; `rival_bids`: the prices of other
    providers' open bids, in uve a block, as far as their blocks were read; `witness`: None if the host file
    names no second node.
    """

    chain_id: str
    height: int
    time: int
    block_seconds: Decimal
    rules: ChainParams
    wallet: Wallet
    provider: ProviderRecord | None
    orders: Mapping[OrderId, Order]
    bids: Mapping[BidId, Bid]
    leases: Mapping[LeaseId, Lease]
    accounts: Mapping[DeploymentId, EscrowAccount]
    settlements: Mapping[OrderId, OrderSettlement] = field(default_factory=dict)
    tx_results: Mapping[str, TxResult] = field(default_factory=dict)
    transfers: tuple[Transfer, ...] | None = ()
    gap_transfers: Mapping[tuple[int, int], tuple[Transfer, ...]] = field(default_factory=dict)
    signed: tuple[SignedTransaction, ...] = ()
    lag_blocks: int = 0
    orders_cut: bool = False
    unconfirmed: Mapping[LeaseId, str] = field(default_factory=dict)
    rival_bids: Mapping[BidId, Decimal] = field(default_factory=dict)
    witness: WitnessView | None = None

    def may_be_active(self, lease: Lease) -> bool:
        """Whether a lease of this view is active, or ended on one node only."""
        return lease.state is State.ACTIVE or lease.id in self.unconfirmed


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem of a workload, a machine or the daemon: its reason, such as ImagePullFailed, and advice."""

    reason: str
    message: str
    advice: str = ""


CERTIFICATE_EXPIRES = "CertificateExpires"
"""The trouble of a certificate that is valid, but not for long."""


@dataclass(frozen=True, slots=True)
class ObservedWorkload:
    """A workload as its adapter shows it. `digest` is that of the specification last applied; `drifted`:
    someone else changed our objects; `pods` are the names of the live pods of that specification, sorted;
    `uids` identify its objects among all adapters (none: unknown). `ready_by_service` are the ready replicas
    of that specification by the name of their service, sorted; so are the `addresses`. `volumes` are the
    persistent ones of each service that exists, where they cannot be changed in place.
    """

    id: WorkloadId
    lease: LeaseId
    digest: str
    paused: bool
    ready: bool
    replicas_ready: int
    replicas: int
    removing: bool = False
    drifted: bool = False
    trouble: Trouble | None = None
    pods: tuple[str, ...] = ()
    uids: tuple[str, ...] = ()
    ready_by_service: tuple[tuple[str, int], ...] = ()
    addresses: tuple[ServiceAddress, ...] = ()
    volumes: tuple[tuple[str, tuple[PersistentVolume, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class AdapterView:
    """One adapter's readings; repairs continue if only the capacity is unseen. `unavailable_machines` are
    unseen machines of an adapter that is seen; `use` is measured (None: the adapter measures nothing).
    `kept_volumes` are those of removed workloads, until they are deleted.
    """

    workloads: Reading[Mapping[WorkloadId, ObservedWorkload]]
    capacity: Reading[Capacity]
    unavailable_machines: tuple[Trouble, ...] = ()
    use: Reading[Mapping[WorkloadId, tuple[ServiceUse, ...]]] | None = None
    kept_volumes: tuple[KeptVolumes, ...] = ()
