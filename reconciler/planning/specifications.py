"""Specifications of workloads: the operator's file says what a lease runs, else the tenant's manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from reconciler.planning.lease_index import NO_LEASES, leases_by_workload, served_leases
from reconciler.planning.planning_input import PlanningBasis
from reconciler.values.desired import Workload
from reconciler.values.ids import WorkloadId
from reconciler.values.manifests import AcceptedManifest
from reconciler.values.plans import Hold, Reason
from reconciler.values.readings import Seen, Unseen
from reconciler.values.result_cache import KeyedInput, KeyedInputs
from reconciler.values.same import has_same
from reconciler.values.subjects import REPOSITORY, Subject

Basis = TypeVar("Basis", bound=PlanningBasis)

NO_ACCEPTED: Mapping[WorkloadId, AcceptedManifest] = {}


def with_specifications(basis: Basis) -> Basis:
    """With the services of accepted manifests, for files without services and leases without a file.

    A manifest is used while its hash is that of the deployment on the chain, or was when it was last seen: a
    deployment that was updated runs on as before until its new manifest is here.
    """
    accepted = accepted_manifests(basis)
    if not accepted:
        return basis
    results, files = basis.decisions, basis.desired.workloads
    usable = _usable(basis, accepted)
    names = results.reuse("specified", (files, usable), lambda: dict.fromkeys((*files, *usable)))

    def specified(name: WorkloadId) -> Workload | None:
        file, manifest = files.get(name), usable.get(name)
        if manifest is None or (file is not None and file.services):
            return file
        bare = file or Workload(name, manifest.lease, ())
        return replace(bare, services=manifest.services, manifest_hash=manifest.manifest_hash)

    inputs = KeyedInputs(names, (KeyedInput(files), KeyedInput(usable)))
    workloads = results.reuse_each("specifications", inputs, specified)
    if has_same(files, workloads):
        return basis
    desired = results.reuse(
        "specified desired", (basis.desired, workloads), lambda: replace(basis.desired, workloads=workloads)
    )
    return replace(basis, desired=desired)


def accepted_manifests(basis: PlanningBasis) -> Mapping[WorkloadId, AcceptedManifest]:
    """The accepted manifests by workload; none while they are unseen."""
    return basis.manifests.view.by_workload if isinstance(basis.manifests, Seen) else NO_ACCEPTED


def _usable(
    basis: PlanningBasis, accepted: Mapping[WorkloadId, AcceptedManifest]
) -> Mapping[WorkloadId, AcceptedManifest]:
    """The manifests that are used, of leases that are served."""
    served, known = served_leases(basis), basis.memory.workloads
    hashes = basis.decisions.reuse_values("verified hashes", known, lambda each: each.manifest_hash or None)
    is_seen = basis.market is not None

    def usable(name: WorkloadId) -> AcceptedManifest | None:
        manifest, lease = accepted[name], served.get(name)
        if manifest.fault or (is_seen and lease is None):
            return None
        if lease is not None and lease.group != manifest.group:
            return None
        on_chain = lease.manifest_hash if lease else ""
        return manifest if manifest.manifest_hash in (on_chain, hashes.get(name)) else None

    by_key = (KeyedInput(accepted), KeyedInput(served if is_seen else NO_LEASES), KeyedInput(hashes))
    return basis.decisions.reuse_each("usable manifests", KeyedInputs(accepted, by_key, (is_seen,)), usable)


def manifest_branch_holds(basis: PlanningBasis) -> tuple[Hold, ...]:
    """The notices that the branch of manifests in the repository was rewritten, which is neither read nor
    written then, and that accepted manifests cannot be read.
    """
    if isinstance(basis.manifests, Unseen):
        return ()
    view = basis.manifests.view
    found = ((Reason.REWRITTEN_HISTORY, view.rewritten), (Reason.REPOSITORY_UNSEEN, view.unreadable))
    return tuple(Hold(REPOSITORY, reason, why, ours=True) for reason, why in found if why)


def missing_specification(basis: PlanningBasis, subject: WorkloadId) -> Hold:
    """Why nothing says what a lease runs."""
    reason, why = _missing(basis, subject)
    is_published = isinstance(basis.manifests, Seen)  # each start begins with a read of them all
    return Hold(Subject.of_workload(subject), reason, why, ours=is_published)


def _missing(basis: PlanningBasis, subject: WorkloadId) -> tuple[Reason, str]:
    desired, path = basis.desired, f"workloads/{subject}.yaml"
    if not desired.commit:
        why = "no revision of the repository is known; running workloads continue"
        return Reason.REPOSITORY_UNSEEN, why
    if faults := [fault for fault in desired.faults if fault.path == path and not fault.warning]:
        return Reason.FILE_FAULTY, faults[0].describe()
    if isinstance(basis.manifests, Unseen):
        return Reason.REPOSITORY_UNSEEN, f"{basis.manifests.why}; running workloads continue"
    manifests = basis.manifests.view
    if manifest := manifests.by_workload.get(subject):
        if manifest.fault and manifests.identity_fault:
            return Reason.IDENTITY_MISSING, manifests.identity_fault
        return Reason.MANIFEST_UNUSABLE, manifest.fault or _difference(basis, subject, manifest)
    if manifests.takes_more:
        return (
            Reason.NO_MANIFEST,
            f"its tenant has sent no manifest yet; to run it without one, commit {path}",
        )
    return Reason.NO_WORKLOAD_FILE, f"its lease is active; commit {path} to run it"


def awaited_manifest(basis: PlanningBasis, workload: Workload) -> Hold | None:
    """The notice that a deployment was updated and its new manifest is not here: the former one runs on."""
    lease = leases_by_workload(basis).get(workload.id)
    if not workload.manifest_hash or lease is None or lease.manifest_hash == workload.manifest_hash:
        return None
    why = (
        f"its deployment was updated to manifest {lease.manifest_hash[:12]}, which its tenant has not sent "
        f"yet; {workload.manifest_hash[:12]} runs on"
    )
    return Hold(Subject.of_workload(workload.id), Reason.NO_MANIFEST, why, ours=True)


def _difference(basis: PlanningBasis, subject: WorkloadId, manifest: AcceptedManifest) -> str:
    lease = leases_by_workload(basis).get(subject)
    wanted = lease.manifest_hash[:12] if lease else "unknown, as the chain is unseen"
    return (
        f"the manifest in git has hash {manifest.manifest_hash[:12]}, its deployment's on the chain is "
        f"{wanted}; what runs continues until the tenant sends the manifest of that hash"
    )


def sealed_hold(basis: PlanningBasis, workload: Workload) -> Hold | None:
    """Why a workload's sealed values cannot be used on this host."""
    fault = basis.manifests.view.identity_fault if isinstance(basis.manifests, Seen) else ""
    if not fault or workload.paused or not workload.has_sealed_values:
        return None
    return Hold(Subject.of_workload(workload.id), Reason.IDENTITY_MISSING, fault, ours=True)


def manifest_conditions(basis: PlanningBasis) -> tuple[str, ...]:
    """What holds on workloads depend on besides their own manifests."""
    if isinstance(basis.manifests, Unseen):
        return (basis.manifests.why, "", "")
    view = basis.manifests.view
    return ("", view.identity_fault, "accepts" if view.takes_more else "")
