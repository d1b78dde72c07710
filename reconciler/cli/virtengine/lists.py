"""Lists that drop nothing: every page of the chain at one height, and a cut that says that it is one."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import click
from google.protobuf.message import Message

from reconciler.chain.client_json import printed
from reconciler.chain.node_errors import NodeError
from reconciler.chain.proto.cosmos_paging_pb2 import PageRequest

PAGE_ROWS = 500
ROWS_MAX = 1_000_000_000
"""Of --limit, --offset and --page; nobody reads as much."""

_PLACE = re.compile(r"([0-9]{1,18})/([0-9]{1,9})")

Row = TypeVar("Row", bound=Message)
Command = TypeVar("Command", bound=Callable[..., Any])
Page = tuple[Sequence[Row], bytes]
"""Rows, and the chain's key of the next page; empty behind the last one."""


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a list is shown; `height` 0: as of the newest block."""

    limit: int
    offset: int = 0
    height: int = 0
    reverse: bool = False
    count_total: bool = False

    @classmethod
    def taken(cls, flags: dict[str, Any]) -> Paging:
        """Take the flags out of a command's keywords; a usage error where they contradict each other."""
        limit, offset, page, key = (flags.pop(name) for name in ("limit", "offset", "page", "page_key"))
        ways = {"reverse": flags.pop("reverse", False), "count_total": flags.pop("count_total")}
        if sum((offset > 0, page is not None, key is not None)) > 1:
            raise click.UsageError(
                "--offset, --page and --page-key each say where to begin; give one of them"
            )
        if key is not None:
            height, offset = _place_of(key)
            return cls(limit, offset, height, **ways)
        return cls(limit, offset if page is None else (page - 1) * limit, **ways)

    @property
    def rows_at_once(self) -> int:
        """How many rows a request asks for: no more than are needed to see whether there are others."""
        return PAGE_ROWS if self.count_total else min(PAGE_ROWS, self.offset + self.limit + 1)


_OPTIONS = (
    click.option(
        "--limit", type=click.IntRange(1, ROWS_MAX), default=100, show_default=True, help="Rows at most."
    ),
    click.option("--offset", type=click.IntRange(0, ROWS_MAX), default=0, help="Rows to leave out before."),
    click.option("--page", type=click.IntRange(1, ROWS_MAX), help="Which page of --limit rows; from 1."),
    click.option("--page-key", help="Go on from an answer's next_key, at that answer's height."),
    click.option("--count-total", is_flag=True, help="Let total count every row, not only the shown ones."),
)


def paging_options(command: Command) -> Command:
    """The flags of `Paging`; a command takes them as keywords."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


reverse_option = click.option("--reverse", is_flag=True, help="The rows of each state backwards.")

EVERYTHING = Paging(limit=PAGE_ROWS, count_total=True)
"""For a list that is read whole."""


def pages(
    ask: Callable[[PageRequest], Page[Row]], rows_at_once: int, *, reverse: bool = False
) -> Iterator[Row]:
    """Every row of a list; NodeError where it turns in a circle."""
    key, seen = b"", set[bytes]()
    while True:
        rows, following = _page(ask, PageRequest(key=key, limit=rows_at_once, reverse=reverse))
        yield from rows
        if not following:
            return
        if following in seen:
            raise NodeError(f"the node's list begins again after {len(seen)} pages")
        seen.add(following)
        key = following


def _page(ask: Callable[[PageRequest], Page[Row]], at: PageRequest) -> Page[Row]:
    """One page. One that is full and the last is asked for again with one row more: where a state ends at the
    limit the chain leaves out the states behind it (semantics 2.2 A).
    """
    while True:
        rows, following = ask(at)
        if following or len(rows) != at.limit:
            return rows, following
        at.limit += 1


def cut(name: str, rows: Iterable[Message], paging: Paging, height: int) -> dict[str, Any]:
    """The answer as the chain's client shapes it; standard error says where there are more rows."""
    every = iter(rows)
    before = sum(1 for _ in islice(every, paging.offset))
    taken = list(islice(every, paging.limit + 1))
    shown = taken[: paging.limit]
    key = _key_of(height, before + len(shown)) if len(taken) > len(shown) else None
    if key:
        click.echo(
            f"there are more {name} than these {len(shown)}: --page-key {key} goes on, --limit N shows more "
            "at once",
            err=True,
        )
    total = before + len(taken) + sum(1 for _ in every) if paging.count_total else len(shown)
    return {
        name: [printed(row) for row in shown],
        "pagination": {"next_key": key, "total": str(total)},
    }


def _key_of(height: int, offset: int) -> str:
    """Our own key: it names a height, so that rows that move meanwhile are neither lost nor shown twice."""
    return base64.urlsafe_b64encode(f"{height}/{offset}".encode()).decode()


def _place_of(key: str) -> tuple[int, int]:
    try:
        found = _PLACE.fullmatch(base64.urlsafe_b64decode(key).decode())
    except ValueError:
        found = None
    if found is None:
        raise click.UsageError(f"--page-key {key} is not the next_key of an answer of this client")
    return int(found[1]), int(found[2])
