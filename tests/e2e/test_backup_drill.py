"""The drill: back up beside a running daemon, let the market move on, lose everything, restore, run."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from reconciler.chain.proto.cosmos_tx_pb2 import TxBody, TxRaw
from reconciler.chain.proto.market_v1beta5_pb2 import MsgCreateBid
from reconciler.chain.rpc import Rpc
from reconciler.devnet.accounts import PROVIDER, key_of
from tests.e2e.processes import daemon, devnet, run

US = key_of(PROVIDER).address
HELD_BLOCKS = 20


def bids_of_ours(rpc: Rpc) -> list[tuple[int, str]]:
    """Every bid that any block carries from us, refused ones too: its height and its order."""
    found: list[tuple[int, str]] = []
    for height in range(1, rpc.status().height + 1):
        for raw in rpc.block(height).txs:
            for message in TxBody.FromString(TxRaw.FromString(raw).body_bytes).messages:
                if message.type_url.endswith(".MsgCreateBid"):
                    bid = MsgCreateBid.FromString(message.value).id
                    order = f"{bid.owner}/{bid.dseq}/{bid.gseq}/{bid.oseq}"
                    found += [(height, order)] if bid.provider == US else []
    return found


def posted(home: Path) -> str:
    done = run("devnet", "tenant", "order", "--home", str(home), "-o", "json")
    assert done.returncode == 0, done.stderr
    made: dict[str, Any] = json.loads(done.stdout)
    return str(made["order"])


def test_nothing_is_bid_twice_after_everything_was_lost(tmp_path: Path) -> None:
    home, file = tmp_path / "world", tmp_path / "backup.tar"
    host = home / "host.yaml"
    with devnet(home, "--block-seconds", "0.2") as facts:
        rpc = Rpc(facts["rpc"])

        def is_bid(wanted: str) -> bool:
            return any(bid == wanted for _, bid in bids_of_ours(rpc))

        with daemon(host) as process:
            first = posted(home)
            process.wait_until(lambda: is_bid(first), "a bid before the backup")
            kept = run("backup", str(file), "--host", str(host))
            assert kept.returncode == 0, kept.stderr
            digest = kept.stdout.partition("sha256: ")[2].split()[0]
            later = posted(home)
            process.wait_until(lambda: is_bid(later), "a bid after the backup")
        for lost in (home / "state", home / "keyring"):
            shutil.rmtree(lost)
        host.unlink()
        restored = run("restore", str(file), "--yes", "--trust", digest)  # the devnet's keyring is not sealed
        assert restored.returncode == 0, restored.stderr
        asked_at, last = rpc.status().height, posted(home)
        with daemon(host) as restarted:
            restarted.wait_until(lambda: is_bid(last), "a bid after the restore")
        bids = bids_of_ours(rpc)
    assert Counter(bid for _, bid in bids) == {first: 1, later: 1, last: 1}
    assert max(height for height, _ in bids) >= asked_at + HELD_BLOCKS
    assert "does not match the account's sequence: nothing is spent before height" in restarted.stderr
