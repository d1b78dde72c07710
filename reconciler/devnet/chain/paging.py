"""Pages of the node's lists, with their omissions (semantics 2.2)."""

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
    """The position in a list: the remaining states, the current prefix, the next key below it."""

    states: bytes
    prefix: bytes
    key: bytes
    reverse_index: bool

    def encode(self) -> bytes:
        """Bytes with a checksum before them."""
        parts = (self.states, self.prefix, self.key, b"\x01" if self.reverse_index else b"\x00")
        body = b"".join(len(part).to_bytes(2, "big") + part for part in parts)
        return zlib.crc32(body).to_bytes(4, "big") + body

    @classmethod
    def decode(cls, data: bytes) -> Cursor:
        """Decode a next_key; one that the node did not create is refused."""
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
    """The rows below a prefix from a key on, or in reverse; keys are without the prefix."""

    table: StateTable[V]
    prefix: bytes
    key: bytes
    reverse: bool

    def rows(self, view: View) -> list[tuple[bytes, V]]:
        """The rows."""
        cut = len(self.prefix)
        rows = [(place[cut:], value) for place, value in view.scan(self.table, self.prefix)]
        if self.reverse:
            return [row for row in reversed(rows) if not self.key or row[0] <= self.key]
        return [row for row in rows if row[0] >= self.key]


@dataclass(frozen=True, slots=True)
class PagedList(Generic[V]):
    """A list over several states: each state's table and prefix, and the filter of rows."""

    table: StateTable[V]
    states: Sequence[int]
    prefix: Callable[[int], bytes]
    accepts: Callable[[V], bool]
    reverse_index: bool = False

    def page(self, view: View, request: PageRequest) -> tuple[list[V], PageResponse]:
        """One page; a state that ends exactly at the limit ends the whole list (TRAP A)."""
        limit = request.limit or DEFAULT_LIMIT
        rows: list[V] = []
        states, prefix, key = bytes(self.states), b"", b""
        if request.key:
            cursor = Cursor.decode(request.key)
            states, prefix, key = cursor.states, cursor.prefix, cursor.key
        next_key = b""
        for index, state in enumerate(states):
            if index or not key:
                prefix, key = self.prefix(state), b""
            span = Span(self.table, prefix, key, request.reverse)
            found, following = self._walk(view, span, request.offset, limit)
            rows.extend(found)
            limit -= len(found)
            next_key = b""
            if following is not None:
                next_key = Cursor(states[index:], prefix, following, self.reverse_index).encode()
            if not limit:
                break
        return rows, PageResponse(next_key=next_key, total=len(rows))

    def _walk(self, view: View, span: Span[V], offset: int, limit: int) -> tuple[list[V], bytes | None]:
        """The rows of one state, and the key of the first row after the page."""
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
    view: View, table: StateTable[V], prefix: bytes, request: PageRequest
) -> tuple[list[V], PageResponse]:
    """A page of the SDK's pagination; it has a total only on the first page."""
    limit = request.limit or DEFAULT_LIMIT
    counting = request.count_total or not request.limit
    rows = Span(table, prefix, request.key, request.reverse).rows(view)
    start = 0 if request.key else request.offset
    following = rows[start + limit][0] if len(rows) > start + limit else b""
    total = len(rows) if counting and not request.key else 0
    return [value for _, value in rows[start : start + limit]], PageResponse(next_key=following, total=total)


def check_offset(request: PageRequest, state: str) -> None:
    """Refuse an offset without a state."""
    if request.offset and not state:
        raise invalid_argument("invalid request parameters. if offset is set, filter.state must be provided")
