"""Keys of market and deployment rows: state, owner's bytes, numbers, provider's bytes."""

from __future__ import annotations

from typing import Protocol

from reconciler.devnet.chain.addresses import raw


class DeploymentLike(Protocol):
    """An id that names a deployment."""

    @property
    def owner(self) -> str: ...
    @property
    def dseq(self) -> int: ...


class GroupLike(DeploymentLike, Protocol):
    """An id that names a group."""

    @property
    def gseq(self) -> int: ...


class OrderLike(GroupLike, Protocol):
    """An id that names an order."""

    @property
    def oseq(self) -> int: ...


class BidLike(OrderLike, Protocol):
    """An id that names a bid or its lease."""

    @property
    def provider(self) -> str: ...
    @property
    def bseq(self) -> int: ...


def account(address: str) -> bytes:
    """An address with a length prefix."""
    data = raw(address)
    return bytes([len(data)]) + data


def deployment(state: int, id_: DeploymentLike) -> bytes:
    """A deployment's key."""
    return b"\x11\x00" + bytes([state]) + account(id_.owner) + id_.dseq.to_bytes(8, "big")


def groups(state: int, id_: DeploymentLike) -> bytes:
    """The prefix of a deployment's groups in a state."""
    return b"\x12\x00" + bytes([state]) + account(id_.owner) + id_.dseq.to_bytes(8, "big")


def group(state: int, id_: GroupLike) -> bytes:
    """A group's key."""
    return groups(state, id_) + id_.gseq.to_bytes(4, "big")


def orders(state: int, id_: GroupLike) -> bytes:
    """The prefix of a group's orders in a state."""
    place = account(id_.owner) + id_.dseq.to_bytes(8, "big") + id_.gseq.to_bytes(4, "big")
    return b"\x11\x00" + bytes([state]) + place


def order(state: int, id_: OrderLike) -> bytes:
    """An order's key."""
    return orders(state, id_) + id_.oseq.to_bytes(4, "big")


def _place(id_: OrderLike) -> bytes:
    numbers = id_.dseq.to_bytes(8, "big") + id_.gseq.to_bytes(4, "big") + id_.oseq.to_bytes(4, "big")
    return account(id_.owner) + numbers


def bids(state: int, id_: OrderLike) -> bytes:
    """The prefix of an order's bids in a state."""
    return b"\x12\x00" + bytes([state]) + _place(id_)


def bid(state: int, id_: BidLike) -> bytes:
    """A bid's key; the bid's own number is always 0."""
    return bids(state, id_) + account(id_.provider) + bytes(4)


def lease(state: int, id_: BidLike) -> bytes:
    """A lease's key."""
    return b"\x13\x00" + bytes([state]) + _place(id_) + account(id_.provider) + bytes(4)


def by_provider(kind: int, state: int, id_: BidLike) -> bytes:
    """The key of a bid (kind 0x12) or a lease (0x13) in the index by provider."""
    numbers = id_.dseq.to_bytes(8, "big") + id_.gseq.to_bytes(4, "big") + id_.oseq.to_bytes(4, "big")
    return bytes([kind, 1, state]) + account(id_.provider) + bytes(4) + numbers + account(id_.owner)


def filtered(kind: int, state: int, wanted: BidLike) -> bytes:
    """The longest prefix that a filter fixes, up to its first missing field."""
    key = bytes([kind, 0, state])
    if not wanted.owner:
        return key
    key += account(wanted.owner)
    for number, width in ((wanted.dseq, 8), (wanted.gseq, 4), (wanted.oseq, 4)):
        if not number:
            return key
        key += number.to_bytes(width, "big")
    return key + account(wanted.provider) if wanted.provider else key
