"""Deployments and their groups as rows, and their changes of state (semantics 6.2)."""

from __future__ import annotations

from reconciler.chain.proto import deployment_v1_pb2 as v1
from reconciler.chain.proto.deployment_v1_pb2 import Deployment
from reconciler.chain.proto.deployment_v1beta4_pb2 import Group
from reconciler.devnet.chain import keys
from reconciler.devnet.chain.call import MessageCall
from reconciler.devnet.chain.errors import TxRefusedError
from reconciler.devnet.chain.keys import DeploymentLike, GroupLike
from reconciler.devnet.chain.store import StateReader
from reconciler.devnet.chain.tables import DEPLOYMENTS, GROUPS

_STATES = (Deployment.active, Deployment.closed)
_GROUP_STATES = (Group.open, Group.paused, Group.insufficient_funds, Group.closed)


def read(state: StateReader, id_: DeploymentLike) -> Deployment | None:
    """A deployment for a query."""
    return next(filter(None, (state.get(DEPLOYMENTS, keys.deployment(s, id_)) for s in _STATES)), None)


def read_group(state: StateReader, id_: GroupLike) -> Group | None:
    """A group for a query."""
    return next(filter(None, (state.get(GROUPS, keys.group(s, id_)) for s in _GROUP_STATES)), None)


def read_groups(state: StateReader, id_: DeploymentLike) -> list[Group]:
    """A deployment's groups in the order of their rows; a closed one moves, a paused one does not."""
    return [group for s in _GROUP_STATES for _, group in state.scan(GROUPS, keys.groups(s, id_))]


def find(call: MessageCall, id_: DeploymentLike) -> Deployment | None:
    """A deployment, or None."""
    for value in _STATES:
        key = keys.deployment(value, id_)
        if call.state.has(DEPLOYMENTS, key):
            return call.state.get(DEPLOYMENTS, key)
    return None


def find_group(call: MessageCall, id_: GroupLike) -> Group | None:
    """A group, or None."""
    for value in _GROUP_STATES:
        key = keys.group(value, id_)
        if call.state.has(GROUPS, key):
            return call.state.get(GROUPS, key)
    return None


def _look(call: MessageCall, id_: DeploymentLike) -> bool:
    """Whether the deployment exists; the chain checks it before each write."""
    return any(call.state.has(DEPLOYMENTS, keys.deployment(value, id_)) for value in _STATES)


def groups_of(call: MessageCall, id_: DeploymentLike) -> list[Group]:
    """A deployment's groups, in the order of `read_groups`."""
    return [group for s in _GROUP_STATES for _, group in call.state.walk(GROUPS, keys.groups(s, id_))]


def create(call: MessageCall, new: Deployment, groups: list[Group]) -> None:
    """Store a new deployment with its groups."""
    _look(call, new.id)
    call.state.put(DEPLOYMENTS, keys.deployment(new.state, new.id), new)
    for group in groups:
        call.state.put(GROUPS, keys.group(group.state, group.id), group)
    call.events.typed(v1.EventDeploymentCreated(id=new.id, hash=new.hash))


def change_hash(call: MessageCall, old: Deployment, new_hash: bytes) -> None:
    """Change a deployment's manifest hash."""
    _look(call, old.id)
    new = Deployment(id=old.id, state=old.state, hash=new_hash, created_at=old.created_at)
    call.state.put(DEPLOYMENTS, keys.deployment(new.state, new.id), new)
    call.events.typed(v1.EventDeploymentUpdated(id=new.id, hash=new.hash))


def close(call: MessageCall, old: Deployment) -> None:
    """Close a deployment."""
    _look(call, old.id)
    call.state.delete(DEPLOYMENTS, keys.deployment(old.state, old.id))
    new = Deployment(id=old.id, state=Deployment.closed, hash=old.hash, created_at=old.created_at)
    call.state.put(DEPLOYMENTS, keys.deployment(new.state, new.id), new)
    call.events.typed(v1.EventDeploymentClosed(id=new.id))


def close_group(call: MessageCall, group: Group, state: Group.State) -> None:
    """Move a group to closed or insufficient_funds; both emit EventGroupClosed."""
    _move_group(call, group, state)
    call.events.typed(v1.EventGroupClosed(id=group.id))


def pause_group(call: MessageCall, group: Group) -> None:
    """Move a group to paused; the chain writes it twice, which costs gas."""
    key = _move_group(call, group, Group.paused)
    call.state.meter.write(len(key) + group.ByteSize())
    call.events.typed(v1.EventGroupPaused(id=group.id))


def start_group(call: MessageCall, group: Group) -> None:
    """Move a group back to open."""
    _move_group(call, group, Group.open)
    call.events.typed(v1.EventGroupStarted(id=group.id))


def closable(group: Group) -> TxRefusedError | None:
    """The refusal to close a group, None where it can be closed."""
    return TxRefusedError("deployment", 15, "Group already closed") if group.state == Group.closed else None


def _group_key(call: MessageCall, id_: GroupLike) -> bytes:
    """The key of the group's row."""
    for value in _GROUP_STATES:
        if call.state.has(GROUPS, key := keys.group(value, id_)):
            return key
    raise TxRefusedError("deployment", 14, "Group not found")


def _move_group(call: MessageCall, old: Group, state: Group.State) -> bytes:
    """Write the group in its new state; the key of its row.

    A paused group stays under the key of its former state: pausing does not change the order of a
    deployment's groups.
    """
    key = _group_key(call, old.id)
    call.state.delete(GROUPS, key)
    if state != Group.paused:
        key = keys.group(state, old.id)
    new = Group(id=old.id, state=state, group_spec=old.group_spec, created_at=old.created_at)
    call.state.put(GROUPS, key, new)
    return key
