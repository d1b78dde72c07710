"""Which host a workload is on, kept."""

from __future__ import annotations

from pathlib import Path

from reconciler.adapters.ansible.placements import Placement, Placements
from tests.adapters.ansible.makers import WANTED

PLACE = Placement("one", str(WANTED.lease), "d", 2)


def test_what_is_kept_survives_the_daemon(tmp_path: Path) -> None:
    path = tmp_path / "ansible" / "places.json"
    places = Placements(path)
    assert places.is_new
    places.put(WANTED.id, PLACE)
    assert Placements(path).all() == {WANTED.id: PLACE}
    assert not Placements(path).is_new
    places.forget(WANTED.id)
    assert Placements(path).all() == {}
    assert path.stat().st_mode & 0o077 == 0
    assert [each.name for each in path.parent.iterdir()] == ["places.json"]


def test_that_nothing_is_anywhere_is_kept_too(tmp_path: Path) -> None:
    Placements(tmp_path / "p").settle()
    assert not Placements(tmp_path / "p").is_new


def test_a_file_that_cannot_be_read_is_as_good_as_lost(tmp_path: Path) -> None:
    (tmp_path / "p").write_text('{"x": {"host": 1}}')
    places = Placements(tmp_path / "p")
    assert places.is_new
    assert places.all() == {}
