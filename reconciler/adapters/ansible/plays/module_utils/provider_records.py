"""What shall run on this host, as small files that only we write. Runs on the host."""

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
FIRST_SECONDS, LONGEST_SECONDS = 10, 300
STEADY_SECONDS = 600
"""What ran as long as that without an end is no longer counted as ending again and again."""

Record = dict[str, Any]


class Records:
    """A directory of one file for each workload, readable to its owner alone."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)

    def keep_within(self, allowed: Iterable[str]) -> None:
        """EngineError where a link leads out of all of these directories; where none is named, none does."""
        real = os.path.realpath(self._directory)
        roots = [os.path.realpath(each) for each in allowed]
        if roots and not any(os.path.commonpath([real, root]) == root for root in roots):
            raise EngineError("storage", f"{self._directory} leads to {real}, out of {', '.join(roots)}")

    def read_all(self) -> dict[str, Record]:
        """Every record by its workload; a file that cannot be read is as good as none."""
        found: dict[str, Record] = {}
        for path in sorted(self._directory.glob("*.json")):
            if WORKLOAD_FORM.fullmatch(path.stem) and (record := self.read(path.stem)):
                found[path.stem] = record
        return found

    def read(self, workload: str) -> Record | None:
        """One record, None where there is none."""
        try:
            record: Record = json.loads(self._path(workload, ".json").read_bytes())
            return record if record["order"]["workload"] == workload else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, workload: str, record: Record) -> None:
        """All or nothing, and durable."""
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
        except OSError as why:
            raise EngineError("record", f"{path}: {why.strerror}") from why

    def forget(self, workload: str) -> None:
        """Remove a record; done again it does nothing."""
        self._path(workload, ".json").unlink(missing_ok=True)
        self._path(workload, ".lock").unlink(missing_ok=True)

    @contextmanager
    def locked(self, workload: str) -> Iterator[None]:
        """Alone with one workload; EngineError where another run holds it too long."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = self._path(workload, ".lock").open("w")
        except OSError as why:
            raise EngineError("record", f"{self._directory}: {why.strerror}") from why
        with file:
            ends = time.monotonic() + LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError as why:
                    if time.monotonic() > ends:
                        raise EngineError("busy", f"another run is at work on {workload}") from why
                    time.sleep(0.1)
            yield

    def scratch(self, container: str) -> str:
        """A path for a file that lives for a moment."""
        if not CONTAINER_FORM.fullmatch(container):
            raise EngineError("order", f"{container!r} is not a container's name")
        return str(self._directory / f".env-{container}")

    def _path(self, workload: str, ending: str) -> Path:
        if not WORKLOAD_FORM.fullmatch(workload):
            raise EngineError("order", f"{workload!r} is not a workload's id")
        return self._directory / f"{workload}{ending}"


def pause_seconds(count: int) -> int:
    """How long to wait after so many ends in a row; nothing after the first."""
    return 0 if count < 1 else min(FIRST_SECONDS * 2 ** min(count - 1, 10), LONGEST_SECONDS)


def due_at(record: Record) -> float:
    """From when a repair may be tried (unix seconds of this host)."""
    failure, restarts = record.get("failure"), record.get("restarts")
    waits = [failure["at"] + pause_seconds(failure["count"])] if failure else []
    waits += [restarts["at"] + pause_seconds(restarts["count"] - 1)] if restarts else []
    return max(waits, default=0)


def counted(before: dict[str, Any] | None, now: float, reset_after: float) -> dict[str, Any]:
    """One more of something that happened `before`, or the first again after a long while."""
    again = before is not None and now - before["at"] < reset_after
    return {"count": before["count"] + 1 if before and again else 1, "at": now}
