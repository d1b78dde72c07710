"""The specifications applied on this host, as small files that only we write. Runs on the host."""

from __future__ import annotations

import fcntl
import json
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .provider_engine import EngineError

WORKLOAD_FORM = re.compile(r"[0-9]+-[0-9]+-[0-9]+-[a-z2-7]{10}")
CONTAINER_FORM = re.compile(r"[a-z0-9][-a-z0-9]{0,127}")
LOCK_SECONDS = 30
BACKOFF_FIRST_SECONDS, BACKOFF_MAX_SECONDS = 10, 300
STEADY_SECONDS = 600
"""A container that ran this long resets the count of its restarts."""

Record = dict[str, Any]
"""`spec`, `created` (container ids by name), `failure` and `restarts` (with `count` and unix time `at`)."""


class Records:
    """A directory with one file for each workload, readable only by its owner."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)

    def require_within(self, allowed: Iterable[str]) -> None:
        """EngineError if links lead the directory out of all allowed ones; no check if none is given."""
        real = os.path.realpath(self._directory)
        roots = [os.path.realpath(each) for each in allowed]
        if roots and not any(os.path.commonpath([real, root]) == root for root in roots):
            raise EngineError("storage", f"{self._directory} leads to {real}, out of {', '.join(roots)}")

    def read_all(self) -> dict[str, Record]:
        """Every record by workload; an unreadable file counts as missing."""
        found: dict[str, Record] = {}
        for path in sorted(self._directory.glob("*.json")):
            if WORKLOAD_FORM.fullmatch(path.stem) and (record := self.read(path.stem)):
                found[path.stem] = record
        return found

    def read(self, workload: str) -> Record | None:
        """One record, None if it is missing or unreadable."""
        try:
            record: Record = json.loads(self._path(workload, ".json").read_bytes())
            return record if record["spec"]["workload"] == workload else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, workload: str, record: Record) -> None:
        """Atomic and durable."""
        path = self._path(workload, ".json")
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            number, name = tempfile.mkstemp(dir=self._directory, prefix=".new-")
            try:
                with os.fdopen(number, "w") as file:
                    json.dump(record, file)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise EngineError("record", f"{path}: {error.strerror}") from error

    def delete(self, workload: str) -> None:
        """Delete a record; idempotent."""
        self._path(workload, ".json").unlink(missing_ok=True)
        self._path(workload, ".lock").unlink(missing_ok=True)

    @contextmanager
    def locked(self, workload: str) -> Iterator[None]:
        """Exclusive access to a workload; EngineError if another run holds it for more than 30 seconds."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = self._path(workload, ".lock").open("w")
        except OSError as error:
            raise EngineError("record", f"{self._directory}: {error.strerror}") from error
        with file:
            deadline = time.monotonic() + LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError as error:
                    if time.monotonic() > deadline:
                        raise EngineError("busy", f"another run holds the lock of {workload}") from error
                    time.sleep(0.1)
            yield

    def env_file(self, container: str) -> str:
        """The path of a container's temporary file of secrets."""
        if not CONTAINER_FORM.fullmatch(container):
            raise EngineError("request", f"{container!r} is not a container name")
        return str(self._directory / f".env-{container}")

    def _path(self, workload: str, suffix: str) -> Path:
        if not WORKLOAD_FORM.fullmatch(workload):
            raise EngineError("request", f"{workload!r} is not a workload id")
        return self._directory / f"{workload}{suffix}"


def backoff_seconds(count: int) -> int:
    """The wait after `count` failures in a row; doubles up to a maximum."""
    return 0 if count < 1 else min(BACKOFF_FIRST_SECONDS * 2 ** min(count - 1, 10), BACKOFF_MAX_SECONDS)


def is_due(record: Record, now: float) -> bool:
    """Whether a repair may be tried (unix seconds of this host); a first restart does not wait. A clock that
    was set back ends a wait instead of prolonging it.
    """
    failure, restarts = record.get("failure"), record.get("restarts")
    waits = [(failure["at"], backoff_seconds(failure["count"]))] if failure else []
    waits += [(restarts["at"], backoff_seconds(restarts["count"] - 1))] if restarts else []
    return not any(at <= now < at + seconds for at, seconds in waits)


def counted(before: dict[str, Any] | None, now: float, reset_seconds: float) -> dict[str, Any]:
    """One more occurrence since `before`, or the first if that was longer ago than `reset_seconds`."""
    repeated = before is not None and now - before["at"] < reset_seconds
    return {"count": before["count"] + 1 if before and repeated else 1, "at": now}
