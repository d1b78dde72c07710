"""Replays of a real chain's recordings have exactly the known differences."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.devnet.chain import escrow_settling
from reconciler.devnet.chain.call import MessageCall
from tests.replay.__main__ import transcripts
from tests.replay.known import KNOWN
from tests.replay.replaying import Replay
from tests.replay.transcript import read

VECTORS = Path(__file__).parents[2] / "vectors"


@pytest.mark.parametrize("path", transcripts(), ids=lambda path: path.stem)
def test_a_recording_is_replayed_as_it_happened(path: Path) -> None:
    report = Replay(read(path)).run()

    new = [str(one) for one in report.differences if (one.file, one.step) not in KNOWN]
    seen = {(one.file, one.step) for one in report.differences}
    gone = [known for known in KNOWN if known[0] == report.file and known not in seen]
    assert not new
    assert not gone
    assert report.compared > 5


@pytest.mark.parametrize("path", transcripts(), ids=lambda path: path.stem)
def test_gas_runs_out_where_it_did(path: Path) -> None:
    report = Replay(read(path), metered=True).run()

    assert [str(one) for one in report.differences if (one.file, one.step) not in KNOWN] == []


def test_a_replay_finds_a_wrong_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    def rounded_up(call: MessageCall, amount: int, denom: str) -> int:
        del call, denom
        return -(-amount * 2 // 100)

    monkeypatch.setattr(escrow_settling, "take_fee", rounded_up)
    report = Replay(read(VECTORS / "escrow.jsonl")).run()

    assert report.differences
    assert "recorded" in str(report.differences[0])


def test_every_recording_is_replayed_but_the_websocket() -> None:
    names = {path.stem for path in transcripts()}

    assert names == {path.stem for path in VECTORS.glob("*.jsonl")} - {"websocket"}
