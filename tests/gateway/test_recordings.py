"""Recordings of what tenants send are judged as the reference judged them."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.manifests import sdl_groups
from tests.replay.__main__ import replayed, tenant_recordings

DEVIATIONS = {
    "manifests.jsonl": 2,
    "jwt.jsonl": 8,
    "signed-requests.jsonl": 1,
    "go-client.jsonl": 24,
    "typescript-grpc.jsonl": 2,
    "client-requests.jsonl": 13,
}
"""Recorded cases that are refused or answered otherwise here, each with its reason in the notes."""


@pytest.mark.parametrize("path", tenant_recordings(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_recording_is_read_as_by_the_reference(path: Path) -> None:
    report = replayed(path)

    assert report is not None
    assert report.differences == []
    assert report.compared >= 4
    assert len(report.notes) == DEVIATIONS.get(path.name, 0), report.notes


def test_a_replay_finds_a_wrong_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdl_groups, "_credentials", lambda *_, **__: None)
    report = replayed(tenant_recordings()[0])
    assert report is not None
    assert "hash" in str(report.differences[0])
