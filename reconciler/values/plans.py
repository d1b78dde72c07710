"""The plan of a cycle: effects as frozen values, and holds on withheld effects with their reasons."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.values.desired import Workload
from reconciler.values.funding import NO_FUNDING, FundingByLease, TimeLeft
from reconciler.values.ids import LeaseId, WorkloadId, workload_id
from reconciler.values.intents import Confirmation, FeeTerms
from reconciler.values.ledger import LedgerEntry
from reconciler.values.lifecycle import Phase
from reconciler.values.memory import Memory
from reconciler.values.messages import Message, PayOut, describe, subject_of
from reconciler.values.resources import Resources
from reconciler.values.revision_verdict import RevisionVerdict
from reconciler.values.subjects import EffectKey, Subject


class Reason(StrEnum):
    """Why an effect is withheld."""

    BIDDING_OFF = "BiddingOff"
    SPENDING_STOPPED = "SpendingStopped"
    SUSPENDED = "Suspended"
    DRAINING = "Draining"
    OBSERVE_ONLY = "ObserveOnly"
    NOT_REGISTERED = "NotRegistered"
    OWN_ORDER = "OwnOrder"
    OWNER_DENIED = "OwnerDenied"
    DEPLOYMENT_CLOSED = "DeploymentClosed"
    UNSUPPORTED_ORDER_ID = "UnsupportedOrderId"
    FOREIGN_DENOMINATION = "ForeignDenomination"
    ATTRIBUTES_MISSING = "AttributesMissing"
    NOT_AUDITED = "NotAudited"
    NO_PRICE = "NoPrice"
    PRICE_TOO_LOW = "PriceTooLow"
    RATE_UNUSABLE = "RateUnusable"
    PRICE_OUT_OF_BOUNDS = "PriceOutOfBounds"
    BREAK_EVEN = "BreakEven"
    NO_CAPACITY = "NoCapacity"
    NO_BALANCE = "NoBalance"
    LOW_BALANCE = "LowBalance"
    REFUSED_BEFORE = "RefusedBefore"
    TRY_LATER = "TryLater"
    AWAITING_CONFIRMATION = "AwaitingConfirmation"
    AWAITING_HEIGHT = "AwaitingHeight"
    JOURNAL_NEW = "JournalNew"
    FOREIGN_TRANSACTION = "ForeignTransaction"
    LEDGER_GAP = "LedgerGap"
    CEILING = "Ceiling"
    CHAIN_UNSEEN = "ChainUnseen"
    LEASE_NOT_FOUND = "LeaseNotFound"
    UNCONFIRMED_BY_WITNESS = "UnconfirmedByWitness"
    USAGE_UNMEASURED = "UsageUnmeasured"
    CLUSTER_UNSEEN = "ClusterUnseen"
    AUTH_FAILURE = "AuthFailure"
    REPOSITORY_UNSEEN = "RepositoryUnseen"
    CLOCK_SKEW = "ClockSkew"
    NOT_WORTH_ITS_FEE = "NotWorthItsFee"
    NO_WORKLOAD_FILE = "NoWorkloadFile"
    NO_MANIFEST = "NoManifest"
    MANIFEST_UNUSABLE = "ManifestUnusable"
    IDENTITY_MISSING = "IdentityMissing"
    FILE_FAULTY = "FileFaulty"
    FILE_WITHOUT_LEASE = "FileWithoutLease"
    ASKS_TOO_MUCH = "AsksTooMuch"
    IMAGE_DENIED = "ImageDenied"
    UNSUPPORTED = "Unsupported"
    HOST_NAME_TAKEN = "HostNameTaken"
    HOST_NAME_BLOCKED = "HostNameBlocked"
    VOLUMES_DIFFER = "VolumesDiffer"
    VOLUMES_KEPT = "VolumesKept"
    ADAPTER_UNKNOWN = "AdapterUnknown"
    ADAPTER_DENIED = "AdapterDenied"
    NETWORK_POLICY_MISSING = "NetworkPolicyMissing"
    SECRET_DENIED = "SecretDenied"  # noqa: S105  # a reason, no secret
    PAUSED_STILL_PAID = "PausedStillPaid"
    ESCROW_LOW = "EscrowLow"
    ESCROW_CRITICAL = "EscrowCritical"
    ESCROW_EXHAUSTED = "EscrowExhausted"
    NO_SETTLEMENT_ESCROW = "NoSettlementEscrow"
    ESCROW_NOT_OURS = "EscrowNotOurs"
    REWRITTEN_HISTORY = "RewrittenHistory"
    UNSIGNED = "Unsigned"
    PRICE_JUMP = "PriceJump"
    MASS_REMOVAL = "MassRemoval"


@dataclass(frozen=True, slots=True, order=True)
class Hold:
    """A withheld effect: its subject, the reason, and a message with the figures. `ours`: it is published;
    `approval` is the digest under which the host owner can approve it ("": it cannot be approved).
    """

    subject: Subject
    reason: Reason
    message: str
    ours: bool = False
    approval: str = ""


@dataclass(frozen=True, slots=True)
class SendTransaction:
    """Prepare, sign, record and broadcast one transaction of these messages, on these terms."""

    messages: tuple[Message, ...]
    terms: FeeTerms

    def describe(self) -> str:
        """One line a message."""
        return "; ".join(describe(m) for m in self.messages)


@dataclass(frozen=True, slots=True)
class Rebroadcast:
    """Broadcast the same bytes of an intent again, as they may not have been received."""

    hash: str

    def describe(self) -> str:
        return f"send transaction {self.hash[:12]} again: the same bytes"


@dataclass(frozen=True, slots=True)
class PrepareAdapter:
    """Create the adapter's namespace or directory, with a quota of the provider's whole capacity."""

    adapter: str
    quota: Resources

    def describe(self) -> str:
        return f"prepare {self.adapter} with a quota of {self.quota.describe()}"


@dataclass(frozen=True, slots=True)
class ApplyWorkload:
    """Apply this workload to its adapter (without containers while paused)."""

    workload: Workload
    digest: str
    why: str

    def describe(self) -> str:
        return f"apply workload {self.workload.id} on {self.workload.adapter}: {self.why}"


@dataclass(frozen=True, slots=True)
class RemoveWorkload:
    """Remove every object labelled with this workload's id."""

    adapter: str
    id: WorkloadId
    why: str

    def describe(self) -> str:
        return f"remove workload {self.id} from {self.adapter}: {self.why}"


@dataclass(frozen=True, slots=True)
class NotifyTenant:
    """Notify a tenant, once per funding state, that a lease's funds run out."""

    lease: LeaseId
    left: TimeLeft

    def describe(self) -> str:
        return f"notify the tenant that the funds of lease {workload_id(self.lease)} are {self.left.state}"


Action = SendTransaction | Rebroadcast | PrepareAdapter | ApplyWorkload | RemoveWorkload | NotifyTenant


@dataclass(frozen=True, slots=True)
class Transition:
    """One observed step of a workload's lifecycle."""

    workload: WorkloadId
    lease: LeaseId
    from_phase: Phase
    to_phase: Phase
    trigger: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The effects, holds and memory of one cycle; equal inputs give byte-identical plans.

    `funding` is how long each active lease is still paid for; `confirmations` are ended intents that this
    plan has consumed, which are recorded together with its memory; `revision_verdict` is that of the
    newest revision, if seen; `superseded` are the commits between the applied revision and the newest;
    `entries` are the changes of the wallet's balance since the last plan.
    """

    revision: str
    actions: tuple[Action, ...]
    holds: tuple[Hold, ...]
    transitions: tuple[Transition, ...]
    memory: Memory
    funding: FundingByLease = field(default_factory=lambda: NO_FUNDING)
    confirmations: tuple[Confirmation, ...] = ()
    revision_verdict: RevisionVerdict | None = None
    superseded: tuple[RevisionVerdict, ...] = ()
    entries: tuple[LedgerEntry, ...] = ()

    @property
    def quiet(self) -> bool:
        """Nothing to do."""
        return not self.actions


def subjects_of(action: Action) -> tuple[Subject, ...]:
    """The subjects of an action: one per message of a transaction."""
    match action:
        case SendTransaction(messages=messages):
            return tuple(subject_of(m) for m in messages)
        case Rebroadcast(hash=tx):
            return (Subject.of_transaction(tx),)
        case PrepareAdapter(adapter=adapter):
            return (Subject.of_adapter(adapter),)
        case ApplyWorkload(workload=workload):
            return (Subject.of_workload(workload.id),)
        case RemoveWorkload(id=removed):
            return (Subject.of_workload(removed),)
        case NotifyTenant(lease=lease):
            return (Subject.of_workload(lease),)


def effect_key(effect: Action | Message) -> EffectKey:
    """The key of one effect, a message of a transaction or any other action; equal for the same effect of
    another cycle.
    """
    state = ""
    if isinstance(effect, NotifyTenant):
        state = effect.left.state.value
    elif isinstance(effect, PayOut):
        state = effect.recipient  # another address is another effect
    (subject,) = subjects_of(effect) if isinstance(effect, Action) else (subject_of(effect),)
    return EffectKey(type(effect).__name__, subject, state)
