"""The simulated cluster's objects, their common resource version, and a window of past changes."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from reconciler.devnet.cluster.kinds import BY_NAME, Object
from reconciler.devnet.cluster.refusals import expired


@dataclass(frozen=True, slots=True, order=True)
class ObjectKey:
    """The key of an object; a cluster-wide one has no namespace."""

    plural: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One write: the object before it and after it (None: removed)."""

    version: int
    key: ObjectKey
    after: Object | None
    before: Object | None

    @property
    def latest(self) -> Object:
        """The object as in a watch event."""
        shown = self.after if self.after is not None else self.before
        assert shown is not None
        return shown


def key_of(found: Object) -> ObjectKey:
    """The key of an object."""
    meta = found["metadata"]
    return ObjectKey(BY_NAME[found["kind"]].plural, meta.get("namespace", ""), meta["name"])


class ObjectStore:
    """Objects are values: a write replaces one, none is changed in place."""

    def __init__(self, window: int = 20_000) -> None:
        self.lock = threading.RLock()
        self.version = 0
        self.oldest = 0
        self._objects: dict[str, dict[ObjectKey, Object]] = {}
        self._owned: dict[str, set[ObjectKey]] = {}
        self._history: deque[ObjectChange] = deque(maxlen=window)
        self._listeners: list[Callable[[], None]] = []

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call the listener after every write, on the writer's thread."""
        self._listeners.append(listener)

    def unsubscribe(self, listener: Callable[[], None]) -> None:
        """Stop calling the listener."""
        self._listeners.remove(listener)

    def get(self, key: ObjectKey) -> Object | None:
        """The object, or None."""
        return self._objects.get(key.plural, {}).get(key)

    def all(self, plural: str, namespace: str = "") -> list[Object]:
        """The objects of a kind, in one namespace or in all, by key."""
        with self.lock:
            found = self._objects.get(plural, {})
            return [found[key] for key in sorted(found) if not namespace or key.namespace == namespace]

    def owned_by(self, uid: str) -> list[Object]:
        """The objects with an owner reference to the uid, by key."""
        with self.lock:
            found = (self.get(key) for key in sorted(self._owned.get(uid, ())))
            return [each for each in found if each is not None]

    def new_uid(self) -> str:
        """A uid that depends only on the earlier writes."""
        return str(uuid.UUID(bytes=hashlib.sha256(f"uid {self.version}".encode()).digest()[:16]))

    def put(self, found: Object) -> Object:
        """Write an object; returns it with its new version."""
        with self.lock:
            key = key_of(found)
            before = self.get(key)
            after = found | {"metadata": found["metadata"] | {"resourceVersion": str(self.version + 1)}}
            self._disown(key, before)
            self._objects.setdefault(key.plural, {})[key] = after
            for owner in _owners(after):
                self._owned.setdefault(owner, set()).add(key)
            self._record(key, after, before)
        return after

    def remove(self, key: ObjectKey) -> Object | None:
        """Remove an object; returns its last state, or None."""
        with self.lock:
            before = self._objects.get(key.plural, {}).pop(key, None)
            if before is None:
                return None
            self._disown(key, before)
            last = before | {"metadata": before["metadata"] | {"resourceVersion": str(self.version + 1)}}
            self._record(key, None, last)
        return last

    def since(self, version: int) -> list[ObjectChange]:
        """The changes after a version, the oldest first; raises a RefusalError of 410 for an old version."""
        with self.lock:
            if version < self.oldest:
                raise expired(version, self.oldest)
            skip = len(self._history) - (self.version - version)
            return list(islice(self._history, max(skip, 0), None))

    def forget(self) -> None:
        """Drop the past changes, as a compaction does; even the present version is then too old."""
        with self.lock:
            self.version += 1
            self._history.clear()
            self.oldest = self.version

    def dump(self) -> dict[str, Any]:
        """The state for `restore`, as JSON values."""
        with self.lock:
            objects = [found for plural in sorted(self._objects) for found in self.all(plural)]
            return {"version": self.version, "objects": objects}

    def restore(self, dumped: dict[str, Any]) -> None:
        """Replace the state by a dumped one, without past changes."""
        with self.lock:
            self._objects.clear()
            self._owned.clear()
            for found in dumped["objects"]:
                key = key_of(found)
                self._objects.setdefault(key.plural, {})[key] = found
                for owner in _owners(found):
                    self._owned.setdefault(owner, set()).add(key)
            self.version = dumped["version"]
            self._history.clear()
            self.oldest = self.version

    def _disown(self, key: ObjectKey, before: Object | None) -> None:
        for owner in _owners(before) if before else ():
            self._owned[owner].discard(key)

    def _record(self, key: ObjectKey, after: Object | None, before: Object | None) -> None:
        self.version += 1
        if len(self._history) == self._history.maxlen:
            self.oldest = self._history[0].version
        self._history.append(ObjectChange(self.version, key, after, before))
        for listener in self._listeners:
            listener()


def _owners(found: Object) -> list[str]:
    return [owner["uid"] for owner in found["metadata"].get("ownerReferences", ())]
