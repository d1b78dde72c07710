"""Metrics of the market: leases, bids, workloads, money, escrow, capacity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from reconciler.values.funding import Funding
from reconciler.values.lifecycle import Phase
from reconciler.values.plans import Reason
from reconciler.values.resources import Resources
from reconciler.values.snapshot import Snapshot

SETTLED = "virtengine_escrow_settlement_amount"
"""A counter whose name the cheat sheet fixes without `_total`."""

WITHIN_SECONDS = {"1h": 3_600, "6h": 21_600, "1d": 86_400, "7d": 604_800, "30d": 2_592_000}


def market(snapshot: Snapshot) -> Iterator[Metric]:
    """Leases, bids and orders."""
    counters = snapshot.counters
    yield _gauge("virtengine_provider_active_leases", "Active leases of ours.", len(snapshot.leases))
    yield _gauge("virtengine_provider_open_bids", "Open bids of ours.", len(snapshot.bids))
    yield _gauge("virtengine_provider_open_orders", "Open orders on the market.", snapshot.orders_open)
    yield CounterMetricFamily("virtengine_bid", "Bids that landed on the chain.", counters.bids_placed)
    yield CounterMetricFamily("virtengine_bid_success", "Bids that won their lease.", counters.bids_won)
    yield _gauge("virtengine_provider_chain_height", "Height of the last view of the chain.", snapshot.height)
    income = sum((lease.price_uve for lease in snapshot.leases), Decimal(0))
    yield _gauge("virtengine_provider_income_uve_per_block", "Prices of all active leases.", float(income))


def workloads(snapshot: Snapshot) -> Iterator[Metric]:
    """Workloads by state, their troubles, and holds."""
    counts = Counter(workload.state for workload in snapshot.workloads)
    states = GaugeMetricFamily("virtengine_provider_workloads", "Workloads by state.", labels=["state"])
    for state in (phase.value.lower() for phase in Phase):
        states.add_metric([state], counts[state])
    yield states
    troubles = Counter(w.trouble.reason for w in snapshot.workloads if w.trouble)
    by_reason = GaugeMetricFamily(
        "virtengine_provider_workload_troubles", "Workloads in trouble, by reason.", labels=["reason"]
    )
    for trouble, count in sorted(troubles.items()):
        by_reason.add_metric([trouble], count)
    yield by_reason
    reasons = Counter(h.reason for h in snapshot.holds)
    holds = GaugeMetricFamily("virtengine_provider_holds", "Effects withheld by reason.", labels=["reason"])
    for reason in Reason:
        holds.add_metric([reason.value], reasons[reason])
    yield holds


def money(snapshot: Snapshot) -> Iterator[Metric]:
    """The money; nothing before the chain was seen, as a counter that begins at 0 would seem to rise."""
    if not snapshot.height:
        return
    money = snapshot.money
    settled = Metric(
        SETTLED, "Payments and settlements received, net of the chain's take, in uve.", "unknown"
    )
    settled.add_sample(SETTLED, {}, money.received_uve)
    yield settled
    yield _gauge("virtengine_provider_balance_uve", "Spendable balance in uve.", money.balance_uve)
    yield _gauge(
        "virtengine_provider_deposits_uve", "Locked in deposits of our bids, in uve.", money.deposits_uve
    )
    yield _gauge(
        "virtengine_provider_accrued_uve", "Accrued on leases and not withdrawn, in uve.", money.accrued_uve
    )
    yield _gauge(
        "virtengine_provider_earned_uve", "Earned since the journal began, in uve.", money.earned_uve
    )
    yield _gauge(
        "virtengine_provider_unexplained_uve",
        "Change of the wallet in blocks whose transfers are not known, in uve.",
        money.unexplained_uve,
    )
    yield CounterMetricFamily(
        "virtengine_provider_foreign_transactions",
        "Transactions that another program signed with the provider's key.",
        money.foreign_transactions,
    )
    yield CounterMetricFamily("virtengine_provider_fees_uve", "Fees paid, in uve.", money.fees_uve)
    yield _gauge("virtengine_provider_day_fees_uve", "Fees of the last 24 hours, in uve.", money.day_fees_uve)
    yield CounterMetricFamily(
        "virtengine_provider_paid_out_uve", "Sent to payout addresses, in uve.", money.paid_out_uve
    )
    if money.is_balance_falling is not None:
        left = money.balance_seconds_left
        yield _gauge(
            "virtengine_provider_balance_seconds_left",
            "How long the balance stays above the reserve at the rate of the last 24 hours; +Inf: for ever.",
            float("inf") if left is None else left,
        )


def funds(snapshot: Snapshot) -> Iterator[Metric]:
    """How long tenants' escrow lasts: by state, the minimum, and how many leases end within a time."""
    counts = Counter(lease.funding.state for lease in snapshot.leases)
    states = GaugeMetricFamily(
        "virtengine_provider_escrow_leases", "Active leases by the state of their escrow.", labels=["state"]
    )
    for state in Funding:
        states.add_metric([state.value], counts[state])
    yield states
    left = [x.funding.seconds_left for x in snapshot.leases if x.funding.seconds_left is not None]
    if left:
        yield _gauge(
            "virtengine_provider_escrow_seconds_left_min",
            "The shortest time that the escrow of an active lease lasts; negative: it is exhausted.",
            min(left),
        )
    ending = GaugeMetricFamily(
        "virtengine_provider_escrow_leases_ending",
        "Active leases whose escrow ends within a time; cumulative.",
        labels=["within"],
    )
    for word, seconds in WITHIN_SECONDS.items():
        ending.add_metric([word], sum(each <= seconds for each in left))
    yield ending


def capacity(snapshot: Snapshot) -> Iterator[Metric]:
    """Capacity offered, sellable and promised."""
    found = snapshot.capacity
    if found is None:
        return
    kinds = {"offered": found.offered, "sellable": found.sellable, "promised": found.promised}
    for name, words, read in _RESOURCES:
        family = GaugeMetricFamily(
            f"virtengine_provider_{name}",
            f"{words} that machines offer, that may be promised, and that is promised.",
            labels=["kind"],
        )
        for kind, resources in kinds.items():
            family.add_metric([kind], read(resources))
        yield family


_RESOURCES: tuple[tuple[str, str, Callable[[Resources], int]], ...] = (
    ("cpu_milli", "Millicores", lambda r: r.cpu_milli),
    ("memory_bytes", "Bytes of memory", lambda r: r.memory_bytes),
    ("storage_bytes", "Bytes of storage", lambda r: r.storage_bytes),
    ("gpus", "GPUs", lambda r: r.gpu),
)


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value)
