"""The page of `status`, from the API's views. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.reports.provider_view import StatusView
from reconciler.values.funding import Funding
from reconciler.values.money import amount_text
from reconciler.values.readings import CHAIN
from reconciler.values.text import printable
from reconciler.values.times import format_duration, format_remaining, utc_text
from reconciler.values.views import LeaseView, WorkloadView

ROWS_MAX = 30
"""Workloads and holds that one page lists."""


@dataclass(frozen=True, slots=True)
class StatusPage:
    """The status, all workloads, and the leases whose funds run out, by state."""

    status: StatusView
    workloads: Sequence[WorkloadView]
    leases: Mapping[Funding, Sequence[LeaseView]]


def page_lines(page: StatusPage) -> Iterator[str]:
    """The page, line by line; texts from outside cannot move the terminal's cursor."""
    status = page.status
    sections = _issues(status), _provider(status), _readings(status), _work(page), _holds(status)
    for section in sections:
        yield from map(printable, section)


def _issues(status: StatusView) -> Iterator[str]:
    """What needs the operator, before everything else."""
    issues = status.issues
    if len(issues) < 2:
        yield f"issues     {issues[0].message if issues else 'none'}"
        return
    yield f"issues     {len(issues)} need attention, the worst first:"
    for issue in issues[:ROWS_MAX]:
        yield f"           {issue.message}"


def _provider(status: StatusView) -> Iterator[str]:
    chain, money, counts, revisions = status.chain, status.money, status.counts, status.revisions
    yield f"provider   {status.provider}  {status.address}"
    seen = utc_text(chain.time) if chain.time else "not seen yet"
    unseen = next((r for r in status.readings if r.source == CHAIN and r.why), None)
    since = (
        f", unseen since {utc_text(unseen.seen_at)}: money, leases and market are as then" if unseen else ""
    )
    yield f"chain      {chain.id} at height {chain.height}, {seen}{since}"
    yield f"desired    {_commit(revisions.desired)}"
    yield f"applied    {_commit(revisions.applied)}"
    yield f"published  {_commit(revisions.published)}"
    balance, deposits = amount_text(money.balance_uve), amount_text(money.deposits_uve)
    yield f"money      {balance} in the wallet, {deposits} locked in bids"
    yield (
        f"           {amount_text(money.earned_uve)} earned after {amount_text(money.fees_uve)} of fees, "
        f"{amount_text(money.accrued_uve)} accrued on leases"
    )
    if money.balance_seconds_left is not None:
        left = format_duration(money.balance_seconds_left)
        yield f"           the balance lasts {left} above the reserve, at the rate of the last 24 hours"
    elif money.is_balance_falling is None:
        yield "           how long the balance lasts is not known yet"
    if money.payout_address:
        after = f"; the next one not before {utc_text(money.next_payout_at)}" if money.next_payout_at else ""
        paid = amount_text(money.paid_out_uve)
        yield f"           {paid} paid out; payouts go to {money.payout_address}{after}"
    if money.unexplained_uve:
        unexplained = amount_text(money.unexplained_uve)
        yield f"           {unexplained} unexplained: the transfers of some blocks are not known"
    yield (
        f"market     {_count(counts.orders_open, 'order')} open, {_count(counts.bids_open, 'bid')}, "
        f"{_count(counts.leases, 'lease')}"
    )


def _commit(commit: str) -> str:
    return commit[:12] or "none yet"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _readings(status: StatusView) -> Iterator[str]:
    cycle = status.cycle
    if cycle and cycle.why:
        failures = f" ({cycle.failures} in a row)" if cycle.failures > 1 else ""
        yield f"cycle      {cycle.outcome}{failures} at {utc_text(cycle.finished_at)}: {cycle.why}"
    for queue in status.queues:
        if queue.queued or queue.running:
            since = utc_text(queue.oldest_since)
            yield f"in flight  {queue.target}: {queue.running} running, {queue.queued} queued, since {since}"
    for intent in status.intents:
        yield f"pending tx {intent.hash[:12]}: {'; '.join(intent.messages)}"


def _work(page: StatusPage) -> Iterator[str]:
    for state, leases in page.leases.items():
        for lease in leases:
            yield f"funds      {lease.workload}  {state}{format_remaining(lease.funding.seconds_left)}"
    rows = sorted(page.workloads, key=lambda w: (w.trouble is None, w.id))
    for each in rows[:ROWS_MAX]:
        price = f"{amount_text(each.price_uve)} a block" if each.is_price_known else "price unknown"
        unseen = f"  last known, unseen: {', '.join(each.unseen)}" if each.unseen else ""
        yield f"workload   {each.id}  {each.state}  {price}{unseen}{_trouble(each)}"
    if len(rows) > ROWS_MAX:
        yield f"           and {len(rows) - ROWS_MAX} more: provider-daemon get workloads"


def _trouble(workload: WorkloadView) -> str:
    if (trouble := workload.trouble) is None:
        return ""
    advice = f"; {trouble.advice}" if trouble.advice else ""
    return f"  {trouble.reason}: {trouble.message}{advice}"


def _holds(status: StatusView) -> Iterator[str]:
    for hold in status.holds[:ROWS_MAX]:
        yield f"held       {hold.subject or 'all'}  {hold.reason}: {hold.message}"
    for reason, count in sorted(status.counts.holds.items()):
        yield f"holds      {count} x {reason}"
