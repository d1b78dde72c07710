"""Pages of lists, by id: a change between two pages neither skips nor repeats other rows. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class ListView(Generic[Item]):
    """A page of a list. `total` counts all that match, on this page or not; `next` is the value of `?after=`
    for the next page ("": this is the last one).
    """

    items: tuple[Item, ...]
    total: int
    next: str


@dataclass(frozen=True, slots=True)
class ListPage:
    """Which rows of a list: at most `limit` (None: all), after an id, with a text in their ids."""

    limit: int | None = None
    after: str = ""
    contains: str = ""


def list_view(
    items: Sequence[Item],
    page: ListPage,
    id_of: Callable[[Item], str],
    order: Callable[[str], Any] = str,
) -> ListView[Item]:
    """The page of items that come in the order of their ids; `order` gives an id's sort key (ValueError: not
    an id).
    """
    start = 0
    if page.after:
        start = bisect_right(items, order(page.after), key=lambda item: order(id_of(item)))
    end = len(items) if page.limit is None else start + page.limit
    last = id_of(items[end - 1]) if start < end < len(items) else ""
    return ListView(tuple(items[start:end]), len(items), last)
