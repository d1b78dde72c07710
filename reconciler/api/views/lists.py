"""Long lists as JSON, one row a line; a row that did not change is not made again."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from reconciler.api.views.schemas import Shape

Item = TypeVar("Item")
SPARE = 1_000
"""Rows that are kept beyond those of the last whole list."""


@dataclass(frozen=True, slots=True)
class ListPage:
    """Which rows of a list: at most `limit` (None: all), after an id, with a text in their ids."""

    limit: int | None = None
    after: str = ""
    contains: str = ""


@dataclass(frozen=True, slots=True)
class ListForm(Generic[Item]):
    """How the items of a list are named, ordered and shown; `place` reads an id as its place in the order
    (ValueError: it is none).
    """

    name: str
    key: Callable[[Item], Any]
    place: Callable[[str], Any]
    shape: Callable[[Item], Shape]


class JsonList(Generic[Item]):
    """One list; one thread at a time."""

    def __init__(self, form: ListForm[Item]) -> None:
        self._form = form
        self._rows: dict[str, tuple[Item, bytes]] = {}

    def body(
        self, items: Sequence[Item], page: ListPage, fits: Callable[[Item], bool] | None = None
    ) -> bytes:
        """The page as an answer's body; ValueError where `after` is no id. Items come in their order."""
        self._forget(items)
        if fits is not None:
            items = [item for item in items if fits(item)]
        start = 0
        if page.after:
            start = bisect_right(items, self._form.place(page.after), key=self._form.key)
        end = len(items) if page.limit is None else start + page.limit
        rows = [self._row(item) for item in items[start:end]]
        more = str(self._form.key(items[end - 1])) if start < end < len(items) else ""
        head = f'{{\n "{self._form.name}": ['.encode()
        tail = f'],\n "total": {len(items)},\n "next": {json.dumps(more)}\n}}\n'.encode()
        return head + b"\n  " + b",\n  ".join(rows) + b"\n " + tail if rows else head + tail

    def _row(self, item: Item) -> bytes:
        key = str(self._form.key(item))
        known = self._rows.get(key)
        if known is not None and (known[0] is item or known[0] == item):
            return known[1]
        made = self._form.shape(item).model_dump_json().encode()
        self._rows[key] = (item, made)
        return made

    def _forget(self, items: Sequence[Item]) -> None:
        if len(self._rows) > len(items) + SPARE:
            here = {str(self._form.key(item)) for item in items}
            self._rows = {key: row for key, row in self._rows.items() if key in here}
