"""The tenants' messages about deployments and groups (semantics 6.2)."""

from __future__ import annotations

from reconciler.chain.proto import deployment_v1beta4_pb2 as v1beta4
from reconciler.chain.proto.deployment_v1_pb2 import Deployment, DeploymentID, GroupID
from reconciler.chain.proto.deployment_v1beta4_pb2 import Group, Params
from reconciler.chain.proto.escrow_id_v1_pb2 import Account as AccountId
from reconciler.chain.proto.escrow_id_v1_pb2 import Scope
from reconciler.devnet.chain import deployment, deposits, escrow, groupspecs, market
from reconciler.devnet.chain.call import MessageCall
from reconciler.devnet.chain.errors import TxRefusedError, plain
from reconciler.devnet.chain.tables import PARAMS


def create_deployment(
    call: MessageCall, msg: v1beta4.MsgCreateDeployment
) -> v1beta4.MsgCreateDeploymentResponse:
    """Create a deployment with its groups, one order each, and its escrow account."""
    if deployment.find(call, msg.id) is not None:
        raise TxRefusedError("deployment", 3, "Deployment exists")
    _check_deposit(call, msg)
    try:
        groupspecs.check_all(msg.groups)
    except TxRefusedError as refusal:
        raise plain(f"Invalid groups: {refusal.text}") from refusal
    given = deposits.authorize(call, msg.id.owner, msg.deposit)
    new = Deployment(id=msg.id, state=Deployment.active, hash=msg.hash, created_at=call.height)
    groups = [
        Group(
            id=GroupID(owner=msg.id.owner, dseq=msg.id.dseq, gseq=number),
            state=Group.open,
            group_spec=spec,
            created_at=call.height,
        )
        for number, spec in enumerate(msg.groups, start=1)
    ]
    deployment.create(call, new, groups)
    for group in groups:
        market.create_order(call, group.id, group.group_spec)
    escrow.create_account(call, account_of(msg.id), msg.id.owner, given)
    return v1beta4.MsgCreateDeploymentResponse()


def update_deployment(
    call: MessageCall, msg: v1beta4.MsgUpdateDeployment
) -> v1beta4.MsgUpdateDeploymentResponse:
    """Change a deployment's manifest hash."""
    found = _active(call, msg.id)
    if found.hash == msg.hash:
        raise TxRefusedError("deployment", 10, "Invalid: deployment hash")
    deployment.change_hash(call, found, msg.hash)
    return v1beta4.MsgUpdateDeploymentResponse()


def close_deployment(
    call: MessageCall, msg: v1beta4.MsgCloseDeployment
) -> v1beta4.MsgCloseDeploymentResponse:
    """Close the escrow account; its hook closes the rest."""
    _active(call, msg.id)
    escrow.close_account(call, account_of(msg.id))
    return v1beta4.MsgCloseDeploymentResponse()


def close_group(call: MessageCall, msg: v1beta4.MsgCloseGroup) -> v1beta4.MsgCloseGroupResponse:
    """Close a group; the deployment stays active."""
    group = _group(call, msg.id)
    refusal = deployment.closable(group)
    if refusal is not None:
        raise refusal
    deployment.close_group(call, group, Group.closed)
    market.close_group_orders(call, group.id)
    return v1beta4.MsgCloseGroupResponse()


def pause_group(call: MessageCall, msg: v1beta4.MsgPauseGroup) -> v1beta4.MsgPauseGroupResponse:
    """End a group's lease until it is started again."""
    group = _group(call, msg.id)
    if group.state == Group.closed:
        raise TxRefusedError("deployment", 15, "Group already closed")
    if group.state == Group.paused:
        raise TxRefusedError("deployment", 17, "Group paused")
    deployment.pause_group(call, group)
    market.close_group_orders(call, group.id)
    return v1beta4.MsgPauseGroupResponse()


def start_group(call: MessageCall, msg: v1beta4.MsgStartGroup) -> v1beta4.MsgStartGroupResponse:
    """Open a paused group again, with a new order."""
    group = _group(call, msg.id)
    if group.state == Group.closed:
        raise TxRefusedError("deployment", 15, "Group already closed")
    if group.state == Group.open:
        raise TxRefusedError("deployment", 16, "Group open")
    deployment.start_group(call, group)
    market.create_order(call, group.id, group.group_spec)
    return v1beta4.MsgStartGroupResponse()


def account_of(id_: DeploymentID) -> AccountId:
    """The escrow account of a deployment."""
    return AccountId(scope=Scope.deployment, xid=f"{id_.owner}/{id_.dseq}")


def _active(call: MessageCall, id_: DeploymentID) -> Deployment:
    found = deployment.find(call, id_)
    if found is None:
        raise TxRefusedError("deployment", 4, "Deployment not found")
    if found.state != Deployment.active:
        raise TxRefusedError("deployment", 5, "Deployment closed")
    return found


def _group(call: MessageCall, id_: GroupID) -> Group:
    found = deployment.find_group(call, id_)
    if found is None:
        raise TxRefusedError("deployment", 14, "Group not found")
    return found


def _check_deposit(call: MessageCall, msg: v1beta4.MsgCreateDeployment) -> None:
    params = Params.FromString(call.state.get(PARAMS, b"deployment") or b"")
    given = msg.deposit.amount
    for least in params.min_deposits:
        if least.denom == given.denom:
            if int(given.amount or 0) < int(least.amount):
                shown = f"Deposit too low - {given.amount} < {least.amount}{least.denom}"
                raise TxRefusedError("deployment", 20, f"{shown}: Deposit invalid")
            return
    raise plain(f"Deposit invalid: Invalid deposit denomination {given.denom}")
