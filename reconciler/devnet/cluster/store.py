"""The simulated cluster's memory: objects, one rising version for all, and a window of past changes."""

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
    """Where an object stands; the namespace of a cluster-wide one is empty."""

    plural: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One write: the object after it (its last state, where it was removed) and before it."""

    version: int
    key: ObjectKey
    after: Object | None
    before: Object | None

    @property
    def latest(self) -> Object:
        """The object as a watcher is shown it."""
        shown = self.after if self.after is not None else self.before
        assert shown is not None
        return shown


def key_of(found: Object) -> ObjectKey:
    """Where an object of a known kind stands."""
    meta = found["metadata"]
    return ObjectKey(BY_NAME[found["kind"]].plural, meta.get("namespace", ""), meta["name"])


class ObjectStore:
    """Objects are values here: a write replaces one, nobody changes one in place."""

    def __init__(self, window: int = 20_000) -> None:
        self.lock = threading.RLock()
        self.version = 0
        self.oldest = 0
        self._objects: dict[str, dict[ObjectKey, Object]] = {}
        self._owned: dict[str, set[ObjectKey]] = {}
        self._history: deque[ObjectChange] = deque(maxlen=window)
        self._listeners: list[Callable[[], None]] = []

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Have the listener called after every write, on the writer's thread."""
        self._listeners.append(listener)

    def unsubscribe(self, listener: Callable[[], None]) -> None:
        """Call the listener no more."""
        self._listeners.remove(listener)

    def get(self, key: ObjectKey) -> Object | None:
        """The object, or None."""
        return self._objects.get(key.plural, {}).get(key)

    def all(self, plural: str, namespace: str = "") -> list[Object]:
        """The objects of a kind, of one namespace or of all, in order of their keys."""
        with self.lock:
            found = self._objects.get(plural, {})
            return [found[key] for key in sorted(found) if not namespace or key.namespace == namespace]

    def owned_by(self, uid: str) -> list[Object]:
        """Objects whose owner references name the uid, in order of their keys."""
        with self.lock:
            found = (self.get(key) for key in sorted(self._owned.get(uid, ())))
            return [each for each in found if each is not None]

    def new_uid(self) -> str:
        """An identity that depends on nothing but what was written before."""
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
        """Remove an object; returns its last state, None where it was not there."""
        with self.lock:
            before = self._objects.get(key.plural, {}).pop(key, None)
            if before is None:
                return None
            self._disown(key, before)
            last = before | {"metadata": before["metadata"] | {"resourceVersion": str(self.version + 1)}}
            self._record(key, None, last)
        return last

    def since(self, version: int) -> list[ObjectChange]:
        """The changes after a version, oldest first; a RefusalError of 410 where they are forgotten."""
        with self.lock:
            if version < self.oldest:
                raise expired(version, self.oldest)
            skip = len(self._history) - (self.version - version)
            return list(islice(self._history, max(skip, 0), None))

    def forget(self) -> None:
        """Forget the past, as a compaction does; the present version is too old to go on from, too."""
        with self.lock:
            self.version += 1
            self._history.clear()
            self.oldest = self.version

    def dump(self) -> dict[str, Any]:
        """Everything that a later `restore` needs, as JSON values."""
        with self.lock:
            objects = [found for plural in sorted(self._objects) for found in self.all(plural)]
            return {"version": self.version, "objects": objects}

    def restore(self, dumped: dict[str, Any]) -> None:
        """Become what was dumped; the past before it is unknown."""
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
