"""What a running daemon sees of a workload now: money, machines and what the cluster says of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.cli.asking import ask
from reconciler.cli.faults import ToldError
from reconciler.cli.times import lasting
from reconciler.reports.cause import Link
from reconciler.settings import ListenSettings
from reconciler.values.ids import WorkloadId

EVENTS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Live:
    """A daemon answers; the links that it gives are empty where it does not know the workload."""

    links: tuple[Link, ...] = ()


def live_links(listen: ListenSettings, workload: WorkloadId | None) -> Live | None:
    """What is seen now; None where no daemon answers."""
    try:
        if workload is None:
            ask(listen, "/healthz")
            return Live()
        shown = ask(listen, "/api/v1/workloads?limit=1&contains=" + workload)
        if not shown["workloads"]:
            return Live()
        found = ask(listen, f"/api/v1/workloads/{workload}")
    except ToldError:
        return None
    return Live((*_links(found), *_events(listen, workload, found)))


def _links(found: dict[str, Any]) -> Iterator[Link]:
    workload, lease = found["workload"], found["lease"]
    yield Link("lease", workload["lease_state"], _money(workload, lease))
    yield Link(
        "workload", workload["state"].capitalize(), f"{workload['id']}, its file is {workload['file']}"
    )
    ready = f"{workload['replicas_ready']} of {workload['replicas']} replicas are ready"
    yield Link("adapter", workload["adapter"], ready)
    if trouble := workload["trouble"]:
        advice = f"; {trouble['advice']}" if trouble["advice"] else ""
        yield Link("trouble", trouble["reason"], f"{trouble['message']}{advice}")


def _money(workload: dict[str, Any], lease: dict[str, Any] | None) -> str:
    name = f"{workload['lease']}, billed by {workload['billing']}"
    if lease is None:
        return name
    funding = lease["funding"]
    lasts = lasting(funding["seconds_left"])
    return (
        f"{name}; {lease['price_uve']}uve a block, {lease['accrued_uve']}uve accrued, "
        f"{lease['withdrawn_uve']}uve withdrawn; funds {funding['state']}{lasts}"
    )


def _events(listen: ListenSettings, workload: WorkloadId, found: dict[str, Any]) -> Iterator[Link]:
    """The cluster's own words where something is wrong; a cluster that does not answer says so itself."""
    if not found["workload"]["trouble"]:
        return
    try:
        told = ask(listen, f"/api/v1/workloads/{workload}/events")["events"]
    except ToldError as why:
        yield Link("cluster", "", str(why).removeprefix("error: "))
        return
    for each in [e for e in told if e["warning"]][:EVENTS_SHOWN]:
        times = f", {each['count']} times" if each["count"] > 1 else ""
        yield Link("cluster", each["reason"], f"{each['about']}: {each['message']}{times}")
