"""`doctor`, checks of the state repository."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from pathlib import Path
from tempfile import TemporaryDirectory

from reconciler.cli.doctor.checks import CheckResult, ok, warn, wrong
from reconciler.cycle.revision_fetcher import RevisionReader
from reconciler.git.remote import BadRemoteError
from reconciler.git.repository import GitRepository
from reconciler.journal.errors import JournalError
from reconciler.journal.opening import open_records
from reconciler.planning.planner import revision_in_force
from reconciler.planning.planning_input import PlanningInput
from reconciler.settings import Settings
from reconciler.values.desired import Desired
from reconciler.values.memory import Memory
from reconciler.values.outcomes import Done
from reconciler.values.readings import Seen, Unseen

SHOWN = 5
"""Of faults in a message."""


def check_repository(settings: Settings, address: str | None) -> Generator[CheckResult, None, Desired | None]:
    """Its findings; returns the desired state in force, None if there is none: a commit that is not
    admitted sends the doctor nowhere.
    """
    with TemporaryDirectory(prefix="provider-daemon-") as scratch:
        try:
            repo = GitRepository(settings.repository, Path(scratch))
        except BadRemoteError as error:
            yield wrong("repository", str(error))
            return None
        memory = _memory(settings)
        reading = repo.fetch(memory.applied)
        if isinstance(reading, Unseen):
            yield wrong("repository", reading.why, "see repository: in the host file, and try: git ls-remote")
            return None
        revisions = RevisionReader(repo, address).read(reading.view, memory)
        yield _validity(settings, revisions.newest.desired)
        if edited := repo.uncommitted():
            shown = ", ".join(edited[:SHOWN])
            yield warn("repository", f"uncommitted changes in {shown}", "commit them; they are not applied")
        yield _publishing(settings, repo)
    now = int(time.time())
    limits = settings.limits_now()
    desired = revision_in_force(PlanningInput(now, Seen(revisions), Unseen("not asked"), {}, memory, limits))
    if not desired.commit:
        why = "no revision is in force, so cluster and hosts are checked without its settings"
        yield warn("repository", why, "check why the newest commit is held: provider-daemon plan")
        return None
    return desired


def _memory(settings: Settings) -> Memory:
    """The daemon's memory; empty before its first run."""
    try:
        records = open_records(settings.state)
    except JournalError:
        return Memory()
    try:
        return records.memory()
    finally:
        records.close()


def _validity(settings: Settings, desired: Desired) -> CheckResult:
    where = f"branch {settings.repository.branch} at {desired.commit[:12]}"
    if not desired.faults:
        return ok("repository", f"{where} is valid")
    shown = " | ".join(fault.describe() for fault in desired.faults[:SHOWN])
    more = f" | and {len(desired.faults) - SHOWN} more" if len(desired.faults) > SHOWN else ""
    return wrong("repository", f"{where} has faults: {shown}{more}", "correct and commit them")


def _publishing(settings: Settings, repo: GitRepository) -> CheckResult:
    branch = f"status/{settings.provider}"
    if not settings.repository.publish:
        return ok("publish", "nothing is published, as repository.publish is false")
    outcome = repo.check_push(branch)
    if not isinstance(outcome, Done):
        why = getattr(outcome, "why", "no answer")
        return wrong("publish", str(why), f"allow the daemon's user to push to {branch}")
    if closed := _closed(settings):
        return wrong("publish", f"{closed} is not writable", "give it to the daemon's user")
    return ok("publish", f"{branch} accepts pushes")


def _closed(settings: Settings) -> Path | None:
    """A dry run of a push to a local path does not check permissions, so check them here."""
    if not settings.repository.is_local:
        return None
    top = Path(settings.repository.url)
    bare = top / ".git" if (top / ".git").is_dir() else top
    places = (bare, bare / "objects", bare / "refs", bare / "refs" / "heads")
    return next((p for p in places if p.is_dir() and not os.access(p, os.W_OK | os.X_OK)), None)
