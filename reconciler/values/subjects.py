"""Subjects: the objects that holds, decisions, results and retries are about. Their text is made and parsed
at the edges alone: in SQLite and JSON, and from what a user types.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum

from reconciler.values.ids import DeploymentId, LeaseId, OrderId, WorkloadId, workload_id

_WORKLOAD = re.compile(r"(?:[0-9]{1,20}-){3}[a-z2-7]{10}")
_TRANSACTION = re.compile(r"[0-9A-F]{64}")
_REVISION = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ADAPTER = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class SubjectKind(IntEnum):
    """The kind of an object, in the order of reports. A bid and the lease that it becomes share one id, so
    both are LEASE; PROVIDER is the provider itself, or one of its sources and functions; REVISION is a
    commit, or the digest of what the owner approved of it.
    """

    PROVIDER = 0
    FILE = 1
    DEPLOYMENT = 2
    ORDER = 3
    LEASE = 4
    WORKLOAD = 5
    ADAPTER = 6
    TRANSACTION = 7
    REVISION = 8


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """An object by its name: an id, the path of a file, or the name of an adapter. `str` is its text form;
    the provider's is "".
    """

    name: str
    kind: SubjectKind
    id: DeploymentId | OrderId | LeaseId | None = field(default=None, compare=False, repr=False)

    @property
    def order(self) -> OrderId | None:
        """The order, or the order that a bid or lease belongs to."""
        if isinstance(self.id, LeaseId):
            return self.id.order
        return self.id if isinstance(self.id, OrderId) else None

    @property
    def lease(self) -> LeaseId | None:
        """The bid or lease."""
        return self.id if isinstance(self.id, LeaseId) else None

    def __str__(self) -> str:
        return self.name

    @classmethod
    def of_deployment(cls, deployment: DeploymentId) -> Subject:
        """A tenant's deployment."""
        return cls(str(deployment), SubjectKind.DEPLOYMENT, deployment)

    @classmethod
    def of_order(cls, order: OrderId) -> Subject:
        """An order of the market."""
        return cls(str(order), SubjectKind.ORDER, order)

    @classmethod
    def of_lease(cls, lease: LeaseId) -> Subject:
        """A bid, or the lease that it became."""
        return cls(str(lease), SubjectKind.LEASE, lease)

    @classmethod
    def of_workload(cls, workload: WorkloadId | LeaseId) -> Subject:
        """A workload, by its id or by its lease."""
        return cls(workload_id(workload) if isinstance(workload, LeaseId) else workload, SubjectKind.WORKLOAD)

    @classmethod
    def of_adapter(cls, name: str) -> Subject:
        """An adapter."""
        return cls(name, SubjectKind.ADAPTER)

    @classmethod
    def of_file(cls, path: str) -> Subject:
        """A file of the state repository."""
        return cls(path, SubjectKind.FILE)

    @classmethod
    def of_transaction(cls, tx_hash: str) -> Subject:
        """A transaction that the daemon signed."""
        return cls(tx_hash, SubjectKind.TRANSACTION)

    @classmethod
    def of_revision(cls, commit: str) -> Subject:
        """A commit of the state repository, or an approval's digest."""
        return cls(commit, SubjectKind.REVISION)

    @classmethod
    def parse(cls, text: str) -> Subject:
        """Parse a text form; text of no known form is a part of the provider."""
        if text in _PARTS:
            return cls(text, SubjectKind.PROVIDER)
        if _WORKLOAD.fullmatch(text):
            return cls(text, SubjectKind.WORKLOAD)
        if _TRANSACTION.fullmatch(text):
            return cls(text, SubjectKind.TRANSACTION)
        if _REVISION.fullmatch(text):
            return cls(text, SubjectKind.REVISION)
        for kind in (LeaseId, OrderId, DeploymentId):
            try:
                return cls._of_id(kind.parse(text))
            except ValueError:
                continue
        if "/" in text or text.endswith((".yaml", ".yml")):
            return cls(text, SubjectKind.FILE)
        return cls(text, SubjectKind.ADAPTER if _ADAPTER.fullmatch(text) else SubjectKind.PROVIDER)

    @classmethod
    def names_adapter(cls, text: str) -> bool:
        """Whether an adapter may have this name: no other object's text form is equal."""
        return cls.parse(text) == cls.of_adapter(text)

    @classmethod
    def _of_id(cls, found: DeploymentId | OrderId | LeaseId) -> Subject:
        match found:
            case LeaseId():
                return cls.of_lease(found)
            case OrderId():
                return cls.of_order(found)
            case DeploymentId():
                return cls.of_deployment(found)


PROVIDER = Subject("", SubjectKind.PROVIDER)
CHAIN = Subject("chain", SubjectKind.PROVIDER)
REPOSITORY = Subject("repository", SubjectKind.PROVIDER)
SPENDING = Subject("spending", SubjectKind.PROVIDER)
ORDERS = Subject("orders", SubjectKind.PROVIDER)
_PARTS = frozenset(each.name for each in (PROVIDER, CHAIN, REPOSITORY, SPENDING, ORDERS))


@dataclass(frozen=True, slots=True)
class EffectKey:
    """The key under which failures of an effect are counted: the class name of the action or message, its
    subject, and for a notice the funding state that it reports, for a payout its recipient. `str` is its text
    form.
    """

    kind: str
    subject: Subject
    state: str = ""

    def __str__(self) -> str:
        return f"{self.kind}{self.state and '/'}{self.state}:{self.subject}"

    @classmethod
    def parse(cls, text: str) -> EffectKey:
        """Read `kind:subject` or `kind/state:subject`; ValueError for anything else."""
        effect, colon, subject = text.partition(":")
        kind, slash, state = effect.partition("/")
        if not (kind and colon) or (slash and not state):
            raise ValueError("not kind:subject")
        return cls(kind, Subject.parse(subject), state)
