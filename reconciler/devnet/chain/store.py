"""The chain's state: tables of rows in the order of their keys, at every height of a bounded past.

Each row keeps its versions by height, so that a query at an old height reads what was there, and a block
costs what it changed. A transaction works on a Branch and leaves nothing behind when it fails.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar

from reconciler.devnet.chain.gas import GasMeter

V = TypeVar("V")


class StateTable(Generic[V]):
    """One kind of row: its name, and the encoding of its values."""

    def __init__(self, name: str, encode: Callable[[V], bytes], decode: Callable[[bytes], V]) -> None:
        self.name = name
        self.encode = encode
        self.decode = decode
        self.size: Callable[[V], int] = lambda value: len(encode(value))
        TABLES[name] = self


TABLES: dict[str, StateTable[Any]] = {}
"""Every table by name, for a state on disk."""


class StateReader(Protocol):
    """Reads of a state: one row, or the rows below a prefix in the order of their keys."""

    def get(self, table: StateTable[V], key: bytes) -> V | None:
        """The row, or None."""
        ...

    def scan(self, table: StateTable[V], prefix: bytes = b"") -> Iterator[tuple[bytes, V]]:
        """The rows whose keys begin with `prefix`, in order."""
        ...


class _Rows:
    __slots__ = ("keys", "versions")

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.versions: dict[bytes, list[tuple[int, Any]]] = {}


class StateStore:
    """All rows with their versions; written while a block is made."""

    def __init__(self, history: int) -> None:
        self.history = history
        self.height = 0
        self._first = 0
        self._tables: dict[str, _Rows] = {}
        self._touched: deque[tuple[int, set[tuple[str, bytes]]]] = deque()
        self._now: set[tuple[str, bytes]] = set()

    def rows(self, table: StateTable[Any]) -> _Rows:
        """The rows of one table."""
        found = self._tables.get(table.name)
        if found is None:
            found = self._tables[table.name] = _Rows()
        return found

    def write(self, table: StateTable[Any], key: bytes, value: Any) -> None:
        """Set a row in the current block; None removes it."""
        rows, height = self.rows(table), self.height + 1
        versions = rows.versions.get(key)
        if versions is None:
            rows.versions[key] = [(height, value)]
            insort(rows.keys, key)
        elif versions[-1][0] == height:
            versions[-1] = (height, value)
        else:
            versions.append((height, value))
        self._now.add((table.name, key))

    def commit(self) -> None:
        """End the block: its writes become the next height's state, and old versions are dropped."""
        self.height += 1
        if self._now:
            self._touched.append((self.height, self._now))
            self._now = set()
        oldest = self.height - self.history
        while self._touched and self._touched[0][0] <= oldest:
            for name, key in self._touched.popleft()[1]:
                self._forget(self._tables[name], key, oldest)

    def _forget(self, rows: _Rows, key: bytes, oldest: int) -> None:
        versions = rows.versions.get(key)
        if versions is None:
            return
        while len(versions) > 1 and versions[1][0] <= oldest:
            del versions[0]
        if len(versions) == 1 and versions[0][1] is None and versions[0][0] <= oldest:
            del rows.versions[key]
            del rows.keys[bisect_left(rows.keys, key)]

    @property
    def oldest(self) -> int:
        """The oldest height whose state is complete."""
        return max(self._first, self.height - self.history)

    def restore(self, height: int, tables: Mapping[str, Mapping[bytes, Any]]) -> None:
        """Replace everything by these rows as the state after a height."""
        self.height = self._first = height
        self._tables.clear()
        self._touched.clear()
        self._now.clear()
        for name, found in tables.items():
            rows = self._tables[name] = _Rows()
            rows.keys = sorted(found)
            rows.versions = {key: [(height, value)] for key, value in found.items()}

    def at(self, height: int) -> View:
        """The state after the block `height`."""
        return View(self, height)

    def tip(self) -> View:
        """The state with the current block's writes so far."""
        return View(self, self.height + 1)


class View:
    """The state at one height, for reading."""

    __slots__ = ("_height", "_store")

    def __init__(self, store: StateStore, height: int) -> None:
        self._store = store
        self._height = height

    @property
    def height(self) -> int:
        """The height of this state."""
        return self._height

    def get(self, table: StateTable[V], key: bytes) -> V | None:
        """The row at this height, or None."""
        found: V | None = _version(self._store.rows(table).versions.get(key), self._height)
        return found

    def scan(self, table: StateTable[V], prefix: bytes = b"") -> Iterator[tuple[bytes, V]]:
        """The rows at this height under a prefix, in order."""
        rows = self._store.rows(table)
        first = bisect_left(rows.keys, prefix)
        last = bisect_left(rows.keys, _after(prefix)) if prefix.strip(b"\xff") else len(rows.keys)
        for key in rows.keys[first:last]:
            value = _version(rows.versions[key], self._height)
            if value is not None:
                yield key, value


class Branch:
    """Writes on top of a state that are flushed together or dropped, each charged to a meter."""

    __slots__ = ("_pending", "_under", "meter")

    def __init__(self, under: StateReader, meter: GasMeter | None = None) -> None:
        self._under = under
        self._pending: dict[StateTable[Any], dict[bytes, Any]] = {}
        self.meter = meter or GasMeter()

    def get(self, table: StateTable[V], key: bytes) -> V | None:
        """The row, charged as a read; do not change its value in place."""
        value = self.peek(table, key)
        self.meter.read(len(key) + (0 if value is None else table.size(value)))
        return value

    def has(self, table: StateTable[Any], key: bytes) -> bool:
        """Whether the row exists, charged as such."""
        self.meter.has()
        return self.peek(table, key) is not None

    def peek(self, table: StateTable[V], key: bytes) -> V | None:
        """The row, without gas, for work outside the metered store."""
        pending = self._pending.get(table)
        if pending is not None and key in pending:
            found: V | None = pending[key]
            return found
        # a branch on a branch shares its meter, so that a read is charged once
        return (
            self._under.peek(table, key) if isinstance(self._under, Branch) else self._under.get(table, key)
        )

    def put(self, table: StateTable[V], key: bytes, value: V) -> None:
        """Write the row."""
        self.meter.write(len(key) + table.size(value))
        self.put_free(table, key, value)

    def put_free(self, table: StateTable[V], key: bytes, value: V | None) -> None:
        """Write the row without gas; None removes it."""
        self._pending.setdefault(table, {})[key] = value

    def delete(self, table: StateTable[Any], key: bytes) -> None:
        """Remove the row."""
        self.meter.delete()
        self._pending.setdefault(table, {})[key] = None

    def walk(self, table: StateTable[V], prefix: bytes) -> list[tuple[bytes, V]]:
        """The rows below a prefix, charged as an iteration over all of them."""
        rows = list(self.scan(table, prefix))
        self.meter.walk([len(key) + table.size(value) for key, value in rows])
        return rows

    def scan(self, table: StateTable[V], prefix: bytes = b"") -> Iterator[tuple[bytes, V]]:
        """The rows below a prefix, in order, without gas."""
        pending = self._pending.get(table)
        changed = {k: v for k, v in pending.items() if k.startswith(prefix)} if pending else {}
        if not changed:
            yield from self._under.scan(table, prefix)
            return
        rows = {key: value for key, value in self._under.scan(table, prefix) if key not in changed}
        rows.update((key, value) for key, value in changed.items() if value is not None)
        for key in sorted(rows):
            yield key, rows[key]

    def flush(self, write: Callable[[StateTable[Any], bytes, Any], None]) -> None:
        """Pass every write on."""
        for table, rows in self._pending.items():
            for key, value in rows.items():
                write(table, key, value)


def _version(versions: list[tuple[int, Any]] | None, height: int) -> Any:
    for at, value in reversed(versions or ()):
        if at <= height:
            return value
    return None


def _after(prefix: bytes) -> bytes:
    """The first key after all keys with a prefix."""
    cut = prefix.rstrip(b"\xff")
    return cut[:-1] + bytes([cut[-1] + 1])
