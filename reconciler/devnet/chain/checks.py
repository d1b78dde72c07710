"""Stateless checks of the market's messages (ValidateBasic; semantics 3.2, 6.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from reconciler.chain.proto import deployment_v1beta4_pb2 as deployments
from reconciler.chain.proto import market_v1beta5_pb2 as markets
from reconciler.chain.proto.escrow_id_v1_pb2 import Account, Scope
from reconciler.chain.proto.escrow_v1_pb2 import MsgAccountDeposit
from reconciler.devnet.chain import deposits, groupspecs
from reconciler.devnet.chain.addresses import AddressError, raw
from reconciler.devnet.chain.amounts import dec
from reconciler.devnet.chain.errors import TxRefusedError, plain, sdk
from reconciler.devnet.chain.keys import BidLike, DeploymentLike, GroupLike, OrderLike

Id = TypeVar("Id")
_HASH_BYTES = 32
_PROVIDERS_REASONS = range(10_000, 20_000)


def deployment_id(id_: DeploymentLike) -> None:
    """An owner's address and a number."""
    _address(id_.owner, "DeploymentID: Invalid Owner Address")
    if not id_.dseq:
        raise sdk(3, "DeploymentID: Invalid Deployment Sequence: invalid sequence")


def group_id(id_: GroupLike) -> None:
    """A deployment's id and a number."""
    _within("GroupID: Invalid DeploymentID", deployment_id, id_)
    if not id_.gseq:
        raise sdk(3, "GroupID: Invalid Group Sequence: invalid sequence")


def order_id(id_: OrderLike) -> None:
    """A group's id and a number."""
    _within("OrderID: Invalid GroupID", group_id, id_)
    if not id_.oseq:
        raise sdk(3, "OrderID: Invalid Order Sequence: invalid sequence")


def bid_id(id_: BidLike) -> None:
    """An order's id and a provider's address."""
    _within("BidID: Invalid OrderID", order_id, id_)
    _address(id_.provider, "BidID: Invalid Provider Address")
    if id_.owner == id_.provider:
        raise sdk(36, "BidID: self-bid: conflict")
    if id_.bseq:
        raise sdk(36, "BidID: invalid bseq: conflict")


def create_bid(msg: markets.MsgCreateBid) -> None:
    """Check a MsgCreateBid."""
    bid_id(msg.id)
    deposits.check(msg.deposit)
    if not dec(msg.price.amount):
        raise TxRefusedError("market", 19, "invalid bid: zero price")


def close_bid(msg: markets.MsgCloseBid) -> None:
    """Check a MsgCloseBid: the reason is one of the provider's even for an open bid (semantics 3.4)."""
    bid_id(msg.id)
    if msg.reason not in _PROVIDERS_REASONS:
        raise TxRefusedError(
            "market", 33, f'value "{int(msg.reason)}" range 10000..19999: invalid lease closed reason'
        )


def create_lease(msg: markets.MsgCreateLease) -> None:
    """Check a MsgCreateLease."""
    bid_id(msg.bid_id)


def lease(msg: markets.MsgWithdrawLease | markets.MsgCloseLease) -> None:
    """Check a MsgWithdrawLease or a MsgCloseLease."""
    _within("LeaseID: Invalid BidID", bid_id, msg.id)


def create_deployment(msg: deployments.MsgCreateDeployment) -> None:
    """Check a MsgCreateDeployment."""
    deployment_id(msg.id)
    deposits.check(msg.deposit)
    if not msg.groups:
        raise TxRefusedError("deployment", 7, "Invalid groups")
    _hash(msg.hash)
    for spec in msg.groups:
        groupspecs.check(spec)
        denom = groupspecs.price(spec).denom
        if int(msg.deposit.amount.amount or 0) and denom != msg.deposit.amount.denom:
            shown = f"Mismatched denominations ({msg.deposit.amount.denom} != {denom})"
            raise TxRefusedError("deployment", 20, f"{shown}: Deposit invalid")


def update_deployment(msg: deployments.MsgUpdateDeployment) -> None:
    """Check a MsgUpdateDeployment."""
    deployment_id(msg.id)
    _hash(msg.hash)


def close_deployment(msg: deployments.MsgCloseDeployment) -> None:
    """Check a MsgCloseDeployment."""
    deployment_id(msg.id)


def group(
    msg: deployments.MsgCloseGroup | deployments.MsgPauseGroup | deployments.MsgStartGroup,
) -> None:
    """Check a message about one group."""
    group_id(msg.id)


def account_deposit(msg: MsgAccountDeposit) -> None:
    """Check a MsgAccountDeposit."""
    try:
        raw(msg.signer)
    except AddressError as error:
        raise plain(str(error)) from error
    _escrow_id(msg.id)
    if not int(msg.deposit.amount.amount or 0):
        raise TxRefusedError("escrow", 16, "invalid deposit")
    deposits.check_sources(msg.deposit)


def _escrow_id(id_: Account) -> None:
    known = id_.scope in (Scope.deployment, Scope.bid)
    parts = id_.xid.split("/")
    if not known or len(parts) != (2 if id_.scope == Scope.deployment else 5):
        raise TxRefusedError("escrow", 12, "invalid ID")


def _within(words: str, check: Callable[[Id], None], id_: Id) -> None:
    try:
        check(id_)
    except TxRefusedError as refusal:
        raise refusal.behind(words) from refusal


def _address(address: str, words: str) -> None:
    try:
        raw(address)
    except AddressError as error:
        raise sdk(7, f"{words}: invalid address") from error


def _hash(value: bytes) -> None:
    if not value:
        raise TxRefusedError("deployment", 9, "Invalid: empty hash")
    if len(value) != _HASH_BYTES:
        raise TxRefusedError("deployment", 10, "Invalid: deployment hash")
