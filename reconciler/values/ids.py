"""Ids of the chain's objects, and the workload id derived from them."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import NewType

from reconciler.values.text import one_line

WorkloadId = NewType("WorkloadId", str)
"""`<dseq>-<gseq>-<oseq>-<10 characters>`: the id of a workload in files, labels, URLs and metrics."""


SHOWN_MAX = 200
"""Characters of an invalid id that an error quotes."""


@dataclass(frozen=True, slots=True, order=True)
class DeploymentId:
    """`owner/dseq` (semantics 2.1)."""

    owner: str
    dseq: int

    def __str__(self) -> str:
        return f"{self.owner}/{self.dseq}"

    @classmethod
    def parse(cls, text: str) -> DeploymentId:
        """Read `owner/dseq`; ValueError says what is wrong with the text."""
        owner, numbers = _split(text, parts=2, form="owner/dseq")
        return cls(owner, *numbers)


@dataclass(frozen=True, slots=True, order=True)
class GroupId:
    """`owner/dseq/gseq` (semantics 2.1)."""

    owner: str
    dseq: int
    gseq: int

    def __str__(self) -> str:
        return f"{self.owner}/{self.dseq}/{self.gseq}"


@dataclass(frozen=True, slots=True, order=True)
class OrderId:
    """`owner/dseq/gseq/oseq` (semantics 2.1)."""

    owner: str
    dseq: int
    gseq: int
    oseq: int

    @property
    def deployment(self) -> DeploymentId:
        """The deployment that the order's group belongs to."""
        return DeploymentId(self.owner, self.dseq)

    @property
    def group(self) -> GroupId:
        """The group that the order belongs to."""
        return GroupId(self.owner, self.dseq, self.gseq)

    @property
    def is_nameable(self) -> bool:
        """Whether files, labels and URLs can name it: the chain's own ranges, from 1 on."""
        numbers = 0 < self.dseq < 2**64 and 0 < self.gseq < 2**32 and 0 < self.oseq < 2**32
        return numbers and self.owner.isascii() and self.owner.isalnum()

    def __str__(self) -> str:
        return f"{self.owner}/{self.dseq}/{self.gseq}/{self.oseq}"

    @classmethod
    def parse(cls, text: str) -> OrderId:
        """Read `owner/dseq/gseq/oseq`; ValueError says what is wrong with the text."""
        owner, numbers = _split(text, parts=4, form="owner/dseq/gseq/oseq")
        return cls(owner, *numbers)


@dataclass(frozen=True, slots=True, order=True)
class LeaseId:
    """`owner/dseq/gseq/oseq/provider`: a bid, and the lease that it becomes (semantics 2.1; bseq is always
    0).
    """

    order: OrderId
    provider: str

    def __hash__(self) -> int:
        """A single tuple hash, as leases are looked up many times a cycle."""
        order = self.order
        return hash((order.dseq, order.gseq, order.oseq, order.owner))

    @property
    def deployment(self) -> DeploymentId:
        """The deployment whose escrow account pays the lease."""
        return self.order.deployment

    @property
    def is_nameable(self) -> bool:
        """Whether files, labels and URLs can name it, and the journal read it again."""
        return self.order.is_nameable and self.provider.isascii() and self.provider.isalnum()

    @property
    def payment_xid(self) -> str:
        """`gseq/oseq/provider`: the payment's id within the deployment's account; payments are served in the
        order of this text (semantics 4.2).
        """
        return f"{self.order.gseq}/{self.order.oseq}/{self.provider}"

    def __str__(self) -> str:
        return f"{self.order}/{self.provider}"

    @classmethod
    def parse(cls, text: str) -> LeaseId:
        """Read `owner/dseq/gseq/oseq/provider`; ValueError says what is wrong with the text."""
        order, _, provider = text.rpartition("/")
        if not provider:
            raise ValueError(f"{text!r} is not owner/dseq/gseq/oseq/provider")
        return cls(OrderId.parse(order), provider)


BidId = LeaseId


@lru_cache(maxsize=1 << 16)
def workload_id(lease: LeaseId) -> WorkloadId:
    """The workload id; a pure function of the lease, so a crash cannot create a second one."""
    digest = base64.b32encode(hashlib.sha256(str(lease).encode()).digest()).decode().lower()
    order = lease.order
    return WorkloadId(f"{order.dseq}-{order.gseq}-{order.oseq}-{digest[:10]}")


def _split(text: str, parts: int, form: str) -> tuple[str, list[int]]:
    pieces = text.split("/")
    if len(pieces) != parts or not pieces[0] or not all(p.isascii() and p.isdigit() for p in pieces[1:]):
        raise ValueError(f"{one_line(text, SHOWN_MAX)!r} is not {form}")
    return pieces[0], [int(p) for p in pieces[1:]]
