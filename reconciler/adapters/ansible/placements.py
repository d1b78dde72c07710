"""Which host each workload is on, kept where it survives the daemon: a silent host does not lose its own."""

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
    """The host of a workload; of what lease and digest it is."""

    host: str
    lease: str
    digest: str = ""
    count: int = 0


class Placements:
    """A small file, written whole. Thread-safe; OSError where it cannot be written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._held: Mapping[WorkloadId, Placement] = {}
        self.is_new = True
        """Nothing was ever kept: what runs on a host that was not seen yet cannot be known."""
        try:
            read = decode_json(path.read_bytes(), dict[str, Placement])
            self._held = {WorkloadId(name): place for name, place in read.items()}
            self.is_new = False
        except (OSError, msgspec.MsgspecError):
            return

    def all(self) -> Mapping[WorkloadId, Placement]:
        """A snapshot that never changes."""
        return self._held

    def put(self, workload: WorkloadId, place: Placement) -> None:
        """Keep it, durably, before anything is made there."""
        with self._lock:
            if self._held.get(workload) != place:
                self._write({**self._held, workload: place})

    def forget(self, workload: WorkloadId) -> None:
        """It is nowhere now."""
        with self._lock:
            if workload in self._held:
                self._write({name: place for name, place in self._held.items() if name != workload})

    def settle(self) -> None:
        """Every host was seen once: from now on what is not kept is nowhere."""
        with self._lock:
            if self.is_new and not self._path.exists():  # another process may have been quicker
                self._write(self._held)
            self.is_new = False

    def _write(self, held: Mapping[WorkloadId, Placement]) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(dir=self._path.parent, prefix=".places-")
        try:
            with os.fdopen(number, "w") as file:
                json.dump({name: msgspec.to_builtins(place) for name, place in held.items()}, file)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        self._held, self.is_new = held, False
