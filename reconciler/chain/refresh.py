"""Update of a view to a later height: objects that blocks changed are queried again, others are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from reconciler.chain.block_changes import BlockChanges
from reconciler.chain.deployments import (
    ORDER_BYTES_MAX,
    ORDERS_MAX,
    Deployments,
    mark_closed,
    read_accounts,
    resolve_lease,
    resolve_order,
    states,
)
from reconciler.chain.full_view import ReadContext, read_provider, read_rules, read_wallet, with_order
from reconciler.chain.proto import market_v1beta5_pb2
from reconciler.chain.proto.deployment_v1beta4_pb2 import QueryDeploymentResponse
from reconciler.chain.queries import Queries
from reconciler.chain.settlement_view import read_sides, stale_orders, usage_orders
from reconciler.chain.wire_market import bid_of, lease_of, order_id_of
from reconciler.values.ids import BidId, DeploymentId, LeaseId, OrderId
from reconciler.values.observed import Bid, EscrowAccount, Lease, Market, Order, OrderSettlement, State

LOCKED_STATES = frozenset({State.OPEN, State.ACTIVE})
"""States in which a bid's deposit is locked."""


RIVAL_BIDS_MAX = 10_000
"""Other providers' bids that are kept; the oldest are dropped first."""


def rival_bids_after(
    before: Mapping[BidId, Decimal], changes: BlockChanges, orders: Mapping[OrderId, Order]
) -> Mapping[BidId, Decimal]:
    """Other providers' open bids on open orders; the same object if nothing changed."""
    found = {**before, **changes.rival_bids}
    kept = {bid: price for bid, price in found.items() if price is not None and bid.order in orders}
    newest = dict(list(kept.items())[-RIVAL_BIDS_MAX:])
    return before if newest == before else newest


@dataclass(frozen=True, slots=True)
class Refresh:
    """One step from an old view to the height of `queries`."""

    queries: Queries
    old: Market
    changes: BlockChanges
    known: Collection[LeaseId]

    def market(self, context: ReadContext) -> Market:
        """The market at the new height; NodeError if any part is unavailable."""
        if self._is_quiet(context.time):
            return replace(
                self.old, height=context.height, time=context.time, block_seconds=context.block_seconds
            )
        deployments = self._deployments()
        orders, is_cut = self._orders(deployments)
        leases = self._leases(deployments)
        changes, address = self.changes, self.old.wallet.address
        return replace(
            self.old,
            height=context.height,
            time=context.time,
            block_seconds=context.block_seconds,
            wallet=read_wallet(self.queries, address) if changes.wallet else self.old.wallet,
            rules=read_rules(self.queries) if changes.rules else self.old.rules,
            provider=read_provider(self.queries, address) if changes.provider else self.old.provider,
            orders=orders,
            orders_cut=self.old.orders_cut or is_cut,
            bids=self._bids(orders, deployments),
            rival_bids=rival_bids_after(self.old.rival_bids, changes, orders),
            leases=leases,
            accounts=self._accounts(leases, deployments),
            settlements=self._settlements(leases.values(), context.time),
        )

    def _is_quiet(self, time: int) -> bool:
        """Nothing to query: accruals are computed (semantics 4.6)."""
        known = set(self.known)
        kept = all(lease.state is State.ACTIVE or each in known for each, lease in self.old.leases.items())
        return (
            self.changes.is_empty
            and kept
            and self.old.leases.keys() >= known
            and not stale_orders(self.queries, self.old.settlements, self.changes, time)
        )

    def _deployments(self) -> dict[DeploymentId, QueryDeploymentResponse]:
        """Changed deployments of our orders, bids and leases.

        Settling the account of 12 also settles the payments of 123 (semantics 4.4, prefix leak).
        """
        orders = {order.deployment for order in (*self.old.orders, *self.changes.created)}
        leased = self._leased()
        direct = self.changes.deployments & (orders | {bid.deployment for bid in self.old.bids} | leased)
        new = {order.deployment for order in self.changes.created}
        new |= {lease.deployment for lease in self.known if lease not in self.old.leases}
        return {
            each: wire
            for each in sorted(direct | new | self._deployments_with_prefix(leased - direct))
            if (wire := self.queries.deployment(each)) is not None
        }

    def _leased(self) -> set[DeploymentId]:
        ours = {lease for lease in self.changes.leases if lease.provider == self.old.wallet.address}
        return {lease.deployment for lease in (*self.old.leases, *ours)}

    def _deployments_with_prefix(self, leased: set[DeploymentId]) -> set[DeploymentId]:
        """Deployments whose number starts with that of a changed one of the same owner."""
        touched: dict[str, list[str]] = {}
        for each in self.changes.deployments:
            touched.setdefault(each.owner, []).append(str(each.dseq))
        return {
            each
            for each in leased
            if (numbers := touched.get(each.owner)) and str(each.dseq).startswith(tuple(numbers))
        }

    def _orders(self, deployments: Deployments) -> tuple[dict[OrderId, Order], bool]:
        """The open orders, and whether a new one was omitted."""
        is_cut = False
        orders = {each: _with_states(order, deployments) for each, order in self.old.orders.items()}
        for each in sorted(self.changes.created | (self.changes.orders & orders.keys())):
            wire = self.queries.order(each)
            if wire is not None and _exceeds_limits(wire, orders):
                is_cut, wire = True, None
            order = resolve_order(wire, deployments) if wire is not None else None
            if order is not None and order.state is State.OPEN:
                orders[each] = order
            else:
                orders.pop(each, None)
        return {each: order for each, order in orders.items() if not order.is_closed}, is_cut

    def _bids(self, orders: dict[OrderId, Order], deployments: Deployments) -> dict[BidId, Bid]:
        bids = dict(self.old.bids)
        stale = {each for each in bids if each.order in self.changes.orders}
        for each in sorted(
            {each for each in self.changes.bids if each.provider == self.old.wallet.address} | stale
        ):
            wire = self.queries.bid(each)
            bid = bid_of(wire) if wire is not None else None
            if bid is not None and bid.state in LOCKED_STATES:
                bids[each] = with_order(self.queries, bid, orders)
            else:
                bids.pop(each, None)
        return {
            each: replace(bid, order=_with_states(bid.order, deployments)) if bid.order else bid
            for each, bid in bids.items()
        }

    def _leases(self, deployments: Deployments) -> dict[LeaseId, Lease]:
        known = set(self.known)
        leases = {
            each: lease
            for each, lease in self.old.leases.items()
            if lease.state is State.ACTIVE or each in known
        }
        ours = {each for each in self.changes.leases if each.provider == self.old.wallet.address}
        paid = {each for each in leases if each.deployment in deployments}
        for each in sorted(ours | paid | (known - leases.keys())):
            wire = self.queries.lease(each)
            if wire is not None:
                leases[each] = self._with_history(resolve_lease(lease_of(wire), deployments))
        return leases

    def _with_history(self, lease: Lease) -> Lease:
        """The lease with facts that only the earlier view or an event contains."""
        old = self.old.leases.get(lease.id)
        reason = self.changes.closed.get(lease.id) or (old.closed_reason if old else "")
        if old is not None and not lease.units:
            lease = replace(lease, units=old.units, usage_billed=old.usage_billed)
            lease = replace(lease, attributes=old.attributes)
            lease = replace(lease, group=old.group, manifest_hash=old.manifest_hash)
        return mark_closed(lease, reason)

    def _accounts(
        self, leases: dict[LeaseId, Lease], deployments: Deployments
    ) -> dict[DeploymentId, EscrowAccount]:
        again = [lease for lease in leases.values() if lease.id.deployment in deployments]
        kept = {lease.id.deployment for lease in leases.values() if lease.payment.state is State.OPEN}
        accounts = {
            each: account
            for each, account in self.old.accounts.items()
            if each in kept and each not in deployments
        }
        return accounts | read_accounts(self.queries, again, deployments)

    def _settlements(self, leases: Iterable[Lease], time: int) -> dict[OrderId, OrderSettlement]:
        wanted = usage_orders(leases)
        sides = {each: side for each, side in self.old.settlements.items() if each in wanted}
        stale = stale_orders(self.queries, sides, self.changes, time) | (wanted - sides.keys())
        return sides | read_sides(self.queries, sorted(stale))


def _exceeds_limits(wire: market_v1beta5_pb2.Order, orders: Mapping[OrderId, Order]) -> bool:
    """Whether to omit an order because of its size or the number of orders."""
    is_new = order_id_of(wire.id) not in orders
    return wire.ByteSize() > ORDER_BYTES_MAX or (is_new and len(orders) >= ORDERS_MAX)


def _with_states(order: Order, deployments: Deployments) -> Order:
    """The order with the new states of its deployment and group, if queried again."""
    if order.id.deployment not in deployments:
        return order
    deployment, group = states(order.id, deployments)
    if (deployment, group) == (order.deployment_state, order.group_state):
        return order
    return replace(order, deployment_state=deployment, group_state=group)
