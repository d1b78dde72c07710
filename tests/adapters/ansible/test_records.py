"""Records stay in the directories that the host file allows."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.adapters.ansible.plays.module_utils.provider_engine import EngineError
from reconciler.adapters.ansible.plays.module_utils.provider_records import Records, is_due


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    (tmp_path / "allowed").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "allowed" / "out").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in").symlink_to(tmp_path / "allowed")
    return tmp_path / "allowed"


@pytest.mark.parametrize("path", ["allowed", "allowed/new", "in/new"])
def test_a_directory_within_is_accepted_through_a_link_too(tmp_path: Path, allowed: Path, path: str) -> None:
    Records(str(tmp_path / path)).require_within([str(tmp_path / "other"), str(allowed)])


@pytest.mark.parametrize("path", ["elsewhere", "allowed/out", "allowed/out/new", "allowed-2"])
def test_a_link_out_of_it_is_refused(tmp_path: Path, allowed: Path, path: str) -> None:
    with pytest.raises(EngineError, match="leads to") as caught:
        Records(str(tmp_path / path)).require_within([str(allowed)])
    assert caught.value.step == "storage"


def test_without_allowed_directories_nothing_is_checked(tmp_path: Path) -> None:
    Records(str(tmp_path)).require_within([])


@pytest.mark.parametrize(("now", "due"), [(1_000, False), (1_010, True), (999, True)])
@pytest.mark.parametrize("kind", ["failure", "restarts"])
def test_a_repair_waits_unless_the_clock_was_set_back(kind: str, now: float, due: bool) -> None:
    count = 1 if kind == "failure" else 2

    assert is_due({kind: {"count": count, "at": 1_000}}, now) is due
