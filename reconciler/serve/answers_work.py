"""The snapshot in the API's shapes: workloads, and why each is as it is. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.serve.answers import holds, moment
from reconciler.serve.answers_market import lease
from reconciler.serve.shapes_work import (
    CauseAnswer,
    ContainerUseShape,
    EventsAnswer,
    EventShape,
    LinkShape,
    TroubleShape,
    UseAnswer,
    WorkloadAnswer,
    WorkloadShape,
)
from reconciler.values.inspection import Happenings, WorkloadUse
from reconciler.values.money import plain
from reconciler.values.observed import Trouble
from reconciler.values.records import Decision
from reconciler.values.snapshot import LeaseSnapshot, Snapshot, WorkloadSnapshot

EFFECTS = ("ApplyWorkload", "RemoveWorkload")
"""The kinds of an adapter's effects, as the journal names them."""


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


def trouble(found: Trouble) -> TroubleShape:
    """Why a workload is not well."""
    return TroubleShape(reason=found.reason, message=found.message, advice=found.advice)


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


def events(found: WorkloadSnapshot, happened: Happenings) -> EventsAnswer:
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


def cause(snapshot: Snapshot, found: WorkloadSnapshot, record: Sequence[Decision]) -> CauseAnswer:
    """From the order to the next try; `record` holds decisions on the order, the lease and the workload."""
    return CauseAnswer(id=found.id, links=list(_links(snapshot, found, record)))


def _links(snapshot: Snapshot, found: WorkloadSnapshot, record: Sequence[Decision]) -> Iterator[LinkShape]:
    order, leased = found.lease.order, _lease_of(snapshot, found)
    yield LinkShape(step="order", word=found.billing, says=f"order {order}", at=None)
    for each in (d for d in record if d.word == "CreateBid"):
        yield _link("bid", each)
    yield LinkShape(
        step="lease",
        word=found.lease_state.value,
        says=_lease_sentence(found, leased),
        at=moment(snapshot.chain_time),
    )
    yield LinkShape(
        step="workload", word=found.phase.value.lower(), says=f"its file is {found.path}", at=None
    )
    ready = f"{found.replicas_ready} of {found.replicas} replicas are ready"
    yield LinkShape(step="adapter", word=found.adapter, says=ready, at=None)
    if found.trouble is not None:
        advice = f"; {found.trouble.advice}" if found.trouble.advice else ""
        yield LinkShape(
            step="trouble", word=found.trouble.reason, says=f"{found.trouble.message}{advice}", at=None
        )
    for each in [d for d in record if d.word in EFFECTS and d.subject == found.id][:1]:
        yield _link("outcome", each)
    for hold in snapshot.holds_of(*subjects_of(found)):
        step = "next" if hold.reason.value == "TryLater" else "held"
        yield LinkShape(step=step, word=hold.reason.value, says=hold.message, at=None)


def _link(step: str, found: Decision) -> LinkShape:
    return LinkShape(step=step, word=found.word, says=found.message, at=moment(found.last_seen))


def _lease_sentence(found: WorkloadSnapshot, leased: LeaseSnapshot | None) -> str:
    if leased is None:
        return f"lease {found.lease} is not active"
    left = leased.funding.seconds
    lasts = "" if left is None else f"; its funds last {lasting(left)} more"
    return f"{plain(leased.price)}uve a block, {leased.accrued}uve accrued{lasts}"


def lasting(seconds: int) -> str:
    """`3 d 5 h`, `4 h 47 min`, `12 min`, `40 s`; negative times as none at all."""
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    if seconds >= 86_400:
        return f"{days} d {hours} h"
    if seconds >= 3_600:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if seconds >= 60 else f"{max(seconds, 0)} s"


def _lease_of(snapshot: Snapshot, found: WorkloadSnapshot) -> LeaseSnapshot | None:
    return next((x for x in snapshot.leases if x.id == found.lease), None)
