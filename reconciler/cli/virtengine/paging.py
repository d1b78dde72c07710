"""Complete lists: every page of the chain at one height, and a `next_key` where `--limit` ends the answer."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import click
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from reconciler.chain.client_json import to_client_json
from reconciler.chain.node_errors import NodeError
from reconciler.chain.proto.cosmos_paging_pb2 import PageRequest
from reconciler.chain.stubs import Unary
from reconciler.cli.options import options
from reconciler.cli.virtengine.node import NodeConnection, QueryTarget
from reconciler.cli.virtengine.output import print_answer

PAGE_ROWS = 500
ROWS_MAX = 1_000_000_000
"""Of --limit, --offset and --page."""

_KEY = re.compile(r"([0-9]{1,18})/([0-9]{1,9})")

_count = click.IntRange(1, ROWS_MAX)
paging_options = options(
    click.option("--limit", type=_count, default=100, show_default=True, help="Maximum number of rows."),
    click.option("--offset", type=click.IntRange(0, ROWS_MAX), default=0, help="Number of rows to skip."),
    click.option("--page", type=_count, help="Page of --limit rows; the first is 1."),
    click.option("--page-key", help="Continue from an answer's next_key, at that answer's height."),
    click.option("--count-total", is_flag=True, help="Count every row in `total`, not only the shown ones."),
)
"""The flags of `Paging`; a command takes them as keywords."""


@dataclass(frozen=True, slots=True)
class Paging:
    """The part of a list that is shown; `height` 0: as of the newest block."""

    limit: int = PAGE_ROWS
    offset: int = 0
    height: int = 0
    reverse: bool = False
    count_total: bool = True

    @classmethod
    def from_flags(cls, flags: dict[str, Any]) -> Paging:
        """Remove the flags from a command's keywords; UsageError if they contradict each other."""
        limit, offset, page, key = (flags.pop(name) for name in ("limit", "offset", "page", "page_key"))
        order = {"reverse": flags.pop("reverse", False), "count_total": flags.pop("count_total")}
        if sum((offset > 0, page is not None, key is not None)) > 1:
            raise click.UsageError("--offset, --page and --page-key exclude each other; give one of them")
        if key is not None:
            height, offset = _decode_key(key)
            return cls(limit, offset, height, **order)
        return cls(limit, offset if page is None else (page - 1) * limit, **order)

    @property
    def page_rows(self) -> int:
        """Rows of a request: no more than show whether rows follow the last one shown."""
        return PAGE_ROWS if self.count_total else min(PAGE_ROWS, self.offset + self.limit + 1)


COMPLETE = Paging()
"""A whole list."""


def rows_field(method: Unary[Any, Any]) -> FieldDescriptor:
    """The field of a list method's response that holds the rows."""
    fields: Iterable[Any] = method.response.DESCRIPTOR.fields  # the stubs have two classes for descriptors
    found: FieldDescriptor = next(field for field in fields if field.is_repeated)
    return found


def list_rows(
    node: NodeConnection,
    method: Unary[Any, Any],
    fields: Mapping[str, Any],
    page_rows: int,
    *,
    reverse: bool = False,
) -> Iterator[Any]:
    """Every row of a list method, whose request has these `fields`; NodeError if its pages repeat.

    A page that is full and the last is requested again with one row more: where the rows of a state end at
    the limit, the chain leaves out the states after it (semantics 2.2 A).
    """
    name = rows_field(method).name
    key, seen = b"", set[bytes]()
    while True:
        page = PageRequest(key=key, limit=page_rows, reverse=reverse)
        answer = node.query(method, method.request(**fields, pagination=page))
        while not answer.pagination.next_key and len(getattr(answer, name)) == page.limit:
            page.limit += 1
            answer = node.query(method, method.request(**fields, pagination=page))
        yield from getattr(answer, name)
        key = answer.pagination.next_key
        if not key:
            return
        if key in seen:
            raise NodeError(f"the node's list begins again after {len(seen)} pages")
        seen.add(key)


def print_list(
    subject: str,
    flags: dict[str, Any],
    find: Callable[[NodeConnection, dict[str, Any], Paging], Iterable[Message]],
) -> None:
    """Print the rows that `find` gives for a command's flags, all as of one height."""
    target, paging, output = QueryTarget.from_flags(flags), Paging.from_flags(flags), flags.pop("output")
    with target.connect(subject) as connection:
        node = connection.pinned(paging.height)
        answer = _answer(subject.split()[-1], find(node, flags, paging), paging, node.height)
    print_answer(answer, output)


def _answer(name: str, rows: Iterable[Message], paging: Paging, height: int) -> dict[str, Any]:
    """The answer as the chain's client shapes it; if more rows follow, standard error names the flags."""
    remaining = iter(rows)
    skipped = sum(1 for _ in islice(remaining, paging.offset))
    taken = list(islice(remaining, paging.limit + 1))
    shown = taken[: paging.limit]
    key = None
    if len(taken) > len(shown):
        # Our own key names the height, so that rows that move meanwhile are neither lost nor repeated.
        key = base64.urlsafe_b64encode(f"{height}/{skipped + len(shown)}".encode()).decode()
        click.echo(
            f"there are more {name} than these {len(shown)}: --page-key {key} continues, --limit N shows "
            "more at once",
            err=True,
        )
    total = skipped + len(taken) + sum(1 for _ in remaining) if paging.count_total else len(shown)
    return {
        name: [to_client_json(row) for row in shown],
        "pagination": {"next_key": key, "total": str(total)},
    }


def _decode_key(key: str) -> tuple[int, int]:
    """The height and the offset that a `next_key` names."""
    try:
        found = _KEY.fullmatch(base64.urlsafe_b64decode(key).decode())
    except ValueError:
        found = None
    if found is None:
        raise click.UsageError(f"--page-key {key} is not the next_key of an answer of this client")
    return int(found[1]), int(found[2])
