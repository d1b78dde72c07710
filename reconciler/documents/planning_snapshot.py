"""The files of the snapshot branch: a planning snapshot as JSON, and a README. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from reconciler.documents.codec import CodecError, codec, dump, parse
from reconciler.values.markdown import cell
from reconciler.values.planning_snapshot import PlanningSnapshot
from reconciler.values.times import utc_text

FILE = "snapshot.json"
PAGE = "README.md"
VERSION = "provider.virtengine.dev/snapshot/v1"
"""Format version of the file; others are rejected."""

BYTES_MAX = 64 * 1024 * 1024
BLOCK_SECONDS_MIN, BLOCK_SECONDS_MAX = Decimal("0.001"), Decimal(86_400)
_APPLIED = re.compile(r"|[0-9a-f]{40}|[0-9a-f]{64}")


class PlanningSnapshotError(ValueError):
    """An unusable snapshot; the message says why and what to do."""


def planning_snapshot_files(snapshot: PlanningSnapshot) -> dict[str, bytes]:
    """Path -> content; equal snapshots give equal bytes."""
    market = replace(snapshot.market, tx_results={}, transfers=(), gap_transfers={}, signed=(), lag_blocks=0)
    text = dump({"version": VERSION, **codec(PlanningSnapshot).encode(replace(snapshot, market=market))})
    return {FILE: _lines(text).encode(), PAGE: _page(snapshot).encode()}


def read_planning_snapshot(content: bytes) -> PlanningSnapshot:
    """The snapshot without transactions and transfers; PlanningSnapshotError for any other content."""
    if len(content) > BYTES_MAX:
        raise PlanningSnapshotError(f"{FILE} has {len(content)} bytes; at most {BYTES_MAX} are read")
    try:
        tree = parse(content.decode("utf-8"))
    except (UnicodeDecodeError, CodecError) as error:
        raise PlanningSnapshotError(
            f"{FILE} is not a snapshot ({error}); let the daemon publish it again"
        ) from None
    version = tree.pop("version", None) if isinstance(tree, dict) else None
    if version != VERSION:
        raise PlanningSnapshotError(
            f"{FILE} has version {version!r}, but this program reads {VERSION}; "
            "use the version of the daemon here"
        )
    try:
        snapshot: PlanningSnapshot = codec(PlanningSnapshot).decode(tree)
    except CodecError as error:
        raise PlanningSnapshotError(
            f"{FILE} was not written by a daemon of this version ({error}); "
            "use the version of the daemon here, or let it publish again"
        ) from None
    if why := next(_inconsistencies(snapshot), ""):
        raise PlanningSnapshotError(f"{FILE} is inconsistent ({why}); let the daemon publish it again")
    return snapshot


def _inconsistencies(snapshot: PlanningSnapshot) -> Iterator[str]:
    """Violations of what planning relies on."""
    market = snapshot.market
    if not BLOCK_SECONDS_MIN <= market.block_seconds <= BLOCK_SECONDS_MAX:
        yield f"{market.block_seconds} s per block"
    if not _APPLIED.fullmatch(snapshot.memory.applied):
        yield f"{snapshot.memory.applied[:60]!r} is not a commit"
    for objects in (market.orders, market.bids, market.leases):
        for key, each in objects.items():
            if key != each.id:
                yield f"the key {key} has the object {each.id}"
    for deployment, account in market.accounts.items():
        if deployment != account.deployment:
            yield f"the key {deployment} has the object {account.deployment}"


def without_times(snapshot: PlanningSnapshot) -> PlanningSnapshot:
    """The snapshot without what changes with every block, to compare two of them."""
    market = replace(
        snapshot.market, height=0, time=0, tx_results={}, transfers=(), gap_transfers={}, signed=()
    )
    memory = replace(snapshot.memory, height=0, height_time=0)
    return replace(snapshot, taken_at=0, market=market, memory=memory)


def _lines(text: str) -> str:
    """Each object on a line of its own, as git compares lines."""
    return text.replace('},"', '},\n"') + "\n"


def _page(snapshot: PlanningSnapshot) -> str:
    at = utc_text(snapshot.taken_at, "%Y-%m-%d %H:%M:%S UTC")
    rows: list[tuple[str, Any]] = [
        ("provider", snapshot.provider),
        ("chain", f"{snapshot.market.chain_id}, height {snapshot.market.height}"),
        ("taken", at),
        ("applied commit", snapshot.memory.applied or "none yet"),
        ("open orders", len(snapshot.market.orders)),
        ("our open bids and leases", f"{len(snapshot.market.bids)} and {len(snapshot.market.leases)}"),
        ("balance", f"{snapshot.market.wallet.balance}uve"),
    ]
    table = "\n".join(f"| {name} | {cell(str(value))} |" for name, value in rows)
    return (
        f"# Planning snapshot of {cell(snapshot.provider)}\n\n"
        "`provider-daemon plan --offline` reads `snapshot.json` to show what a pull request changes. "
        "The daemon replaces this branch and never reads it.\n\n"
        f"| | |\n|---|---|\n{table}\n"
    )
