"""Accepts manifests: checked against the chain and the operator's rules, sealed, committed, acknowledged."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Protocol

from reconciler.chain.leased_deployments import LeasedDeployment
from reconciler.chain.node_errors import NodeError
from reconciler.documents.files import FILE_BYTES_MAX
from reconciler.gateway.submission_checks import check_deployment, read_checked
from reconciler.gateway.submissions import (
    RETRY_SECONDS,
    Receipt,
    Submission,
    SubmissionRefusal,
    SubmissionUnreadableError,
)
from reconciler.git.branch_writer import FileCommit
from reconciler.git.mirror import MirrorError
from reconciler.git.remote import Author
from reconciler.manifests.errors import ManifestError
from reconciler.manifests.manifest import DeploymentManifest
from reconciler.manifests.stored_manifest import (
    ManifestFile,
    ManifestFileError,
    manifest_path,
    write_manifest_file,
)
from reconciler.runtime.accepted_manifests import sealed_file
from reconciler.runtime.sealing import SealingError
from reconciler.values.desired import Desired
from reconciler.values.ids import DeploymentId, LeaseId, workload_id
from reconciler.values.text import one_line
from reconciler.values.times import DAY_SECONDS, HOUR_SECONDS

log = logging.getLogger(__name__)

LEASE_WAIT_SECONDS = 10.0
"""How long a submission waits for its lease: the tenant's view of the chain is often ahead of the node's."""

LOOK_SECONDS = 1.0
DEPLOYMENTS_AT_ONCE = 256
"""Submissions of one deployment wait for each other, so that equal ones make one commit."""

OWNER_BYTES_A_DAY = 32 * 1024 * 1024
TEXT_MAX = 500
DOMAIN = "tenant.invalid"
"""Of the authors' addresses: an account has no mailbox."""


class ManifestWriter(Protocol):
    """Where accepted manifests are kept."""

    def commit(self, commits: list[FileCommit]) -> tuple[str, ...]:
        """As `ManifestBranch.commit`."""


class ManifestLookup(Protocol):
    """What was accepted before."""

    def accepted(self, lease: LeaseId) -> DeploymentManifest | None:
        """As `AcceptedManifests.accepted`."""

    def note_commits(self, commits: Mapping[str, str]) -> None:
        """As `AcceptedManifests.note_commits`."""

    def note_failure(self, owner: str) -> None:
        """As `AcceptedManifests.note_failure`."""


LookUp = Callable[[DeploymentId], LeasedDeployment | None]
"""Reads a deployment from the chain. Raises NodeError or ValueError."""


@dataclass(frozen=True, slots=True)
class IntakeSettings:
    """The recipient of sealed values, the desired state in force, the host's clock (unix seconds), and what
    wakes the loop.
    """

    recipient: str
    desired: Callable[[], Desired | None]
    wake: Callable[[], None]
    now: Callable[[], int] = lambda: int(time.time())
    monotonic: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep


@dataclass(slots=True)
class _Waiting:
    """Checked manifests of one submission, and their commits once they are made."""

    commits: tuple[FileCommit, ...]
    made: Future[tuple[str, ...]] = field(default_factory=Future)


class _DailyBudget:
    """The bytes of manifests that each owner may add to the branch, which keeps them all. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[str, tuple[float, int]] = {}

    def take(self, owner: str, size: int, now: float) -> bool:
        """Whether so many bytes more are allowed, of which the first file always is."""
        with self._lock:
            self._taken = {each: (at, x) for each, (at, x) in self._taken.items() if now - at < DAY_SECONDS}
            at, taken = self._taken.get(owner, (now, 0))
            if taken and taken + size > OWNER_BYTES_A_DAY:
                return False
            self._taken[owner] = at, taken + size
            return True


class ManifestIntake:
    """Implements `Submissions`. What was answered with a receipt survives `kill -9`.

    Submissions that arrive while another is committed are committed together.
    """

    def __init__(
        self, look_up: LookUp, branch: ManifestWriter, accepted: ManifestLookup, settings: IntakeSettings
    ) -> None:
        self._look_up, self._branch, self._accepted = look_up, branch, accepted
        self._settings = settings
        self._lock, self._commit_lock = threading.Lock(), threading.Lock()
        self._waiting: list[_Waiting] = []
        self._commits: dict[LeaseId, str] = {}
        self._budget = _DailyBudget()
        self._deployments = tuple(threading.Lock() for _ in range(DEPLOYMENTS_AT_ONCE))

    def submit(self, submission: Submission) -> Receipt | SubmissionRefusal:
        """See `Submissions.submit`. A failure that is not the tenant's is noted, so that its lease is not
        closed for it.
        """
        answer: Receipt | SubmissionRefusal | None = None
        try:
            answer = self._submit(submission)
        finally:
            if answer is None or (isinstance(answer, SubmissionRefusal) and answer.retry_after_seconds):
                self._accepted.note_failure(submission.deployment.owner)
        return answer

    def _submit(self, submission: Submission) -> Receipt | SubmissionRefusal:
        try:
            manifest, owner = read_checked(submission.body), submission.deployment.owner
            deployment = self._deployment(submission.deployment)
            if isinstance(deployment, SubmissionRefusal):
                return deployment
            check_deployment(manifest, owner, deployment, self._settings.desired())
            with self._deployments[hash(submission.deployment) % DEPLOYMENTS_AT_ONCE]:
                return self._keep(submission, deployment, manifest)
        except ManifestError as error:
            return SubmissionRefusal(HTTPStatus.UNPROCESSABLE_ENTITY, one_line(str(error), TEXT_MAX))
        except (NodeError, ValueError) as error:
            log.warning("a manifest for %s was not accepted: %s", submission.deployment, error)
            return _later("the provider's node does not answer now; try again")
        except (MirrorError, SealingError, OSError) as error:
            log.error("a manifest for %s cannot be stored: %s", submission.deployment, error)
            return _later("the provider cannot store manifests now; try again")

    def accepted_group(self, lease: LeaseId) -> str | None:
        """See `Submissions.accepted_group`."""
        try:
            manifest = self._accepted.accepted(lease)
            deployment = self._look_up(lease.deployment) if manifest else None
        except (MirrorError, SealingError, NodeError, ValueError) as error:
            raise SubmissionUnreadableError(str(error)) from error
        if manifest is None or deployment is None:
            return None
        name = dict(deployment.leases).get(lease)
        groups = tuple(group for group in manifest.groups or () if group.name == name)
        return DeploymentManifest(groups).sorted_json() if groups else None

    def _deployment(self, id: DeploymentId) -> LeasedDeployment | SubmissionRefusal:  # noqa: A002  # its word
        began = self._settings.monotonic()
        while True:
            found = self._look_up(id)
            if found is not None and not found.is_active:
                return SubmissionRefusal(HTTPStatus.NOT_FOUND, f"deployment {id.dseq} is closed")
            if found is not None and found.leases:
                return found
            if self._settings.monotonic() - began >= LEASE_WAIT_SECONDS:
                why = f"no lease for deployment {id.dseq} at this provider; create the lease, then send again"
                return SubmissionRefusal(HTTPStatus.NOT_FOUND, why, RETRY_SECONDS)
            self._settings.wait(LOOK_SECONDS)

    def _keep(
        self, submission: Submission, deployment: LeasedDeployment, manifest: DeploymentManifest
    ) -> Receipt | SubmissionRefusal:
        """Commit the manifest for each lease that does not have it."""
        digest = deployment.manifest_hash
        missing = [pair for pair in deployment.leases if not self._has(pair[0], digest)]
        if not missing:
            return Receipt(digest, self._commits.get(deployment.leases[-1][0], ""))
        now = self._settings.now()
        bare = ManifestFile(*missing[0], digest, manifest, "", now, submission.method)
        sealed = sealed_file(bare, manifest, self._settings.recipient)
        commits = tuple(_commit(replace(sealed, lease=lease, group=group)) for lease, group in missing)
        if any(len(content or b"") > FILE_BYTES_MAX for each in commits for content in each.files.values()):
            why = f"the manifest is too large; at most about {FILE_BYTES_MAX // 2048} KB are stored"
            return SubmissionRefusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, why)
        size = sum(len(content or b"") for each in commits for content in each.files.values())
        if not self._budget.take(submission.deployment.owner, size, self._settings.monotonic()):
            why = "this account sent too many large manifests today; try again tomorrow"
            return SubmissionRefusal(HTTPStatus.TOO_MANY_REQUESTS, why, HOUR_SECONDS)
        made = self._commit_with_others(commits)
        by_lease = dict(zip((lease for lease, _ in missing), made, strict=True))
        self._commits |= by_lease
        self._accepted.note_commits({str(lease): commit for lease, commit in by_lease.items()})
        self._settings.wake()
        return Receipt(digest, made[-1])

    def _has(self, lease: LeaseId, digest: str) -> bool:
        """Whether the lease's manifest of this hash is stored and can be unsealed."""
        try:
            before = self._accepted.accepted(lease)
        except (ManifestError, ManifestFileError, SealingError):
            return False
        return before is not None and before.hash() == digest

    def _commit_with_others(self, commits: tuple[FileCommit, ...]) -> tuple[str, ...]:
        """The ids of the commits, once they are on disk; all that wait are made together."""
        own = _Waiting(commits)
        with self._lock:
            self._waiting.append(own)
        with self._commit_lock:
            if not own.made.done():
                with self._lock:
                    batch, self._waiting = self._waiting, []
                self._commit_all(batch)
        return own.made.result()

    def _commit_all(self, batch: Iterable[_Waiting]) -> None:
        waiting = [*batch]
        try:
            made = iter(self._branch.commit([commit for each in waiting for commit in each.commits]))
        except Exception as error:  # each of the submissions has failed
            for each in waiting:
                each.made.set_exception(error)
            return
        for each in waiting:
            each.made.set_result(tuple(next(made) for _ in each.commits))


def _commit(file: ManifestFile) -> FileCommit:
    owner, subject = file.lease.order.owner, workload_id(file.lease)
    return FileCommit(
        files={manifest_path(subject): write_manifest_file(file)},
        message=f"Accept the manifest of {subject}",
        author=Author(owner, f"{owner}@{DOMAIN}"),
        at=file.accepted_at,
        trailers=(
            ("Lease", str(file.lease)),
            ("Manifest-Hash", file.manifest_hash),
            ("Submitted-By", owner),
            ("Method", file.method),
        ),
    )


def _later(text: str) -> SubmissionRefusal:
    return SubmissionRefusal(HTTPStatus.SERVICE_UNAVAILABLE, text, RETRY_SECONDS)
