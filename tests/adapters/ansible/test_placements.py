"""Placements on disk."""

from __future__ import annotations

from pathlib import Path

from reconciler.adapters.ansible.placements import Placement, Placements
from tests.adapters.ansible.makers import WANTED

PLACEMENT = Placement("one", str(WANTED.lease), "d", 2)


def test_placements_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "ansible" / "places.json"
    placements = Placements(path)
    assert placements.is_new
    placements.put(WANTED.id, PLACEMENT)
    assert Placements(path).all() == {WANTED.id: PLACEMENT}
    assert not Placements(path).is_new
    placements.delete(WANTED.id)
    assert Placements(path).all() == {}
    assert path.stat().st_mode & 0o077 == 0
    assert [each.name for each in path.parent.iterdir()] == ["places.json"]


def test_settling_stores_that_there_are_no_placements(tmp_path: Path) -> None:
    Placements(tmp_path / "p").settle()
    assert not Placements(tmp_path / "p").is_new


def test_an_unreadable_file_counts_as_lost(tmp_path: Path) -> None:
    (tmp_path / "p").write_text('{"x": {"host": 1}}')
    placements = Placements(tmp_path / "p")
    assert placements.is_new
    assert placements.all() == {}
