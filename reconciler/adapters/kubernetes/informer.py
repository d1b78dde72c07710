"""An informer: a cache of a list of objects that one thread keeps in sync with the API server."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import msgspec

from reconciler.adapters.kubernetes import objects
from reconciler.adapters.kubernetes.api_errors import ApiError
from reconciler.adapters.kubernetes.client import ApiClient, ApiStream
from reconciler.documents.typed_json import decode_json
from reconciler.ports import Wake
from reconciler.values.readings import Reading, Seen, Unseen

View = TypeVar("View")
PAGE_SIZE = 500
PAGES_MAX = 1000
WATCH_SECONDS = 300
WATCH_IDLE_MAX_SECONDS = 90.0
"""A server sends a bookmark every minute; after more silence the watch is broken, and a list follows."""
FORBIDDEN_SECONDS = 60.0
"""Between two tries of what is optional and not permitted."""
BACKOFF_FIRST_SECONDS = 0.2
BACKOFF_MAX_SECONDS = 10.0
_log = logging.getLogger(__name__)


class Informer(Generic[View]):
    """List, watch, resume; list again on 410 and after a silent watch. Unseen if broken for longer than
    `stale_seconds`; one that `is_optional` is empty without the permission to list.
    """

    def __init__(
        self, client: ApiClient, path: str, query: Mapping[str, str], view: Callable[[bytes], View]
    ) -> None:
        self._client = client
        self._path = path
        self._query = dict(query)
        self._view = view
        self.is_optional = False
        self.stale_seconds = 30.0
        self.wake: Wake = lambda: None
        self._lock = threading.Lock()
        self._objects: dict[str, View] | None = None
        self._snapshot: Mapping[str, View] | None = None
        self._broken: tuple[float, Unseen] | None = None
        self._version = ""
        self._written: dict[str, int] = {}
        self._last_event_at = 0.0
        self._logged = ""
        self._synced = threading.Event()
        self._stop = threading.Event()
        self._stream: ApiStream | None = None
        self._thread = threading.Thread(target=self._run, name=f"watch {path}", daemon=True)

    def start(self) -> None:
        """Start its thread."""
        self._thread.start()

    def close(self) -> None:
        """End its thread."""
        self._stop.set()
        if stream := self._stream:
            stream.stop()
        if self._thread.is_alive():
            self._thread.join(2)

    def wait_for_sync(self, seconds: float) -> None:
        """Until the first list has succeeded or failed, at most so long."""
        self._synced.wait(seconds)

    def read(self) -> Reading[Mapping[str, View]]:
        """A snapshot by `namespace/name`; Unseen before the first list and if broken too long."""
        with self._lock:
            broken = self._broken
            if self._objects is None:
                return broken[1] if broken else Unseen(f"{self._client.server}: not listed yet; retry")
            if broken and time.monotonic() - broken[0] > self.stale_seconds:
                return broken[1]
            if self._snapshot is None:
                self._snapshot = dict(self._objects)
            return Seen(self._snapshot)

    def record_write(self, raw: bytes) -> None:
        """Store the response to our own write, which a lagging watch must not undo."""
        version = _number(decode_json(raw, objects.PartialObject).metadata.resource_version)
        if version <= _number(self._version):
            return  # the watch is newer
        key, view = _key(raw), self._view(raw)
        with self._lock:
            if self._objects is None or version <= _number(self._version):
                return  # the next list, or the watch, is newer
            self._written[key] = version
            changed = self._store(key, view)
        if changed:
            self.wake()

    def _store(self, key: str, view: View | None) -> bool:
        """Store or (None) delete a view; whether anything changed. The caller holds the lock."""
        assert self._objects is not None
        before = self._objects.get(key)
        if view is not None:
            self._objects[key] = view
        else:
            self._objects.pop(key, None)
        self._snapshot = None if before != view else self._snapshot
        return before != view

    def _run(self) -> None:
        backoff = BACKOFF_FIRST_SECONDS
        while not self._stop.is_set():
            try:
                if not self._version or self._is_stalled():
                    self._list()
                began = time.monotonic()
                self._watch()
                if time.monotonic() - began > 1:
                    backoff = BACKOFF_FIRST_SECONDS
                    continue
            except ApiError as error:
                if self.is_optional and error.status == 403:
                    self._replace({}, "")
                    self._stop.wait(FORBIDDEN_SECONDS)
                    continue
                if error.is_gone and self._version:
                    self._version = ""  # compacted, not broken: list again soon
                    self._stop.wait(BACKOFF_FIRST_SECONDS)
                    continue
                self._fail(error)
            except (msgspec.MsgspecError, ValueError, KeyError) as error:
                self._version = ""
                self._fail(ApiError(0, f"sent an unreadable response at {self._path}: {error}"))
            except Exception as error:  # an internal error must not end the thread
                self._version = ""
                _log.exception("adapter %s: the watch of %s", self._client.adapter, self._path)
                self._fail(ApiError(0, f"internal error at {self._path}: {error!r}"))
            self._stop.wait(backoff)
            backoff = min(backoff * 2, BACKOFF_MAX_SECONDS)

    def _is_stalled(self) -> bool:
        """Whether neither a list nor a watch has delivered anything for too long."""
        return time.monotonic() - self._last_event_at > WATCH_IDLE_MAX_SECONDS

    def _fail(self, why: ApiError) -> None:
        """Record since when it is broken; log from the second failure on: single breaks are normal."""
        if self._stop.is_set():
            return
        sentence = why.sentence(self._client.server)
        with self._lock:
            began = self._broken[0] if self._broken else time.monotonic()
            is_new = self._broken is not None and self._logged != sentence
            self._broken = (began, Unseen(sentence, why.unseen_reason))
        if is_new:
            self._logged = sentence
            reason = f"{why.unseen_reason}: " if why.unseen_reason else ""
            _log.warning("adapter %s: %s%s", self._client.adapter, reason, sentence)
        self._synced.set()
        self.wake()

    def _list(self) -> None:
        """All pages of one version; the first time from the server's cache."""
        found: dict[str, View] = {}
        query = self._query | {"limit": str(PAGE_SIZE)}
        if self._objects is None:
            query["resourceVersion"] = "0"
        for _ in range(PAGES_MAX):
            page = decode_json(self._client.get(self._path, query), objects.ObjectList)
            for raw in page.items or ():
                found[_key(bytes(raw))] = self._view(bytes(raw))
            if not page.metadata.continue_:
                self._replace(found, page.metadata.resource_version)
                return
            query.pop("resourceVersion", None)
            query["continue"] = page.metadata.continue_
        raise ApiError(0, f"listed more than {PAGES_MAX * PAGE_SIZE} objects at {self._path}")

    def _replace(self, found: dict[str, View], version: str) -> None:
        with self._lock:
            held = self._objects or {}
            self._written = {key: each for key, each in self._written.items() if each > _number(version)}
            found |= {key: held[key] for key in self._written if key in held}
            changed = self._objects != found
            self._objects, self._snapshot, self._broken = found, None, None
            self._logged = ""
            self._version = version
            self._last_event_at = time.monotonic()
        self._synced.set()
        if changed:
            self.wake()

    def _watch(self) -> None:
        query = self._query | {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        stream = self._stream = self._client.stream(self._path, query, WATCH_IDLE_MAX_SECONDS)
        if self._stop.is_set():
            stream.stop()
        with self._lock:
            self._broken = None
        for line in stream.lines():
            if self._stop.is_set():
                return
            if line.strip():
                self._handle_event(decode_json(line, objects.WatchEvent))
                self._last_event_at = time.monotonic()
            elif self._is_stalled():
                return

    def _handle_event(self, event: objects.WatchEvent) -> None:
        raw = bytes(event.object)
        if event.type == "ERROR":
            status = decode_json(raw, objects.ApiStatus)
            raise ApiError(status.code, f"ended a watch of {self._path}: {status.message}")
        version = decode_json(raw, objects.PartialObject).metadata.resource_version
        view = self._view(raw) if event.type in ("ADDED", "MODIFIED") else None
        with self._lock:
            self._version = version
            key = "" if event.type == "BOOKMARK" else _key(raw)
            is_older = _number(version) < self._written.get(key, 0)
            if not is_older:
                self._written.pop(key, None)
            changed = not is_older and self._store(key, view)
        if changed:
            self.wake()


def _number(version: str) -> int:
    """Resource versions of one kind are rising decimal numbers; 0 for any other text."""
    return int(version) if version.isascii() and version.isdecimal() else 0


def _key(raw: bytes) -> str:
    metadata = decode_json(raw, objects.PartialObject).metadata
    return f"{metadata.namespace}/{metadata.name}"
