"""Capacity left to bid with: what the machines offer, less every lease and every open bid."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.planning.planning_input import MarketBasis
from reconciler.values.desired import Desired
from reconciler.values.limits import Limits
from reconciler.values.observed import AdapterView, Capacity, Market, Order, State
from reconciler.values.plans import Reason
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.resources import Attribute, Resources, total


def total_capacity(adapters: Mapping[str, AdapterView]) -> Reading[Capacity]:
    """The sum of the adapters' capacity; Unseen if none could be read."""
    seen = [a.capacity.view for _, a in sorted(adapters.items()) if isinstance(a.capacity, Seen)]
    if not seen:
        blind = [a.capacity for _, a in sorted(adapters.items()) if isinstance(a.capacity, Unseen)]
        whys = "; ".join(each.why for each in blind)
        words = {each.reason for each in blind}
        return Unseen(
            whys
            or "no adapter is configured; name a kubeconfig in the host file, or add hosts to the repository",
            words.pop() if len(words) == 1 else "",
        )
    nodes = tuple(n for capacity in seen for n in capacity.nodes)
    hosts = tuple(h for capacity in seen for h in capacity.hosts)
    return Seen(Capacity(total([c.total for c in seen]), nodes, None, hosts))


def blindness(cluster: Unseen) -> Reason:
    """The reason of holds on effects that need the cluster: denied by the host file, authentication failed,
    or unseen.
    """
    named = (reason for reason in (Reason.ADAPTER_DENIED, Reason.AUTH_FAILURE) if cluster.reason == reason)
    return next(named, Reason.CLUSTER_UNSEEN)


def promised_resources(market: Market) -> Resources:
    """Resources that active leases and open bids claim."""
    leased = [u.all for lease in market.leases.values() if lease.state is State.ACTIVE for u in lease.units]
    bid = [
        u.all
        for bid in market.bids.values()
        if bid.state is State.OPEN and bid.order is not None
        for u in bid.order.units
    ]
    return total(leased + bid)


def free(basis: MarketBasis, capacity: Capacity) -> Resources:
    """The capacity left to bid with; may be negative."""
    return usable_resources(capacity, basis.limits, basis.desired) - promised_resources(basis.market)


def usable_resources(capacity: Capacity, limits: Limits, desired: Desired) -> Resources:
    """The total capacity for leases, after the host's ceiling and the configured reserve."""
    whole = capacity.total
    if (most := limits.capacity) is not None:
        whole = Resources(
            min(whole.cpu_milli, most.cpu_milli),
            min(whole.memory_bytes, most.memory_bytes),
            min(whole.storage_bytes, most.storage_bytes),
            min(whole.gpu, most.gpu),
        )
    percent = 100 - (desired.config.capacity_reserve_percent if desired.config else 0)
    return Resources(
        whole.cpu_milli * percent // 100,
        whole.memory_bytes * percent // 100,
        whole.storage_bytes * percent // 100,
        whole.gpu * percent // 100,
    )


def too_small(order: Order, room: Resources, capacity: Capacity) -> str:
    """Why the order does not fit: in total, one unit on no single node, or all units on no single host; "" if
    it fits.
    """
    wanted = total([u.all for u in order.units])
    if short := room.lacks(wanted):
        return f"requires {wanted.describe()}; {room.describe()} is free: too little {', '.join(short)}"
    if not capacity.hosts:
        return _too_small_for(capacity.nodes, order)
    if host_for(wanted, capacity, order.attributes):
        return ""
    if capacity.nodes:
        return _too_small_for(capacity.nodes, order)
    return f"requires {wanted.describe()} on one host; no host with the requested attributes has enough free"


def _too_small_for(nodes: tuple[Resources, ...], order: Order) -> str:
    for unit in order.units:
        if nodes and all(node.lacks(unit.one) for node in nodes):
            return f"one unit requires {unit.one.describe()}, more than any single node has"
    return ""


def host_for(whole: Resources, capacity: Capacity, attributes: tuple[Attribute, ...]) -> bool:
    """Whether a host has room for the whole order and its attributes; keys that distinguish no hosts are
    ignored.
    """
    keys = {key for host in capacity.hosts for key, _ in host.attributes}
    wanted = {(key, value) for key, value in attributes if key in keys}
    return any(not host.free.lacks(whole) and wanted <= set(host.attributes) for host in capacity.hosts)
