"""What a running daemon tells of a workload, and what its cluster says where something is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.cli.api_client import NoDaemonError, RequestRefusedError, ask
from reconciler.cli.errors import CliError
from reconciler.reports.explanation import Link
from reconciler.settings import ListenSettings
from reconciler.values.ids import WorkloadId
from reconciler.values.times import parsed_unix_seconds

EVENTS_SHOWN = 5
AFTER_TROUBLE = ("order", "decision", "bid", "lease", "money", "workload", "adapter", "trouble")
"""What the cluster's words come after."""


@dataclass(frozen=True, slots=True)
class Live:
    """A daemon answers; the links that it gives are empty where it does not know the workload, and `why` says
    so where it does not tell.
    """

    links: tuple[Link, ...] = ()
    why: str = ""


def live_links(listen: ListenSettings, workload: WorkloadId | None) -> Live | None:
    """What is known now; None where no daemon answers."""
    try:
        if workload is None:
            ask(listen, "/healthz")
            return Live()
        told = ask(listen, f"/api/v1/workloads/{workload}/explain")["links"]
    except NoDaemonError:
        return None
    except RequestRefusedError as why:
        return Live() if why.code == 404 else Live(why=str(why).removeprefix("error: "))
    links = [Link(x["step"], x["word"], x["says"], _unix(x["at"]), _unix(x["until"])) for x in told]
    return Live(_with_cluster(links, listen, workload))


def _with_cluster(links: Sequence[Link], listen: ListenSettings, workload: WorkloadId) -> tuple[Link, ...]:
    """The cluster's own words beside the trouble that they explain."""
    if not any(link.step == "trouble" for link in links):
        return tuple(links)
    before = [link for link in links if link.step in AFTER_TROUBLE]
    after = [link for link in links if link.step not in AFTER_TROUBLE]
    return (*before, *_events(listen, workload), *after)


def _events(listen: ListenSettings, workload: WorkloadId) -> Iterator[Link]:
    """A cluster that does not answer says so itself."""
    try:
        told: list[dict[str, Any]] = ask(listen, f"/api/v1/workloads/{workload}/events")["events"]
    except CliError as why:
        yield Link("cluster", "", str(why).removeprefix("error: "))
        return
    for each in [e for e in told if e["warning"]][:EVENTS_SHOWN]:
        times = f", {each['count']} times" if each["count"] > 1 else ""
        yield Link("cluster", each["reason"], f"{each['about']}: {each['message']}{times}")


def _unix(moment: str | None) -> int:
    return parsed_unix_seconds(moment or "")
