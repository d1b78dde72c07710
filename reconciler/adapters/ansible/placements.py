"""Which host each workload is on, on disk: an unreachable host keeps its workloads across restarts."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

import msgspec

from reconciler.documents.typed_json import decode_json
from reconciler.values.ids import WorkloadId


class Placement(msgspec.Struct, frozen=True):
    """The host of a workload, with the lease, digest and container count last applied there."""

    host: str
    lease: str
    digest: str = ""
    count: int = 0


class Placements:
    """A small file, replaced atomically. Thread-safe; OSError if it cannot be written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._held: Mapping[WorkloadId, Placement] = {}
        self.is_new = True
        """The file is missing or unreadable: a host not observed yet may hold workloads unknown to it."""
        try:
            read = decode_json(path.read_bytes(), dict[str, Placement])
            self._held = {WorkloadId(name): placement for name, placement in read.items()}
            self.is_new = False
        except (OSError, msgspec.MsgspecError):
            return

    def all(self) -> Mapping[WorkloadId, Placement]:
        """An immutable snapshot."""
        return self._held

    def put(self, workload: WorkloadId, placement: Placement) -> None:
        """Store it durably; call before anything is created on the host."""
        with self._lock:
            if self._held.get(workload) != placement:
                self._write({**self._held, workload: placement})

    def delete(self, workload: WorkloadId) -> None:
        """The workload is on no host any more."""
        with self._lock:
            if workload in self._held:
                self._write({name: each for name, each in self._held.items() if name != workload})

    def settle(self) -> None:
        """Every host was observed: from now on, a workload without a placement is nowhere."""
        with self._lock:
            if self.is_new and not self._path.exists():  # another process may have written it
                self._write(self._held)
            self.is_new = False

    def _write(self, held: Mapping[WorkloadId, Placement]) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(dir=self._path.parent, prefix=".places-")
        try:
            with os.fdopen(number, "w") as file:
                json.dump({workload: msgspec.to_builtins(each) for workload, each in held.items()}, file)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        self._held, self.is_new = held, False
