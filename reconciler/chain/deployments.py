"""Deployments of orders and leases: group states, leased resources, escrow accounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.chain.proto import deployment_v1_pb2, market_v1beta5_pb2
from reconciler.chain.proto.deployment_v1beta4_pb2 import Group, QueryDeploymentResponse
from reconciler.chain.queries import Queries
from reconciler.chain.wire_market import (
    account_of,
    deployment_id_of,
    order_id_of,
    order_of,
    payment_of,
)
from reconciler.chain.wire_values import attributes_of, text_of, unit_of
from reconciler.values.ids import DeploymentId, GroupId, OrderId
from reconciler.values.observed import EscrowAccount, Lease, Order, Payment, State
from reconciler.values.resources import USAGE_BILLED

Deployments = Mapping[DeploymentId, QueryDeploymentResponse]

INSUFFICIENT_FUNDS = "lease_closed_reason_insufficient_funds"
"""Closing reason of an overdrawn payment; the chain's event gives the owner's reason (semantics 3.8)."""

ORDERS_MAX = 20_000
"""Open orders of one view; further ones are ignored, and so get no bid."""

ORDER_BYTES_MAX = 64 << 10
"""Larger orders are ignored; recorded ones have 500 bytes."""

SINGLE_QUERIES_MAX = 40
"""Objects up to which single queries are cheaper than the chain's whole list."""


def read_deployments(
    queries: Queries, of_leases: set[DeploymentId], of_orders: set[DeploymentId]
) -> dict[DeploymentId, QueryDeploymentResponse]:
    """Deployments of leases in any state, and of orders; an order's deployment that is missing is not active.

    ListTooLongError if the chain has too many active ones, so that a missing one means nothing.
    """
    wanted = of_leases | of_orders
    deployments: dict[DeploymentId, QueryDeploymentResponse] = {}
    if len(wanted) > SINGLE_QUERIES_MAX:
        every = ((deployment_id_of(wire.deployment.id), wire) for wire in queries.active_deployments())
        deployments = {each: wire for each, wire in every if each in wanted}
        wanted = of_leases - deployments.keys()
    for each in sorted(wanted):
        if (wire := queries.deployment(each)) is not None:
            deployments[each] = wire
    return deployments


def read_accounts(
    queries: Queries, leases: Iterable[Lease], deployments: Deployments
) -> dict[DeploymentId, EscrowAccount]:
    """Accounts of the deployments with open payments of these leases, each with all its open payments."""
    wanted = {lease.id.deployment for lease in leases if lease.payment.state is State.OPEN}
    payments: dict[DeploymentId, list[Payment]] = {each: [] for each in wanted}
    lists = [None] if len(wanted) > SINGLE_QUERIES_MAX else sorted(wanted)
    for each in lists:
        for wire in queries.open_payments(each):
            payment = payment_of(wire)
            if payment.lease.deployment == each or (each is None and payment.lease.deployment in wanted):
                payments[payment.lease.deployment].append(payment)
    return {
        each: account_of(deployments[each].escrow_account, payments[each])
        for each in wanted
        if each in deployments
    }


def read_account(queries: Queries, deployment: DeploymentId) -> EscrowAccount | None:
    """The account of one deployment with its open payments; None if the chain has no such deployment."""
    wire = queries.deployment(deployment)
    if wire is None:
        return None
    return account_of(wire.escrow_account, [payment_of(each) for each in queries.open_payments(deployment)])


def resolve_order(wire: market_v1beta5_pb2.Order, deployments: Deployments) -> Order:
    """The order with the states of its deployment and group."""
    order = order_id_of(wire.id)
    return order_of(wire, *states(order, deployments))


def states(order: OrderId, deployments: Deployments) -> tuple[State, State]:
    """States of the order's deployment and group; closed if the chain does not list them as active."""
    found = deployments.get(order.deployment)
    if found is None:
        return State.CLOSED, State.CLOSED
    group = _group(found, order.group)
    return (
        State(deployment_v1_pb2.Deployment.State.Name(found.deployment.state)),
        State(Group.State.Name(group.state)) if group else State.CLOSED,
    )


def resolve_lease(lease: Lease, deployments: Deployments) -> Lease:
    """The lease with the resources of its group, which no later message changes (semantics 6.2), and the
    hash of its deployment, which the tenant may change (semantics 6.4).
    """
    found = deployments.get(lease.id.deployment)
    group = _group(found, lease.id.order.group) if found else None
    if group is None:
        return lease
    spec = group.group_spec
    attributes = attributes_of(spec.requirements.attributes)
    return replace(
        lease,
        units=tuple(unit_of(unit) for unit in spec.resources),
        usage_billed=USAGE_BILLED in attributes,
        attributes=attributes,
        group=text_of(spec.name),
        manifest_hash=found.deployment.hash.hex() if found else "",
    )


def mark_closed(lease: Lease, reason: str) -> Lease:
    """The lease with the reason of its closing event, or of its overdrawn payment."""
    is_overdrawn = lease.payment.state is State.OVERDRAWN
    return replace(lease, closed_reason=INSUFFICIENT_FUNDS if is_overdrawn else reason)


def _group(deployment: QueryDeploymentResponse, id: GroupId) -> Group | None:  # noqa: A002  # its word
    return next((group for group in deployment.groups if group.id.gseq == id.gseq), None)
