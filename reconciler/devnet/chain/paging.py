"""Pages of a list: what the node's lists return, and what they leave out (semantics 2.2)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import Message

from reconciler.chain.proto.cosmos_paging_pb2 import PageRequest, PageResponse
from reconciler.devnet.chain.errors import internal, invalid_argument
from reconciler.devnet.chain.store import StateTable, View

DEFAULT_LIMIT = 100
V = TypeVar("V", bound=Message)


_PARTS = 4


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a list goes on: the states that are left, the prefix that is walked, the next key under it."""

    states: bytes
    prefix: bytes
    key: bytes
    reverse_index: bool

    def encode(self) -> bytes:
        """Opaque bytes with a checksum before them."""
        parts = (self.states, self.prefix, self.key, b"\x01" if self.reverse_index else b"\x00")
        body = b"".join(len(part).to_bytes(2, "big") + part for part in parts)
        return zlib.crc32(body).to_bytes(4, "big") + body

    @classmethod
    def decode(cls, data: bytes) -> Cursor:
        """Read bytes that were given as next_key; a made-up key is refused."""
        body = data[4:]
        if len(data) < 12 or zlib.crc32(body) != int.from_bytes(data[:4], "big"):
            given, computed = int.from_bytes(data[:4], "big"), zlib.crc32(body)
            words = f"invalid checksum, {given:#x} != {computed:#x}"
            raise internal(f"pagination: invalid key: {words}")
        parts = []
        while body:
            width = int.from_bytes(body[:2], "big")
            parts.append(body[2 : 2 + width])
            body = body[2 + width :]
        if len(parts) != _PARTS:
            raise internal("pagination: invalid key: it is not of this node")
        states, prefix, key, flag = parts
        return cls(states, prefix, key, flag == b"\x01")


@dataclass(frozen=True, slots=True)
class Span(Generic[V]):
    """The rows under a prefix from a key on, backwards if asked so; keys are without the prefix."""

    table: StateTable[V]
    prefix: bytes
    key: bytes
    reverse: bool

    def rows(self, view: View) -> list[tuple[bytes, V]]:
        """Those rows."""
        cut = len(self.prefix)
        rows = [(place[cut:], value) for place, value in view.scan(self.table, self.prefix)]
        if self.reverse:
            return [row for row in reversed(rows) if not self.key or row[0] <= self.key]
        return [row for row in rows if row[0] >= self.key]


@dataclass(frozen=True, slots=True)
class PagedList(Generic[V]):
    """A list over states in turn: the table and prefix of each state, and which rows count."""

    table: StateTable[V]
    states: Sequence[int]
    prefix: Callable[[int], bytes]
    accepts: Callable[[V], bool]
    reverse_index: bool = False

    def page(self, view: View, asked: PageRequest) -> tuple[list[V], PageResponse]:
        """One page; a state that ends exactly at the limit ends the whole list (TRAP A)."""
        limit = asked.limit or DEFAULT_LIMIT
        rows: list[V] = []
        states, prefix, key = bytes(self.states), b"", b""
        if asked.key:
            cursor = Cursor.decode(asked.key)
            states, prefix, key = cursor.states, cursor.prefix, cursor.key
        next_key = b""
        for index, state in enumerate(states):
            if index or not key:
                prefix, key = self.prefix(state), b""
            span = Span(self.table, prefix, key, asked.reverse)
            found, following = self._walk(view, span, asked.offset, limit)
            rows.extend(found)
            limit -= len(found)
            next_key = b""
            if following is not None:
                next_key = Cursor(states[index:], prefix, following, self.reverse_index).encode()
            if not limit:
                break
        return rows, PageResponse(next_key=next_key, total=len(rows))

    def _walk(self, view: View, span: Span[V], offset: int, limit: int) -> tuple[list[V], bytes | None]:
        """The rows of one state, and the key of the row that no longer fits."""
        found: list[V] = []
        hits, start = 0, 0 if span.key else offset
        for place, value in span.rows(view):
            if span.key and hits == limit:
                return found, place
            if not self.accepts(value):
                continue
            hits += 1
            if start < hits <= start + limit:
                found.append(value)
            if not span.key and hits == start + limit + 1:
                return found, place
        return found, None


def simple_page(
    view: View, table: StateTable[V], prefix: bytes, asked: PageRequest
) -> tuple[list[V], PageResponse]:
    """A page as the SDK's own pagination gives it: total only when counting from the beginning."""
    limit = asked.limit or DEFAULT_LIMIT
    counting = asked.count_total or not asked.limit
    rows = Span(table, prefix, asked.key, asked.reverse).rows(view)
    start = 0 if asked.key else asked.offset
    following = rows[start + limit][0] if len(rows) > start + limit else b""
    total = len(rows) if counting and not asked.key else 0
    return [value for _, value in rows[start : start + limit]], PageResponse(next_key=following, total=total)


def check_offset(asked: PageRequest, state: str) -> None:
    """An offset needs a state."""
    if asked.offset and not state:
        raise invalid_argument("invalid request parameters. if offset is set, filter.state must be provided")
