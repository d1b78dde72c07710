"""Status to files: one a workload and bid, a summary, and a README that a person reads on the forge."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from reconciler.documents.document import Node
from reconciler.documents.yaml_writer import write_yaml
from reconciler.values.ids import LeaseId, WorkloadId, workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.markdown import cell, code, table
from reconciler.values.money import DENOM, show_rate
from reconciler.values.status import BidStatus, Notice, Status, WorkloadStatus

ROWS_MAX = 200
"""Rows of a table in the README; what is wrong comes first, the rest is found in its files."""
CACHED = 1 << 15
"""Objects whose bytes are kept: a cycle renders what changed."""
API_VERSION = "provider.virtengine.dev/v1alpha1"
"""Of the published files, which change apart from the desired ones."""
SUMMARY = "summary.yaml"
README = "README.md"


def status_files(status: Status) -> Mapping[str, bytes]:
    """Path -> bytes, all that the status branch holds; the same status gives the same bytes."""
    files = {README: _readme(status).encode(), SUMMARY: write_yaml(_summary(status))}
    for workload in status.workloads:
        files[status_path("workloads", workload.id)] = _workload_file(workload)
    for bid in status.bids:
        files[status_path("bids", workload_id(bid.id))] = _bid_file(bid)
    return dict(sorted(files.items()))


def status_path(folder: str, id: WorkloadId) -> str:  # noqa: A002  # the values call it id too
    """`workloads/3f/<id>.yaml`: 256 folders, so that a commit of one object stays small."""
    return f"{folder}/{hashlib.sha256(id.encode()).hexdigest()[:2]}/{id}.yaml"


def _head(kind: str) -> dict[str, Node]:
    return {"apiVersion": API_VERSION, "kind": kind}


def _summary(status: Status) -> dict[str, Node]:
    phases = Counter(workload.phase for workload in status.workloads)
    document: dict[str, Node] = _head("ProviderStatus") | {
        "provider": status.provider,
        "address": status.address,
        "chain_id": status.chain_id,
        "applied_revision": status.revision,
        "workloads": {phase.value.lower(): phases[phase] for phase in Phase if phases[phase]},
        "bids_open": len(status.bids),
    }
    document |= _notices(status.notices)
    if status.faults:
        document["faults"] = [*sorted(status.faults)]
    return document


@lru_cache(maxsize=CACHED)
def _workload_file(workload: WorkloadStatus) -> bytes:
    document: dict[str, Node] = _head("WorkloadStatus") | {
        "id": workload.id,
        "lease": _lease(workload.lease),
        "adapter": workload.adapter,
        "phase": workload.phase.value,
        "lease_state": workload.lease_state.value,
        "price": show_rate(workload.price),
        "billing": workload.billing,
        "withdrawn": f"{workload.withdrawn}{DENOM}",
        "funding": workload.funding.value,
    }
    if workload.billing == "usage":
        document["usage_settled"] = f"{workload.settled}{DENOM}"
    if workload.trouble is not None:
        trouble: dict[str, Node] = {"reason": workload.trouble.reason, "message": workload.trouble.message}
        document["trouble"] = trouble | (
            {"advice": workload.trouble.advice} if workload.trouble.advice else {}
        )
    return write_yaml(document | _notices(workload.notices))


@lru_cache(maxsize=CACHED)
def _bid_file(bid: BidStatus) -> bytes:
    return write_yaml(
        _head("BidStatus")
        | {
            "bid": _lease(bid.id),
            "state": bid.state.value,
            "price": show_rate(bid.price),
            "deposit": f"{bid.deposit}{DENOM}",
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


def _notices(notices: Iterable[Notice]) -> dict[str, Node]:
    listed: list[Node] = [
        {"subject": notice.subject, "reason": notice.reason, "message": notice.message}
        for notice in sorted(notices)
    ]
    return {"holds": listed} if listed else {}


def _readme(status: Status) -> str:
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
    if status.notices:
        parts += ["## Held back", _notice_list(status.notices)]
    if status.faults:
        parts += [
            "## Faults in the repository",
            "\n".join(f"- {code(fault)}" for fault in sorted(status.faults)),
        ]
    return "\n\n".join(parts) + "\n"


def _workload_table(workloads: Sequence[WorkloadStatus]) -> str:
    head = ("workload", "phase", "lease", "price a block", "billed by", "what is wrong")
    first = sorted(workloads, key=lambda w: (w.trouble is None and not w.notices, w.id))[:ROWS_MAX]
    return table(head, [_workload_row(workload) for workload in first]) + _more(len(workloads))


@lru_cache(maxsize=CACHED)
def _workload_row(workload: WorkloadStatus) -> tuple[str, ...]:
    trouble = [workload.trouble.message] if workload.trouble else []
    return (
        f"[{cell(workload.id)}]({status_path('workloads', workload.id)})",
        workload.phase.value,
        workload.lease_state.value,
        show_rate(workload.price),
        workload.billing,
        cell("; ".join([*trouble, *(notice.message for notice in workload.notices)])),
    )


def _bid_table(bids: Sequence[BidStatus]) -> str:
    rows = [
        (code(str(bid.id.order)), bid.state.value, show_rate(bid.price), f"{bid.deposit}{DENOM}")
        for bid in sorted(bids, key=lambda bid: bid.id)[:ROWS_MAX]
    ]
    return table(("order", "state", "price a block", "deposit"), rows) + _more(len(bids))


def _more(count: int) -> str:
    return f"\n\nAnd {count - ROWS_MAX} more, each in its own file." if count > ROWS_MAX else ""


def _notice_list(notices: Iterable[Notice]) -> str:
    return "\n".join(
        f"- {code(notice.subject)} {cell(notice.reason)}: {cell(notice.message)}"
        for notice in sorted(notices)
    )
