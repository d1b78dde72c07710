"""The snapshot in the API's shapes: workloads, and why each is as it is. Pure."""

from __future__ import annotations

from reconciler.api.views.schemas_work import (
    CauseAnswer,
    ContainerUseShape,
    EventsAnswer,
    EventShape,
    LinkShape,
    UseAnswer,
    WorkloadAnswer,
    WorkloadShape,
)
from reconciler.api.views.views import holds, moment, trouble
from reconciler.api.views.views_market import lease
from reconciler.reports.explanation import ExplainedCase, ExplanationBasis, Link, causes
from reconciler.values.inspection import WorkloadEvents, WorkloadUse
from reconciler.values.memory import Memory
from reconciler.values.money import plain
from reconciler.values.snapshot import LeaseSnapshot, Snapshot, WorkloadSnapshot


def workload(snapshot: Snapshot, found: WorkloadSnapshot) -> WorkloadAnswer:
    """One of ours, with its lease and what is withheld from it."""
    leased = _lease_of(snapshot, found)
    return WorkloadAnswer(
        workload=workload_shape(found),
        lease=None if leased is None else lease(leased),
        holds=holds(snapshot.holds_of(*subjects_of(found))),
    )


def workload_shape(found: WorkloadSnapshot) -> WorkloadShape:
    """A workload of ours."""
    return WorkloadShape(
        id=found.id,
        lease=str(found.lease),
        state=found.phase.value.lower(),
        adapter=found.adapter,
        billing=found.billing,
        price_uve=plain(found.price),
        lease_state=found.lease_state.value,
        ready=found.ready,
        replicas_ready=found.replicas_ready,
        replicas=found.replicas,
        file=found.path,
        trouble=trouble(found.trouble) if found.trouble else None,
    )


def subjects_of(found: WorkloadSnapshot) -> tuple[str, ...]:
    """What a hold on it may be about: itself, its lease, its file."""
    return tuple(filter(None, (found.id, str(found.lease), found.path)))


def use(found: WorkloadSnapshot, used: WorkloadUse) -> UseAnswer:
    """What its containers use, and all of them together."""
    return UseAnswer(
        id=found.id,
        source=used.source.value,
        why=used.why,
        at=moment(used.at),
        cpu_milli=sum(c.cpu_milli for c in used.containers),
        memory_bytes=sum(c.memory_bytes for c in used.containers),
        containers=[
            ContainerUseShape(
                pod=c.pod, container=c.container, cpu_milli=c.cpu_milli, memory_bytes=c.memory_bytes
            )
            for c in used.containers
        ],
    )


def events(found: WorkloadSnapshot, happened: WorkloadEvents) -> EventsAnswer:
    """The machines' own words."""
    return EventsAnswer(
        id=found.id,
        complete=happened.complete,
        events=[
            EventShape(
                last_at=moment(h.last_at),
                first_at=moment(h.first_at),
                warning=h.warning,
                reason=h.reason,
                about=h.about,
                message=h.message,
                count=h.count,
            )
            for h in happened.listed
        ],
    )


def case(snapshot: Snapshot, found: WorkloadSnapshot) -> ExplainedCase:
    """What is asked about it, still without what the journal has on it."""
    memory = snapshot.plan.memory if snapshot.plan else Memory()
    sight = ExplanationBasis(found, _lease_of(snapshot, found))
    return ExplainedCase(found.lease.order, found.lease, found.id, (), memory, sight)


def cause(asked: ExplainedCase) -> CauseAnswer:
    """From the order to the next try, why it is as it is."""
    return CauseAnswer(id=asked.workload or "", links=[_link(each) for each in causes(asked)])


def _link(found: Link) -> LinkShape:
    return LinkShape(
        step=found.step,
        word=found.word,
        says=found.says,
        at=moment(found.since),
        until=moment(found.until),
    )


def _lease_of(snapshot: Snapshot, found: WorkloadSnapshot) -> LeaseSnapshot | None:
    return next((x for x in snapshot.leases if x.id == found.lease), None)
