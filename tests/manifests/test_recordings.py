"""Recorded SDL files and manifests are read as the reference parser read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.manifests import sdl_groups
from tests.replay.__main__ import manifest_recordings, replayed


@pytest.mark.parametrize("path", manifest_recordings(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_recording_is_read_as_by_the_reference(path: Path) -> None:
    report = replayed(path)

    assert report is not None
    assert report.differences == []
    assert report.compared >= 4
    assert len(report.notes) <= 2, "the one deviation, with two cases"


def test_a_replay_finds_a_wrong_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdl_groups, "_credentials", lambda *_, **__: None)
    report = replayed(manifest_recordings()[0])
    assert report is not None
    assert "hash" in str(report.differences[0])
