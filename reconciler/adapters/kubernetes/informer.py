"""A cache that one thread keeps as the API server has it; readers get what it holds, or why nothing."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import msgspec

from reconciler.adapters.kubernetes import objects
from reconciler.adapters.kubernetes.client import ApiClient, ApiStream
from reconciler.adapters.kubernetes.refusals import ApiError
from reconciler.documents.typed_json import decode_json
from reconciler.ports import Wake
from reconciler.values.readings import Reading, Seen, Unseen

View = TypeVar("View")
PAGE_SIZE = 500
PAGES_MAX = 1000
WATCH_SECONDS = 300
SILENCE_MAX_SECONDS = 90.0
"""A server sends a bookmark every minute; after more silence the watch counts as broken: list again."""
PAUSE_FIRST_SECONDS = 0.2
PAUSE_MAX_SECONDS = 10.0
_log = logging.getLogger(__name__)


class Informer(Generic[View]):
    """List, watch, resume; list again on 410 and after a watch that delivered nothing. Broken for longer than
    `stale_seconds` it is Unseen.
    """

    def __init__(
        self, client: ApiClient, path: str, query: Mapping[str, str], view: Callable[[bytes], View]
    ) -> None:
        self._client = client
        self._path = path
        self._query = dict(query)
        self._view = view
        self.stale_seconds = 30.0
        self.wake: Wake = lambda: None
        self._lock = threading.Lock()
        self._held: dict[str, View] | None = None
        self._shown: Mapping[str, View] | None = None
        self._broken: tuple[float, Unseen] | None = None
        self._version = ""
        self._written: dict[str, int] = {}
        self._heard = 0.0
        self._logged = ""
        self._first = threading.Event()
        self._stop = threading.Event()
        self._stream: ApiStream | None = None
        self._thread = threading.Thread(target=self._run, name=f"watch {path}", daemon=True)

    def start(self) -> None:
        """Begin to fill it."""
        self._thread.start()

    def close(self) -> None:
        """End its thread."""
        self._stop.set()
        if stream := self._stream:
            stream.stop()
        if self._thread.is_alive():
            self._thread.join(2)

    def wait(self, seconds: float) -> None:
        """Until the first attempt to fill it has come to an end, good or bad, or so long."""
        self._first.wait(seconds)

    def read(self) -> Reading[Mapping[str, View]]:
        """By `namespace/name`, as of a moment ago; Unseen before the first list and when broken too long."""
        with self._lock:
            broken = self._broken
            if self._held is None:
                return broken[1] if broken else Unseen(f"{self._client.server}: not listed yet; try again")
            if broken and time.monotonic() - broken[0] > self.stale_seconds:
                return broken[1]
            if self._shown is None:
                self._shown = dict(self._held)
            return Seen(self._shown)

    def take_written(self, raw: bytes) -> None:
        """An object as the answer to our own write shows it: seen at once, whatever the watch delivers."""
        version = _number(decode_json(raw, objects.Bare).metadata.resource_version)
        with self._lock:
            if self._held is None or version <= _number(self._version):
                return  # the list to come, or the watch, knows better
            key = _key(raw)
            self._written[key] = version
            changed = self._show(key, self._view(raw))
        if changed:
            self.wake()

    def _show(self, key: str, view: View | None) -> bool:
        """Hold a view, or None; whether that is another one. Under the lock."""
        assert self._held is not None
        before = self._held.get(key)
        if view is not None:
            self._held[key] = view
        else:
            self._held.pop(key, None)
        self._shown = None if before != view else self._shown
        return before != view

    def _run(self) -> None:
        pause = PAUSE_FIRST_SECONDS
        while not self._stop.is_set():
            try:
                if not self._version or self._is_silent():
                    self._list()
                began = time.monotonic()
                self._watch()
                if time.monotonic() - began > 1:
                    pause = PAUSE_FIRST_SECONDS
                    continue
            except ApiError as why:
                if why.gone and self._version:
                    self._version = ""  # forgotten, not broken: list again soon
                    self._stop.wait(PAUSE_FIRST_SECONDS)
                    continue
                self._fail(why)
            except (msgspec.MsgspecError, ValueError, KeyError) as why:
                self._version = ""
                self._fail(ApiError(0, f"answered what cannot be read at {self._path}: {why}"))
            except Exception as why:  # a fault of ours must not end the thread, and nothing be seen any more
                self._version = ""
                _log.exception("adapter kubernetes: the watch of %s", self._path)
                self._fail(ApiError(0, f"could not be read at {self._path}: {why!r}"))
            self._stop.wait(pause)
            pause = min(pause * 2, PAUSE_MAX_SECONDS)

    def _is_silent(self) -> bool:
        """Neither a list nor a watch has delivered anything for long, however well they connect."""
        return time.monotonic() - self._heard > SILENCE_MAX_SECONDS

    def _fail(self, why: ApiError) -> None:
        """Note since when it is broken. A first break is any watch's fate; what stays broken is logged."""
        if self._stop.is_set():
            return
        sentence = why.sentence(self._client.server)
        with self._lock:
            began = self._broken[0] if self._broken else time.monotonic()
            stays = self._broken is not None and self._logged != sentence
            self._broken = (began, Unseen(sentence, why.word))
        if stays:
            self._logged = sentence
            _log.warning("adapter kubernetes: %s%s", f"{why.word}: " if why.word else "", sentence)
        self._first.set()
        self.wake()

    def _list(self) -> None:
        """Every page, from one version, or an error; the first time from the server's memory."""
        found: dict[str, View] = {}
        query = self._query | {"limit": str(PAGE_SIZE)}
        if self._held is None:
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
            held = self._held or {}
            self._written = {key: each for key, each in self._written.items() if each > _number(version)}
            found |= {key: held[key] for key in self._written if key in held}
            changed = self._held != found
            self._held, self._shown, self._broken = found, None, None
            self._logged = ""
            self._version = version
            self._heard = time.monotonic()
        self._first.set()
        if changed:
            self.wake()

    def _watch(self) -> None:
        query = self._query | {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        stream = self._stream = self._client.stream(self._path, query, SILENCE_MAX_SECONDS)
        if self._stop.is_set():
            stream.stop()
        with self._lock:
            self._broken = None
        for line in stream.lines():
            if self._stop.is_set():
                return
            if line.strip():
                self._take(decode_json(line, objects.WatchEvent))
                self._heard = time.monotonic()
            elif self._is_silent():
                return

    def _take(self, event: objects.WatchEvent) -> None:
        raw = bytes(event.object)
        if event.type == "ERROR":
            said = decode_json(raw, objects.ApiStatus)
            raise ApiError(said.code, f"ended a watch of {self._path}: {said.message}", said.reason)
        version = decode_json(raw, objects.Bare).metadata.resource_version
        view = self._view(raw) if event.type in ("ADDED", "MODIFIED") else None
        with self._lock:
            self._version = version
            key = "" if event.type == "BOOKMARK" else _key(raw)
            is_older = _number(version) < self._written.get(key, 0)
            if not is_older:
                self._written.pop(key, None)
            changed = not is_older and self._show(key, view)
        if changed:
            self.wake()


def _number(version: str) -> int:
    """Resource versions of one kind are decimal numbers that rise; of another server's 0, older than any."""
    return int(version) if version.isascii() and version.isdecimal() else 0


def _key(raw: bytes) -> str:
    metadata = decode_json(raw, objects.Bare).metadata
    return f"{metadata.namespace}/{metadata.name}"
