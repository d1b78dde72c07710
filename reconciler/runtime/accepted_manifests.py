"""The accepted manifests of the tenants branch: read beside the loop, verified against their own hashes."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.git.manifest_branch import BranchState, ManifestBranch
from reconciler.git.mirror import MirrorError
from reconciler.manifests.errors import ManifestError
from reconciler.manifests.manifest import CredentialsEntry, DeploymentManifest, ManifestGroup
from reconciler.manifests.manifest_checks import check_manifest
from reconciler.manifests.secrets import with_secrets, without_secrets
from reconciler.manifests.specification import specification_of
from reconciler.manifests.stored_manifest import (
    ManifestFile,
    ManifestFileError,
    manifest_path,
    read_manifest_file,
    write_manifest_file,
)
from reconciler.ports import Wake
from reconciler.runtime.delivery_window import DeliveryWindow
from reconciler.runtime.sealed_workloads import plain_workload
from reconciler.runtime.sealing import Identities, SealingError, seal
from reconciler.values.desired import IN_MANIFEST, Env, Service, Workload
from reconciler.values.ids import LeaseId, workload_id
from reconciler.values.manifests import AcceptedManifest, TenantManifests
from reconciler.values.observed import Market
from reconciler.values.outcomes import Failed, Outcome
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.same import keep_same
from reconciler.values.text import one_line

log = logging.getLogger(__name__)

BEING_READ = "the accepted manifests are being read"
ACCEPTED_AT_MAX = 253_402_300_799
"""Unix seconds: the last moment with a year of four digits."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A file by its blob: what a plan needs of it, or the reason why it cannot be used."""

    blob: str
    accepted: AcceptedManifest
    is_sealed: bool = False
    """Whether it may be readable with another identity."""


class AcceptedManifests:
    """Reads the branch when it changed, each blob once; `in_background` in a thread, which wakes the loop."""

    def __init__(
        self, branch: ManifestBranch, identities: Identities, wake: Wake, *, in_background: bool
    ) -> None:
        self._branch, self._identities = branch, identities
        self._wake, self._in_background = wake, in_background
        self._lock = threading.Lock()
        self._read: Mapping[str, _Read] = {}
        self._commits: dict[str, str] = {}
        self._state: BranchState | None = None
        self._fault = ""
        self._reading: Reading[TenantManifests] = Unseen(BEING_READ)
        self._unreadable = ""
        self._window: DeliveryWindow | None = None
        self._shown: tuple[object, ...] = ()
        self._current: Reading[TenantManifests] = self._reading

    def take_more(self) -> None:
        """This host takes manifests."""
        self._window = DeliveryWindow()

    def note_failure(self, owner: str) -> None:
        """A submission of this owner failed here; callable from any thread."""
        if self._window:
            self._window.note_failure(owner)

    def current(self, market: Market | None) -> Reading[TenantManifests]:
        """The manifests as last read; a read is started if the branch changed. Callable by one thread."""
        if self._window:
            self._window.note_view(market)
        if self._is_stale() and self._lock.acquire(blocking=False):
            if self._in_background:
                threading.Thread(target=self._refresh, daemon=True).start()
            else:
                self._refresh()
        is_current = not self._is_stale()  # before the reading, which a refresh replaces first
        reading, window = self._reading, self._window
        if isinstance(reading, Unseen):
            return reading
        since, failed_at = (window.since, window.failed_at) if window else (0, {})
        shown = (reading, since, failed_at, is_current, self._unreadable)
        if not self._shown or shown[0] is not self._shown[0] or shown[1:] != self._shown[1:]:
            self._shown = shown
            self._current = Seen(
                replace(
                    reading.view,
                    takes_more=window is not None,
                    since=since,
                    failed_at=failed_at,
                    is_current=is_current,
                    unreadable=self._unreadable,
                )
            )
        return self._current

    def synchronise(self) -> Outcome:
        """Push what is not pushed; see `ManifestBranch.synchronise`."""
        return self._branch.synchronise()

    def note_commits(self, commits: Mapping[str, str]) -> None:
        """The commits by lease that were just made, which need not be looked up."""
        self._commits.update(commits)

    def unsealed(self, workload: Workload) -> Workload | Outcome:
        """The workload with plain values, for its adapter alone; Failed if it cannot be unsealed now."""
        if not workload.has_sealed_values:
            return workload
        try:
            if not workload.manifest_hash:
                return plain_workload(workload, self._identities)
            file = self._file_of(workload.lease)
            if file is None or file.manifest_hash != workload.manifest_hash:
                return Failed("SealedValue", "its manifest changed meanwhile; the next one is applied")
            if _redacted(_services(_group(file.rest, file.group))) != workload.services:
                return Failed("SealedValue", "its group in the manifest changed; the next plan uses it")
            return replace(workload, services=_services(_group(self._whole(file), file.group)))
        except (SealingError, ManifestError, ManifestFileError, MirrorError) as error:
            return Failed("SealedValue", str(error), "provider-daemon doctor")

    def accepted(self, lease: LeaseId) -> DeploymentManifest | None:
        """The whole manifest of a lease with its secrets, None if there is none. Raises SealingError,
        ManifestError, ManifestFileError or MirrorError.
        """
        file = self._file_of(lease)
        return self._whole(file) if file else None

    def _is_stale(self) -> bool:
        return (
            self._state is None
            or self._branch.state is not self._state
            or self._fault != (self._identities.fault())
        )

    def _refresh(self) -> None:
        """Read what changed; the caller holds the lock. The former reading stays after a failure."""
        before, unreadable = self._unreadable, ""
        try:
            self._read_branch()
        except MirrorError as error:
            unreadable = f"the accepted manifests cannot be read: {error}"
            if isinstance(self._reading, Unseen):
                self._reading = Unseen(unreadable)
        finally:
            self._unreadable = unreadable
            self._lock.release()
        if unreadable != before:
            log.warning("%s", unreadable or "the accepted manifests are read again")
        if unreadable != before or not unreadable:  # no loop of failures that wake
            self._wake()

    def _read_branch(self) -> None:
        """Read what changed; what cannot be read stays as it was, and is read again the next time."""
        if self._state is None:
            self._branch.open()
            self._commits.update(self._branch.last_commits("Lease"))
        state, fault = self._branch.state, self._identities.fault()
        again = fault != self._fault
        kept = {
            path: read
            for path, read in self._read.items()
            if state.files.get(path) == read.blob and not (again and read.is_sealed)
        }
        changed = {path: blob for path, blob in state.files.items() if path not in kept}
        contents = self._branch.read([*changed.values()])
        missing = [path for path, blob in changed.items() if blob not in contents]
        kept |= {path: self._read[path] for path in missing if path in self._read}
        for path, blob in changed.items():
            if blob in contents and (read := self._file(path, blob, contents[blob])):
                kept[path] = read
        before = self._reading.view.by_workload if isinstance(self._reading, Seen) else {}
        accepted = {workload_id(read.accepted.lease): read.accepted for read in kept.values()}
        self._reading = Unseen(BEING_READ)
        if state.is_known:
            self._reading = Seen(
                TenantManifests(
                    keep_same(before, dict(sorted(accepted.items()))),
                    identity_fault=fault,
                    rewritten=state.rewritten,
                    unpushed_since=state.unpushed_since,
                    unpushed=state.unpushed,
                )
            )
        self._read = kept
        if missing:
            raise MirrorError(f"{missing[0]} and {len(missing) - 1} others are missing in the mirror")
        self._state, self._fault = state, fault

    def _file(self, path: str, blob: str, content: bytes) -> _Read | None:
        """What a plan needs of a file; None for one of another kind. One bad file stops no other."""
        try:
            file = read_manifest_file(path, content)
        except Exception:  # the recursion of a hostile file too
            return None  # nobody but this program writes the branch; a lease without a file is held
        accepted = AcceptedManifest(
            lease=file.lease,
            group=file.group,
            manifest_hash=file.manifest_hash,
            accepted_at=min(max(file.accepted_at, 0), ACCEPTED_AT_MAX),
            method=file.method,
            commit=self._commits.get(str(file.lease), ""),
        )
        try:
            check_manifest(self._whole(file))
            services = _redacted(_services(_group(file.rest, file.group)))
        except SealingError as error:
            return _Read(blob, replace(accepted, fault=str(error)), is_sealed=True)
        except ManifestError as error:
            return _Read(blob, replace(accepted, fault=one_line(str(error))))
        except Exception as error:  # a file that somebody else wrote
            why = f"the manifest in git was changed, and is not usable ({type(error).__name__})"
            return _Read(blob, replace(accepted, fault=why))
        return _Read(blob, replace(accepted, services=services))

    def _whole(self, file: ManifestFile) -> DeploymentManifest:
        return _unsealed(file, self._identities)

    def _file_of(self, lease: LeaseId) -> ManifestFile | None:
        path = manifest_path(workload_id(lease))
        blob = self._branch.state.files.get(path)
        content = self._branch.read([blob]).get(blob) if blob else None
        return read_manifest_file(path, content) if content is not None else None


def sealed_file(file: ManifestFile, whole: DeploymentManifest, recipient: str) -> ManifestFile:
    """The file with the secrets of the manifest sealed to a recipient; SealingError if it is invalid."""
    rest, secrets = without_secrets(whole)
    sealed = seal(json.dumps(secrets).encode(), recipient)
    return replace(file, rest=rest, sealed=sealed)


def resealed(path: str, content: bytes, identities: Identities, recipient: str) -> bytes:
    """A file of the branch, sealed to another recipient. Raises SealingError, ManifestError or
    ManifestFileError.
    """
    file = read_manifest_file(path, content)
    return write_manifest_file(sealed_file(file, _unsealed(file, identities), recipient))


def is_newer(identities: Identities, path: str, ours: bytes | None, theirs: bytes) -> bool:
    """Whether another machine of this provider accepted the file at least as late: a whole manifest that is
    sealed for this provider. MirrorError while nothing can be unsealed.
    """
    if fault := identities.fault():
        raise MirrorError(f"manifests of another machine cannot be verified: {fault}")
    try:
        other = read_manifest_file(path, theirs)
        check_manifest(_unsealed(other, identities))
        own = read_manifest_file(path, ours) if ours is not None else None
    except Exception:  # whatever else was written there
        return False
    at = other.accepted_at
    return 0 <= at <= ACCEPTED_AT_MAX and (own is None or own.accepted_at <= at)


def _unsealed(file: ManifestFile, identities: Identities) -> DeploymentManifest:
    """The manifest with its secrets, whose hash is the file's."""
    try:
        secrets = json.loads(identities.unseal(file.sealed))
    except (ValueError, RecursionError):
        raise ManifestError("the sealed part of the manifest is no list") from None
    if not isinstance(secrets, list) or not all(isinstance(each, str) for each in secrets):
        raise ManifestError("the sealed part of the manifest is no list of texts")
    whole = with_secrets(file.rest, secrets)
    if whole.hash() != file.manifest_hash:
        raise ManifestError(
            f"the manifest in git was changed: its hash is {whole.hash()[:12]}, not {file.manifest_hash[:12]}"
        )
    return whole


def _group(manifest: DeploymentManifest, name: str) -> ManifestGroup:
    found = next((group for group in manifest.groups or () if group.name == name), None)
    if found is None:
        raise ManifestError(f"the manifest has no group {name}")
    return found


def _services(group: ManifestGroup) -> tuple[Service, ...]:
    """The services of a group; their secrets are marked as sealed with the manifest."""
    found = zip(specification_of(group).services, (s for s in group.services or () if s.count), strict=True)
    return tuple(_marked(service, given.credentials) for service, given in found)


def _marked(service: Service, given: CredentialsEntry | None) -> Service:
    credentials = service.credentials and replace(
        service.credentials, secret="", sealed=IN_MANIFEST, password=given.password if given else ""
    )
    env = tuple(replace(each, sealed=IN_MANIFEST) for each in service.env)
    return replace(service, env=env, credentials=credentials)


def _redacted(services: tuple[Service, ...]) -> tuple[Service, ...]:
    """Without values, of which the rest of a manifest has none."""
    return tuple(
        replace(service, env=tuple(Env(each.name, sealed=IN_MANIFEST) for each in service.env))
        for service in services
    )
