"""The workload file of a lease from an SDL file."""

from __future__ import annotations

from reconciler.documents.files import read_file
from reconciler.documents.workload_model import WorkloadFile
from reconciler.documents.workload_text import workload_text
from reconciler.manifests.errors import ManifestError
from reconciler.manifests.sdl_groups import read_deployment
from reconciler.manifests.specification import specification_of
from reconciler.values.desired import Workload
from reconciler.values.ids import LeaseId, workload_id


def workload_file_of(sdl: bytes, lease: LeaseId, adapter: str = "") -> tuple[bytes, tuple[str, ...]]:
    """The file's text, and notes on what has no effect; ManifestError if the SDL file is refused, has no
    such group, or says what no workload file can.
    """
    deployment = read_deployment(sdl)
    groups = deployment.manifest.groups or ()
    if not 0 < lease.order.gseq <= len(groups):
        names = ", ".join(group.name for group in groups)
        raise ManifestError(f"the lease's group is number {lease.order.gseq}; the file has: {names}")
    specification = specification_of(groups[lease.order.gseq - 1], deployment.dependencies)
    workload = Workload(workload_id(lease), lease, specification.services, adapter)
    text = workload_text(workload)
    found = read_file(f"workloads/{workload.id}.yaml", text, WorkloadFile, lease.provider)
    if errors := [fault for fault in found.faults if not fault.warning]:
        raise ManifestError("; ".join(f"{fault.message} ({fault.advice})" for fault in errors[:3]))
    return text, specification.notes
