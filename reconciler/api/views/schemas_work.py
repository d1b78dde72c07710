"""What the HTTP API answers about workloads."""

from __future__ import annotations

from reconciler.api.views.schemas import HoldShape, Shape, TroubleShape
from reconciler.api.views.schemas_market import LeaseShape


class WorkloadShape(Shape):
    """A workload of ours."""

    id: str
    lease: str
    state: str
    """The phase in lower case: pending, deploying, running, paused, stopping, stopped, terminated, failed."""
    adapter: str
    billing: str
    price_uve: str
    lease_state: str
    ready: bool
    replicas_ready: int
    replicas: int
    file: str
    trouble: TroubleShape | None


class WorkloadsAnswer(Shape):
    """`GET /api/v1/workloads`: ours in the order of their ids, all or those that fit the question."""

    workloads: list[WorkloadShape]
    total: int
    """All that fit the question, on this page or not."""
    next: str
    """Ask with `?after=` this for the next page; empty: this is the last one."""


class WorkloadAnswer(Shape):
    """`GET /api/v1/workloads/{id}`: one of ours, with its lease and what is withheld from it."""

    workload: WorkloadShape
    lease: LeaseShape | None
    holds: list[HoldShape]


class LinkShape(Shape):
    """One link of a workload's chain of causes."""

    step: str
    """order, decision, bid, lease, money, workload, adapter, trouble, outcome, held, next try or was held."""
    word: str
    """Its state in one word."""
    says: str
    """A sentence."""
    at: str | None
    """Since when it is so; null: not known."""
    until: str | None
    """When that was over, or when the next try is due; null: neither."""


class CauseAnswer(Shape):
    """`GET /api/v1/workloads/{id}/explain`: from the order to the next try, why it is as it is."""

    id: str
    links: list[LinkShape]


class ContainerUseShape(Shape):
    """One container's use."""

    pod: str
    container: str
    cpu_milli: int
    memory_bytes: int


class UseAnswer(Shape):
    """`GET /api/v1/workloads/{id}/metrics`: what it uses."""

    id: str
    source: str
    """metrics: measured by the machines; requests: only what its containers asked for."""
    why: str
    """Why it was not measured; empty: it was."""
    at: str | None
    """When it was measured."""
    cpu_milli: int
    """Of all its containers."""
    memory_bytes: int
    """Of all its containers."""
    containers: list[ContainerUseShape]


class EventShape(Shape):
    """What the machines said about one of its objects."""

    last_at: str | None
    first_at: str | None
    warning: bool
    reason: str
    about: str
    """The object: kind/name."""
    message: str
    count: int


class EventsAnswer(Shape):
    """`GET /api/v1/workloads/{id}/events`: the machines' own words, newest first."""

    id: str
    events: list[EventShape]
    complete: bool
    """false: there are more than are read at once."""
