"""The market's actions when escrow closes an account or a payment."""

from __future__ import annotations

from reconciler.chain.proto.deployment_v1_pb2 import Deployment, DeploymentID
from reconciler.chain.proto.deployment_v1beta4_pb2 import Group
from reconciler.chain.proto.escrow_id_v1_pb2 import Scope
from reconciler.chain.proto.escrow_types_v1_pb2 import Account, Payment, State
from reconciler.chain.proto.market_v1_pb2 import BidID, Lease, LeaseClosedReason
from reconciler.chain.proto.market_v1beta5_pb2 import Bid
from reconciler.devnet.chain import deployment, market
from reconciler.devnet.chain.call import Hooks, MessageCall
from reconciler.devnet.chain.errors import TxRefusedError


def account_closed(call: MessageCall, account: Account) -> None:
    """Close the deployment of an account that has ended; a bid's account is refused (semantics 3.7)."""
    if account.id.scope != Scope.deployment:
        raise TxRefusedError("market", 34, "invalid escrow id")
    owner, _, dseq = account.id.xid.partition("/")
    found = deployment.find(call, DeploymentID(owner=owner, dseq=int(dseq)))
    if found is None or found.state != Deployment.active:
        return
    deployment.close(call, found)
    ended = Group.insufficient_funds if account.state.state == State.overdrawn else Group.closed
    for group in deployment.groups_of(call, found.id):
        if deployment.closable(group) is None:
            deployment.close_group(call, group, ended)
            market.close_group_orders(call, group.id)


def payment_closed(call: MessageCall, payment: Payment) -> None:
    """Close the active order, bid and lease of a payment that has ended."""
    owner, _, dseq = payment.id.aid.xid.partition("/")
    gseq, oseq, provider = payment.id.xid.split("/")
    id_ = BidID(owner=owner, dseq=int(dseq), gseq=int(gseq), oseq=int(oseq), provider=provider)
    bid = market.find_bid(call, id_)
    if bid is None or bid.state != Bid.active:
        return
    order, lease = market.find_order(call, id_), market.find_lease(call, id_)
    if order is None or lease is None:
        raise TxRefusedError("market", 20, "invalid lease: lease not found")
    market.close_order(call, order)
    market.close_bid(call, bid)
    short = payment.state.state == State.overdrawn
    reason = LeaseClosedReason.lease_closed_reason_unspecified
    if short:
        reason = LeaseClosedReason.lease_closed_reason_insufficient_funds
    market.close_lease(call, lease, reason, Lease.insufficient_funds if short else Lease.closed)


HOOKS = Hooks(account_closed, payment_closed)
