"""The snapshot branch's files: an outlook as JSON, and a page that says what it is. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from reconciler.documents.codec import CodecError, codec, parse
from reconciler.values.markdown import cell
from reconciler.values.planning_snapshot import PlanningSnapshot
from reconciler.values.times import utc_text

FILE = "snapshot.json"
PAGE = "README.md"
FORM = "provider.virtengine.dev/snapshot/v1"
"""The form of the file; another one is refused, as a plan made from half of it would be wrong."""

BYTES_MAX = 64 * 1024 * 1024
BLOCK_SECONDS_MIN, BLOCK_SECONDS_MAX = Decimal("0.001"), Decimal(86_400)
_APPLIED = re.compile(r"|[0-9a-f]{40}|[0-9a-f]{64}")


class PlanningSnapshotError(ValueError):
    """A snapshot that cannot be used; the sentence says why and what to do."""


def planning_snapshot_files(outlook: PlanningSnapshot) -> dict[str, bytes]:
    """Path -> content; equal outlooks give equal bytes."""
    kept = replace(outlook, market=replace(outlook.market, landed={}, transfers=(), lag_blocks=0))
    tree = {"form": FORM, **codec(PlanningSnapshot).encode(kept)}
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"))
    return {FILE: _lines(text).encode(), PAGE: _page(outlook).encode()}


def read_planning_snapshot(content: bytes) -> PlanningSnapshot:
    """The outlook back, equal but for transactions and transfers; OutlookError for anything else."""
    if len(content) > BYTES_MAX:
        raise PlanningSnapshotError(f"{FILE} has {len(content)} bytes; at most {BYTES_MAX} are read")
    try:
        tree = parse(content.decode("utf-8"))
    except (UnicodeDecodeError, CodecError) as error:
        raise PlanningSnapshotError(
            f"{FILE} is no snapshot ({error}); let the daemon publish it again"
        ) from None
    form = tree.pop("form", None) if isinstance(tree, dict) else None
    if form != FORM:
        raise PlanningSnapshotError(
            f"{FILE} is of the form {form!r}, this program reads {FORM}; use the daemon's own version here"
        )
    try:
        outlook: PlanningSnapshot = codec(PlanningSnapshot).decode(tree)
    except CodecError as error:
        raise PlanningSnapshotError(
            f"{FILE} is not as a daemon of this version writes it ({error}); "
            "use the daemon's own version here, or let it publish again"
        ) from None
    if why := next(_contradictions(outlook), ""):
        raise PlanningSnapshotError(f"{FILE} contradicts itself ({why}); let the daemon publish it again")
    return outlook


def _contradictions(outlook: PlanningSnapshot) -> Iterator[str]:
    """What no daemon writes, and planning relies on."""
    market = outlook.market
    if not BLOCK_SECONDS_MIN <= market.block_seconds <= BLOCK_SECONDS_MAX:
        yield f"{market.block_seconds} s a block"
    if not _APPLIED.fullmatch(outlook.memory.applied):
        yield f"{outlook.memory.applied[:60]!r} is no commit"
    for kind in (market.orders, market.bids, market.leases):
        for key, thing in kind.items():
            if key != thing.id:
                yield f"{key} stands for {thing.id}"
    for deployment, account in market.accounts.items():
        if deployment != account.deployment:
            yield f"{deployment} stands for {account.deployment}"


def timeless(outlook: PlanningSnapshot) -> PlanningSnapshot:
    """The outlook without what changes with every block: two that are equal so say the same."""
    market = replace(outlook.market, height=0, time=0, landed={}, transfers=())
    memory = replace(outlook.memory, height=0, height_time=0)
    return replace(outlook, taken_at=0, market=market, memory=memory)


def _lines(text: str) -> str:
    """One line for each top-level part would still be long; git compares lines, so objects get their own."""
    return text.replace('},"', '},\n"') + "\n"


def _page(outlook: PlanningSnapshot) -> str:
    at = utc_text(outlook.taken_at, "%Y-%m-%d %H:%M:%S UTC")
    rows: list[tuple[str, Any]] = [
        ("provider", outlook.provider),
        ("chain", f"{outlook.market.chain_id}, height {outlook.market.height}"),
        ("taken", at),
        ("applied commit", outlook.memory.applied or "none yet"),
        ("open orders", len(outlook.market.orders)),
        ("our open bids and leases", f"{len(outlook.market.bids)} and {len(outlook.market.leases)}"),
        ("balance", f"{outlook.market.wallet.balance}uve"),
    ]
    table = "\n".join(f"| {name} | {cell(str(value))} |" for name, value in rows)
    return (
        f"# What {cell(outlook.provider)} sees\n\n"
        "`provider-daemon plan --offline` reads `snapshot.json` to say what a pull request will change. "
        "The daemon replaces this branch; nothing is read back from it.\n\n"
        f"| | |\n|---|---|\n{table}\n"
    )
