"""Streams: watches, with bookmarks and 410, and a pod's log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from datetime import UTC, datetime

from aiohttp import web

from reconciler.devnet.cluster.kinds import Object, Target
from reconciler.devnet.cluster.nodes import Nodes
from reconciler.devnet.cluster.pod_lifecycle import log_lines
from reconciler.devnet.cluster.reads import ClusterReads, ReadForm, wanted_form
from reconciler.devnet.cluster.refusals import RefusalError
from reconciler.devnet.cluster.selectors import Match
from reconciler.devnet.cluster.store import ObjectStore
from reconciler.devnet.cluster.writes import Clock

WATCH_MAX_SECONDS = 1800.0
LOG_POLL_SECONDS = 0.3
INITIAL_END = {"k8s.io/initial-events-end": "true"}


class ChangeSignal:
    """Wakes the waiting tasks of the server's loop; any thread may notify it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()

    def notify(self) -> None:
        """Wake the waiting tasks."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._swap)

    def _swap(self) -> None:
        event, self._event = self._event, asyncio.Event()
        event.set()

    def next_change(self) -> asyncio.Event:
        """An event to wait for; take it before reading, so that no change is missed."""
        return self._event


async def wait(change: asyncio.Event, seconds: float | None) -> None:
    """Wait for a notification, at most so long."""
    try:
        await asyncio.wait_for(change.wait(), seconds)
    except TimeoutError:
        return


class Streams:
    """Watches and logs; `drop` ends the running ones."""

    def __init__(self, store: ObjectStore, reads: ClusterReads, nodes: Nodes, clock: Clock) -> None:
        self._store = store
        self._reads = reads
        self._nodes = nodes
        self._clock = clock
        self._generation = 0
        self.bookmark_seconds = 1.0
        self.signal: ChangeSignal | None = None

    def drop(self) -> None:
        """End every running stream, as a restart of the server does."""
        self._generation += 1
        if self.signal:
            self.signal.notify()

    async def watch(self, request: web.Request, target: Target, query: dict[str, str]) -> web.StreamResponse:
        """Watch events as JSON lines, from a version or from now on."""
        form, match = wanted_form(request), self._reads.select(target, query)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        watcher = ObjectWatcher(response, target, form, self._clock)
        try:
            await self._follow(watcher, match, query)
        except RefusalError as error:
            await watcher.send("ERROR", error.status())
        except (ConnectionError, asyncio.CancelledError):
            return response
        return response

    async def _follow(self, watcher: ObjectWatcher, match: Match, query: dict[str, str]) -> None:
        assert self.signal is not None
        kind, generation = watcher.target.kind, self._generation
        loop = asyncio.get_running_loop()
        ends = loop.time() + float(query.get("timeoutSeconds") or WATCH_MAX_SECONDS)
        cursor = int(query.get("resourceVersion") or 0)
        if query.get("sendInitialEvents") == "true" or not cursor:
            cursor = await self._initial(watcher, match, query)
        marked = loop.time()
        while (left := ends - loop.time()) > 0 and generation == self._generation:
            change = self.signal.next_change()
            with self._store.lock:
                changes = self._store.since(cursor)
            cursor = changes[-1].version if changes else cursor
            for event, found in self._reads.events(kind, match, changes):
                await watcher.send(event, found)
                marked = loop.time()
            bookmarks = query.get("allowWatchBookmarks") == "true"
            if bookmarks and loop.time() - marked >= self.bookmark_seconds:
                await watcher.bookmark(cursor)
                marked = loop.time()
            await wait(change, min(left, self.bookmark_seconds) if bookmarks else left)

    async def _initial(self, watcher: ObjectWatcher, match: Match, query: dict[str, str]) -> int:
        """Send the existing objects as ADDED events; their version."""
        with self._store.lock:
            version = self._store.version
            objects = self._store.all(watcher.target.kind.plural, watcher.target.namespace)
        for found in objects:
            if match(found):
                await watcher.send("ADDED", found)
        if query.get("sendInitialEvents") == "true":
            await watcher.bookmark(version, INITIAL_END)
        return version

    async def log(self, request: web.Request, pod: Object, query: dict[str, str]) -> web.StreamResponse:
        """A container's lines: tailLines, limitBytes, sinceSeconds, timestamps, follow."""
        name, image = _container(pod, query)
        started = self._started(pod, name, query)
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        room, last = int(query.get("limitBytes") or 1 << 30), -1.0
        since = self._clock() - float(query["sinceSeconds"]) if "sinceSeconds" in query else 0.0
        while True:
            now = self._clock()
            lines = [
                line for line in log_lines(name, image, started, now) if line[0] >= since and line[0] > last
            ]
            if last < 0 and "tailLines" in query:
                lines = lines[max(len(lines) - int(query["tailLines"]), 0) :]
            last = now
            text = _text(lines, query.get("timestamps") == "true")[:room]
            room -= len(text)
            await response.write(text)
            if query.get("follow") != "true" or not room or self._gone(pod):
                return response
            await asyncio.sleep(LOG_POLL_SECONDS)

    def _started(self, pod: Object, name: str, query: dict[str, str]) -> float:
        """The start of the container; 400 where it has no log."""
        started, where = self._nodes.started(pod), f'container "{name}" in pod "{pod["metadata"]["name"]}"'
        if started is None or pod["status"]["phase"] == "Pending":
            raise RefusalError(400, f"{where} is waiting to start: trying and failing to pull image")
        if query.get("previous") == "true":
            raise RefusalError(400, f"previous terminated {where} not found")
        return started

    def _gone(self, pod: Object) -> bool:
        meta = pod["metadata"]
        return all(
            each["metadata"]["uid"] != meta["uid"] for each in self._store.all("pods", meta["namespace"])
        )


class ObjectWatcher:
    """One watch's connection."""

    def __init__(self, response: web.StreamResponse, target: Target, form: ReadForm, clock: Clock) -> None:
        self._response = response
        self._form = form
        self._clock = clock
        self.target = target

    async def send(self, event: str, found: Object) -> None:
        """Send one event in the watch's form."""
        if event in ("ADDED", "MODIFIED", "DELETED"):
            found = self._form.one(self.target.kind, found, self._clock())
        await self._response.write(json.dumps({"type": event, "object": found}).encode() + b"\n")

    async def bookmark(self, version: int, annotations: dict[str, str] | None = None) -> None:
        """Send an event with only a version."""
        kind = self.target.kind
        meta: Object = {"resourceVersion": str(version)} | (
            {"annotations": annotations} if annotations else {}
        )
        shown: Object = {"kind": kind.name, "apiVersion": kind.group_version, "metadata": meta}
        if self._form.name == "Table":
            shown = {
                "kind": "Table",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": meta,
                "columnDefinitions": None,
                "rows": [],
            }
            part = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta}
            shown["rows"] = [{"cells": [], "object": part}]
        await self.send("BOOKMARK", shown)


def _container(pod: Object, query: dict[str, str]) -> tuple[str, str]:
    """The name and image of the requested or the first container."""
    images = {each["name"]: each["image"] for each in pod["spec"]["containers"]}
    name = query.get("container") or next(iter(images))
    if name not in images:
        raise RefusalError(400, f"container {name} is not valid for pod {pod['metadata']['name']}")
    return name, images[name]


def _text(lines: Iterable[tuple[float, str]], stamped: bool) -> bytes:
    def when(at: float) -> str:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z") + " "

    return "".join((when(at) if stamped else "") + line + "\n" for at, line in lines).encode()
