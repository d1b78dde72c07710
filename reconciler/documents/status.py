"""Files of the status branch: one per workload and bid, a summary, and a README for people."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from operator import attrgetter

from reconciler.documents.document import Node
from reconciler.documents.yaml_writer import write_yaml
from reconciler.values.addresses import ServiceAddress
from reconciler.values.ids import LeaseId, WorkloadId, workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.markdown import cell, code, table
from reconciler.values.money import DENOM, show_rate
from reconciler.values.resources import MB
from reconciler.values.result_cache import KeyedInputs, ResultCache
from reconciler.values.views import BidView, HoldView, MeasuredUseView, PublishedStatus, WorkloadView

ROWS_MAX = 200
"""Rows per table of the README, those with problems first; every object has a file."""
CACHED = 1 << 15
"""Rows and bids whose text is cached, so that a cycle renders only changed ones."""
API_VERSION = "provider.virtengine.dev/v1alpha1"
"""Version of the published files, independent of the desired ones."""
SUMMARY = "summary.yaml"
README = "README.md"


def status_files(status: PublishedStatus, results: ResultCache | None = None) -> Mapping[str, bytes]:
    """Path -> bytes of all files; the same status gives the same bytes. `results` are those of an earlier
    status, whose files are reused for the same objects.
    """
    results = results or ResultCache()
    workloads, bids = {each.id: each for each in status.workloads}, {each.id: each for each in status.bids}
    paths = results.reuse_each(
        "workload paths", KeyedInputs(workloads, ()), lambda name: status_path("workloads", name)
    )
    contents = results.reuse_values("workload files", workloads, _workload_file)
    files = dict(zip(paths.values(), contents.values(), strict=True))
    files |= {status_path("bids", workload_id(LeaseId.parse(name))): _bid_file(bids[name]) for name in bids}
    files |= {README: _readme(status).encode(), SUMMARY: write_yaml(_summary(status))}
    files |= results.reuse_values("reports", status.reports, str.encode)
    ordered = results.reuse("paths in order", (paths, status.reports, *bids), lambda: sorted(files))
    return {path: files[path] for path in ordered}


def status_path(folder: str, id: WorkloadId) -> str:  # noqa: A002  # the values call it id too
    """`workloads/3f/<id>.yaml`: 256 folders, so that a commit of one object stays small."""
    return f"{folder}/{hashlib.sha256(id.encode()).hexdigest()[:2]}/{id}.yaml"


def _head(kind: str) -> dict[str, Node]:
    return {"apiVersion": API_VERSION, "kind": kind}


def _summary(status: PublishedStatus) -> dict[str, Node]:
    states = Counter(workload.state for workload in status.workloads)
    document: dict[str, Node] = _head("ProviderStatus") | {
        "provider": status.provider,
        "address": status.address,
        "chain_id": status.chain_id,
        "applied_revision": status.revision,
        "workloads": {state: states[state] for phase in Phase if states[state := phase.value.lower()]},
        "bids_open": len(status.bids),
    }
    if status.prices:
        document["prices"] = dict(status.prices)
    document |= _holds(status.holds)
    if status.faults:
        document["faults"] = [*sorted(status.faults)]
    return document


def _workload_file(workload: WorkloadView) -> bytes:
    document: dict[str, Node] = _head("WorkloadStatus") | {
        "id": workload.id,
        "lease": _lease(LeaseId.parse(workload.lease)),
        "adapter": workload.adapter,
        "phase": workload.state.capitalize(),
        "lease_state": workload.lease_state.value,
        "price": show_rate(workload.price_uve),
        "billing": workload.billing,
        "withdrawn": f"{workload.withdrawn_uve}{DENOM}",
        "funding": workload.funding.value,
    }
    if workload.billing == "usage":
        document["usage_recorded"] = f"{workload.recorded_uve}{DENOM}"
        document["usage_settled"] = f"{workload.settled_uve}{DENOM}"
    if workload.measured_use:
        document["usage_measured"] = [_use(each) for each in workload.measured_use]
    if workload.addresses:
        document["addresses"] = [_address(each) for each in workload.addresses]
    if workload.trouble is not None:
        trouble: dict[str, Node] = {"reason": workload.trouble.reason, "message": workload.trouble.message}
        document["trouble"] = trouble | (
            {"advice": workload.trouble.advice} if workload.trouble.advice else {}
        )
    return write_yaml(document | _holds(workload.holds))


def _use(use: MeasuredUseView) -> dict[str, Node]:
    return {"service": use.service, "cpu": f"{use.cpu_milli}m", "memory": f"{use.memory_bytes // MB}MB"}


def _address(address: ServiceAddress) -> dict[str, Node]:
    return {
        "service": address.service,
        "kind": address.kind.value,
        "host": address.host,
        "port": address.port,
        "external_port": address.external_port,
        "protocol": address.protocol,
    }


@lru_cache(maxsize=CACHED)
def _bid_file(bid: BidView) -> bytes:
    return write_yaml(
        _head("BidStatus")
        | {
            "bid": _lease(LeaseId.parse(bid.id)),
            "state": bid.state.value,
            "price": show_rate(bid.price_uve),
            "deposit": f"{bid.deposit_uve}{DENOM}",
        }
    )


def _lease(lease: LeaseId) -> dict[str, Node]:
    order = lease.order
    return {
        "owner": order.owner,
        "dseq": order.dseq,
        "gseq": order.gseq,
        "oseq": order.oseq,
        "provider": lease.provider,
    }


def _holds(holds: Iterable[HoldView]) -> dict[str, Node]:
    listed: list[Node] = [
        {"subject": hold.subject, "reason": hold.reason.value, "message": hold.message}
        for hold in sorted(holds)
    ]
    return {"holds": listed} if listed else {}


def _readme(status: PublishedStatus) -> str:
    revision = code(status.revision[:12] or "none")
    where = f"Address {code(status.address)} on chain {code(status.chain_id)}; applied revision {revision}."
    parts = [
        f"# Provider {cell(status.provider)}",
        f"{where} Written by provider-daemon: changes made here are overwritten.",
        "## Workloads",
        _workload_table(status.workloads) or "None.",
        "## Open bids",
        _bid_table(status.bids) or "None.",
    ]
    if status.reports:
        links = (f"[{path[8:-3]}]({path})" for path in sorted(status.reports, reverse=True))
        parts += ["## Monthly reports", ", ".join(links)]
    if status.holds:
        parts += ["## Holds", _hold_list(status.holds)]
    if status.faults:
        parts += [
            "## Errors in the repository",
            "\n".join(f"- {code(fault)}" for fault in sorted(status.faults)),
        ]
    return "\n\n".join(parts) + "\n"


def _workload_table(workloads: Sequence[WorkloadView]) -> str:
    head = ("workload", "phase", "lease", "price a block", "billed by", "conditions and holds")
    by_id = sorted(workloads, key=attrgetter("id"))
    first = [w for w in by_id if w.trouble or w.holds][:ROWS_MAX]
    first += islice((w for w in by_id if not w.trouble and not w.holds), ROWS_MAX - len(first))
    return table(head, [_workload_row(workload) for workload in first]) + _more(len(workloads))


@lru_cache(maxsize=CACHED)
def _workload_row(workload: WorkloadView) -> tuple[str, ...]:
    trouble = [workload.trouble.message] if workload.trouble else []
    return (
        f"[{cell(workload.id)}]({status_path('workloads', workload.id)})",
        workload.state.capitalize(),
        workload.lease_state.value,
        show_rate(workload.price_uve),
        workload.billing,
        cell("; ".join([*trouble, *(hold.message for hold in workload.holds)])),
    )


def _bid_table(bids: Sequence[BidView]) -> str:
    rows = [
        (code(bid.order), bid.state.value, show_rate(bid.price_uve), f"{bid.deposit_uve}{DENOM}")
        for bid in sorted(bids, key=lambda bid: LeaseId.parse(bid.id))[:ROWS_MAX]
    ]
    return table(("order", "state", "price a block", "deposit"), rows) + _more(len(bids))


def _more(count: int) -> str:
    return f"\n\nAnd {count - ROWS_MAX} more, each in its own file." if count > ROWS_MAX else ""


def _hold_list(holds: Iterable[HoldView]) -> str:
    return "\n".join(
        f"- {code(hold.subject)} {cell(hold.reason)}: {cell(hold.message)}" for hold in sorted(holds)
    )
