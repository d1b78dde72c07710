"""The points at which a daemon is killed: before and after each effect of a port method."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from reconciler.adapters.kubernetes.adapter import KubernetesAdapter
from reconciler.cycle.environment import EFFECTS
from reconciler.journal.database import NAME
from tests.simulation.outside import Outside

REQUESTS = ("apply", "delete")
"""Requests to the cluster, of which an effect of the adapter consists."""


class Killed(BaseException):
    """The daemon is killed; no `except Exception` catches this."""


@dataclass(frozen=True, slots=True)
class Point:
    """Before or after the nth call of an effect, counted from 1."""

    port: str
    method: str
    nth: int
    after: bool

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} {self.port}.{self.method} #{self.nth}"


class Changes:
    """Detects changes outside a daemon cheaply."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._connection: sqlite3.Connection | None = None

    def token(self) -> tuple[object, ...]:
        """Equal as long as nothing outside changes; the journal's part comes first."""
        outside = self._outside
        refs = (outside.commits.repository / "refs" / "heads").rglob("*")
        return (
            self._journal(),
            outside.chain.height,
            *outside.chain.mempool.waiting,
            outside.cluster.store.version,
            len(outside.notices.keys()),
            len(outside.page.lines()),
            *sorted((str(each), each.read_text()) for each in refs if each.is_file()),
        )

    def close(self) -> None:
        """Close the journal."""
        if self._connection is not None:
            self._connection.close()

    def _journal(self) -> int:
        """Changes with each commit of any other connection."""
        if self._connection is None:
            self._connection = sqlite3.connect(f"file:{self._outside.state / NAME}?mode=ro", uri=True)
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        return int(version)


class EffectProxy:
    """Wraps the ports and calls back before and after each effect."""

    def __init__(self, reached: Callable[[Point], None], changes: Changes | None = None) -> None:
        self._reached = reached
        self._changes = changes
        self._counts: Counter[tuple[str, str]] = Counter()
        self.silent: set[str] = set()

    def __call__(self, name: str, port: object) -> Any:
        return _ProxiedPort(name, port, self)

    def effect(self, name: str, method: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The method, with callbacks before and after it."""

        @wraps(call)
        def tapped(*args: object, **kwargs: object) -> object:
            self._counts[name, method] += 1
            nth = self._counts[name, method]
            self._reached(Point(name, method, nth, after=False))
            answer = call(*args, **kwargs)
            self._reached(Point(name, method, nth, after=True))
            return answer

        return tapped

    def watch_requests(self, adapter: KubernetesAdapter) -> None:
        """Call back before and after each request of an effect, so that a kill leaves a part of it."""
        client = cast("Any", adapter._client)
        for method in REQUESTS:
            setattr(client, method, self.effect("cluster", method, getattr(client, method)))

    def read_only(self, name: str, method: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """A method that must change nothing outside, which is checked where changes are watched."""
        changes = self._changes
        if changes is None:
            return call

        @wraps(call)
        def watched(*args: object, **kwargs: object) -> object:
            before = changes.token()
            answer = call(*args, **kwargs)
            assert changes.token() == before, f"{name}.{method} changes the world, and is not in EFFECTS"
            self.silent.add(f"{name}.{method}")
            return answer

        return watched


class _ProxiedPort:
    """A port whose effects are reported."""

    def __init__(self, name: str, port: object, tap: EffectProxy) -> None:
        self._name, self._port, self._tap = name, port, tap

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._port, method)
        wrap = self._tap.effect if (self._name, method) in EFFECTS else self._tap.read_only
        return wrap(self._name, method, found)
