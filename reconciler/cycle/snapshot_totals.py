"""The parts of a snapshot from journal and publisher: totals, times, and capacity."""

from __future__ import annotations

from dataclasses import replace

from reconciler.cycle.environment import Environment, Store
from reconciler.cycle.planned_cycle import PlannedCycle
from reconciler.cycle.publish import Publisher
from reconciler.planning.capacity.headroom import offered, usable
from reconciler.planning.capacity.promises import promised_resources
from reconciler.planning.revisions.adapter_grants import without_denied
from reconciler.planning.revisions.admission import desired_at
from reconciler.values.readings import Unseen
from reconciler.values.result_cache import ResultCache
from reconciler.values.snapshot import Counters, ManifestTotals, RevisionTimes, Snapshot
from reconciler.values.times import Timestamp
from reconciler.values.views import CapacityView, CommitView, CycleOutcome


def initial_snapshot(environment: Environment, address: str) -> Snapshot:
    """The snapshot before the first cycle: with the journal's totals, so that counters do not reset."""
    shown = Snapshot(provider=environment.provider, address=address)
    return replace(_with_totals(shown, environment.store), published=environment.store.records.published())


def count_cycle(before: Counters, outcome: CycleOutcome) -> Counters:
    """The totals with one more cycle of this outcome."""
    return replace(before, cycles={**before.cycles, outcome: before.cycles.get(outcome, 0) + 1})


def add_totals(shown: Snapshot, store: Store, before: Snapshot, publisher: Publisher) -> Snapshot:
    """The snapshot with totals and times from journal and publisher."""
    assert shown.cycle is not None, "the cycle's record is shown first"
    now = shown.cycle.finished_at
    shown = replace(shown, counters=count_cycle(before.counters, shown.cycle.outcome))
    shown = replace(_with_totals(shown, store), published=store.records.published())
    return replace(
        shown,
        times=_times(shown, before, now, publisher.pending_since),
        unpublished=publisher.unpublished,
        published_commit=_published(shown, before, publisher, now),
    )


def capacity_of(planned: PlannedCycle, results: ResultCache) -> CapacityView | None:
    """Capacity offered, sellable and promised; None if machines or market are unseen."""
    inputs, market = planned.inputs, planned.inputs.seen_market
    desired = desired_at(inputs.desired, planned.plan.revision)
    adapters = inputs.adapters
    if desired is not None:
        adapters = without_denied(adapters, desired, inputs.limits.grants)
    capacity = offered(adapters)
    if market is None or isinstance(capacity, Unseen):
        return None
    whole = capacity.view
    sellable = whole if desired is None else usable(whole, inputs.limits, desired)
    facts = (market.leases, market.bids, *sorted(market.unconfirmed))
    promised = results.reuse("promised", facts, lambda: promised_resources(market))
    return CapacityView(whole, sellable, promised)


def manifest_totals(planned: PlannedCycle) -> ManifestTotals:
    """The totals of tenants' manifests; none while they are unseen."""
    reading = planned.inputs.manifests
    if isinstance(reading, Unseen):
        return ManifestTotals()
    view = reading.view
    return ManifestTotals(len(view.by_workload), view.unpushed, view.unpushed_since)


def _with_totals(shown: Snapshot, store: Store) -> Snapshot:
    totals = store.records.totals()
    counters = replace(
        shown.counters, bids_placed=totals.bids_placed, bids_won=totals.bids_won, ended=totals.ended
    )
    return replace(shown, counters=counters)


def _times(shown: Snapshot, before: Snapshot, now: int, unpublished_since: int) -> RevisionTimes:
    times = before.times
    waits = bool(shown.desired) and shown.desired != shown.applied
    return RevisionTimes(
        seen=times.seen if shown.desired == before.desired else now,
        applied=times.applied if shown.applied == before.applied else now,
        published=times.published if shown.published == before.published else now,
        unapplied_since=(times.unapplied_since or now) if waits else 0,
        unpublished_since=unpublished_since,
    )


def _published(shown: Snapshot, before: Snapshot, publisher: Publisher, now: int) -> CommitView | None:
    """The last status commit; its subject is known only if this daemon made it."""
    if not shown.published or (before.published_commit and before.published_commit.id == shown.published):
        return before.published_commit
    commit, subject = publisher.last
    return CommitView(shown.published, Timestamp(now), subject if commit == shown.published else "")
