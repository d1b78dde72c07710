"""One cycle: observe, confirm, plan, dispatch, publish; always in this order, always all of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from time import monotonic

from reconciler.cycle.commit_status import CommitStatusReporter
from reconciler.cycle.confirm import confirm
from reconciler.cycle.dispatch import dispatch_all, record_results
from reconciler.cycle.environment import Environment
from reconciler.cycle.manifest_pusher import ManifestPusher
from reconciler.cycle.monthly_reports import MonthlyReports
from reconciler.cycle.object_views import ObjectViews, object_views
from reconciler.cycle.observe import Observer
from reconciler.cycle.planned_cycle import PlannedCycle
from reconciler.cycle.publish import Publication, Publisher
from reconciler.cycle.revision_fetcher import RevisionFetcher
from reconciler.cycle.snapshot import queue_view, snapshot_of, status_of
from reconciler.cycle.snapshot_publisher import SnapshotPublisher
from reconciler.cycle.snapshot_totals import (
    add_totals,
    capacity_of,
    count_cycle,
    initial_snapshot,
    manifest_totals,
)
from reconciler.planning.planner import plan, revision_in_force
from reconciler.planning.planning_input import PlanningInput
from reconciler.planning.revisions.admission import desired_at
from reconciler.reports.log_lines import hold_lines, merge_lines, plan_lines
from reconciler.reports.plan_json import plan_digest
from reconciler.values.desired import Publishing
from reconciler.values.manifests import NO_SEALING, TenantManifests
from reconciler.values.observed import Market, Transfer
from reconciler.values.plans import Plan
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.result_cache import ResultCache
from reconciler.values.snapshot import Snapshot
from reconciler.values.subjects import Subject
from reconciler.values.times import Timestamp
from reconciler.values.views import CycleOutcome, CycleView, PublishedStatus
from reconciler.values.work import InFlight

log = logging.getLogger(__name__)

UNBOOKED_MAX = 10_000
"""Transfers kept while the journal cannot be written; earlier ones are then unexplained."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """A finished cycle: its input and plan, its snapshot, and whether a status commit is pending."""

    planned: PlannedCycle
    snapshot: Snapshot
    publish_pending: bool


class Runner:
    """Runs cycles sequentially on one thread; keeps the last snapshot and published status."""

    def __init__(self, environment: Environment, address: str) -> None:
        self._environment = environment
        self._revisions = RevisionFetcher(environment, address)
        self._observer = Observer(environment)
        self._publisher = Publisher(environment)
        self._reports = MonthlyReports(environment.store.records)
        self._snapshot_publisher = SnapshotPublisher(environment)
        self._manifest_pusher = ManifestPusher(environment)
        self._commit_status = CommitStatusReporter(environment)
        self._status: PublishedStatus | None = None
        self._results = ResultCache()
        self._decisions = ResultCache()
        self._held: frozenset[tuple[Subject, str]] = frozenset()
        self._chain_unavailable = False
        self._unbooked: tuple[Transfer, ...] | None = ()
        self.snapshot = initial_snapshot(environment, address)

    def poll_repository(self) -> None:
        """Poll the repository in the next cycle, however recently it was polled."""
        self._revisions.poll()

    def mark_failed(self, why: str, began_at: int) -> Snapshot:
        """The snapshot after a failed cycle: the previous one, marked as stale."""
        before = self.snapshot.cycle.failures if self.snapshot.cycle else 0
        record = CycleView(
            started_at=Timestamp(began_at),
            finished_at=Timestamp(self._environment.clock.now()),
            duration_seconds=0.0,
            outcome=CycleOutcome.FAILED,
            why=why,
            failures=before + 1,
        )
        self.snapshot = replace(
            self.snapshot, cycle=record, counters=count_cycle(self.snapshot.counters, record.outcome)
        )
        return self.snapshot

    def plan_cycle(self) -> PlannedCycle:
        """Observe, confirm and plan, as `plan` prints; records the results of earlier effects.

        The revision in force is needed before, as it names the adapters to observe; the plan admits it again
        with what was confirmed.
        """
        environment = self._environment
        in_flight = environment.queues.in_flight()  # before the results, so that no item is in neither
        record_results(environment)
        memory = environment.store.journal.memory()
        intents = environment.store.intents.open_intents()
        inputs = PlanningInput(
            now=environment.clock.now(),
            desired=self._revisions.revisions(memory),
            market=Unseen("not observed yet"),
            adapters={},
            memory=memory,
            limits=environment.limits(),
            results=environment.store.journal.results(),
            sends_notices=environment.notifier is not None,
            approvals=environment.store.journal.approvals(),
            in_flight=in_flight,
        )
        environment.configure(revision_in_force(inputs))
        seen = self._observer.observe(memory, intents)
        market = self._with_unbooked(seen.market)
        confirmed = confirm(intents, market)
        manifests: Reading[TenantManifests] = Seen(NO_SEALING)
        if environment.manifests:  # read last, as each closing depends on what was accepted until now
            manifests = environment.manifests.current(market.view if isinstance(market, Seen) else None)
        inputs = replace(
            inputs,
            now=environment.clock.now(),
            market=market,
            adapters=seen.adapters,
            intents=confirmed.unknown,
            confirmations=confirmed.ended,
            manifests=manifests,
        )
        return PlannedCycle(inputs, plan(inputs, self._decisions))

    def run_cycle(self, *, flush: bool = False) -> Cycle:
        """Run one cycle; `flush` publishes pending changes immediately."""
        began_at, began = self._environment.clock.now(), monotonic()
        planned = self.plan_cycle()
        self._commit_status.note_superseded(planned.plan)
        self._environment.store.journal.remember(planned.plan, began_at)
        self._unbooked = ()
        self._log_plan(planned.plan)
        self._log_availability(planned.inputs.market)
        dispatch_all(planned.plan, self._environment, planned.inputs.intents)
        views = object_views(planned, self._results)
        pending = self._publish(planned, views, flush=flush)
        self._snapshot_publisher.publish(planned)
        self._manifest_pusher.push(planned.inputs)
        self._commit_status.report(planned)
        record = CycleView(
            started_at=Timestamp(began_at),
            finished_at=Timestamp(self._environment.clock.now()),
            duration_seconds=monotonic() - began,
            outcome=_outcome(planned),
            plan_digest=plan_digest(planned.plan),
            actions=len(planned.plan.actions),
        )
        self.snapshot = self._shown(planned, views, record)
        return Cycle(planned, self.snapshot, pending)

    def _with_unbooked(self, reading: Reading[Market]) -> Reading[Market]:
        """The market with the transfers of cycles whose memory could not be stored, as each is read once;
        None if those of any of these cycles are not known.
        """
        if isinstance(reading, Unseen):
            return reading
        kept, read = self._unbooked, reading.view.transfers
        if kept == ():
            self._unbooked = read
            return reading
        self._unbooked = None if kept is None or read is None else (*kept, *read)[-UNBOOKED_MAX:]
        return Seen(replace(reading.view, transfers=self._unbooked))

    def drain(self, grace_seconds: float) -> tuple[InFlight, ...]:
        """Take no further effect, wait for those in flight, and record their results; returns the abandoned
        ones.
        """
        left = self._environment.queues.drain(grace_seconds)
        record_results(self._environment)
        self._publisher.collect_results(self._environment.clock.now())
        return left

    def _publish(self, planned: PlannedCycle, views: ObjectViews, *, flush: bool) -> bool:
        market = planned.inputs.seen_market
        status = status_of(self._environment.provider, planned, views, self._status)
        if status is not None and market is not None and self._environment.publishes_status:
            status = replace(status, reports=self._reports.at(market.time))
        self._status = self._results.same("status", status)
        outbox = self._environment.store.outbox
        if not self._environment.publishes_status:
            if events := outbox.unpublished():  # nobody will ever publish them
                outbox.mark_published([each.id for each in events], "")
            return False
        if self._status is None:
            return False
        self._publisher.collect_results(self._environment.clock.now())
        events = outbox.unpublished()
        news = Publication(self._status, events, planned.plan, market.height if market else 0)
        admitted = desired_at(planned.inputs.desired, planned.plan.revision)
        rules = admitted.config.publishing if admitted and admitted.config else Publishing()
        self._publisher.publish(news, rules, now=self._environment.clock.now(), flush=flush)
        return self._publisher.publish_pending

    def _shown(self, planned: PlannedCycle, views: ObjectViews, record: CycleView) -> Snapshot:
        shown = snapshot_of(
            planned, views, self.snapshot, cycle_began_at=record.started_at, results=self._results
        )
        shown = replace(shown, cycle=record, capacity=capacity_of(planned, self._results) or shown.capacity)
        shown = replace(shown, manifests=manifest_totals(planned))
        shown = replace(shown, queues=tuple(map(queue_view, self._environment.queues.statistics())))
        return add_totals(shown, self._environment.store, self.snapshot, self._publisher)

    def _log_availability(self, market: Reading[Market]) -> None:
        """Log when the chain becomes unseen and when it is seen again."""
        if isinstance(market, Unseen) and not self._chain_unavailable:
            log.warning("the bid engine is paused: the chain is unavailable: %s", market.why)
        elif isinstance(market, Seen) and self._chain_unavailable:
            log.info("the bid engine resumes: the chain is available again, at height %d", market.view.height)
        self._chain_unavailable = isinstance(market, Unseen)

    def _log_plan(self, plan: Plan) -> None:
        """Log each hold when it appears, not in every cycle, and each confirmation and lifecycle transition,
        which are repeated after a crash.
        """
        appeared = (hold for hold in plan.holds if (hold.subject, hold.reason) not in self._held)
        for line in merge_lines((*hold_lines(appeared), *plan_lines(plan))):
            log.log(logging.WARNING if line.is_warning else logging.INFO, "%s", line.text)
        self._held = frozenset((hold.subject, hold.reason) for hold in plan.holds)


def _outcome(planned: PlannedCycle) -> CycleOutcome:
    inputs = planned.inputs
    if any(isinstance(r, Unseen) for r in (inputs.market, inputs.desired)):
        return CycleOutcome.BLIND
    return CycleOutcome.ACTED if planned.plan.actions else CycleOutcome.QUIET
