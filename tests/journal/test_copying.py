from pathlib import Path

from reconciler.journal.opening import copy_journal, open_journal
from reconciler.values.plans import Plan
from tests.makers import remembered


def test_a_copy_is_taken_beside_the_daemon_that_holds_the_original(tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    memory = remembered(height=77)
    original = open_journal(tmp_path / "state")
    try:
        original.journal.remember(Plan("", (), (), (), memory), 5)
        copy_journal(tmp_path / "state", tmp_path / "copy")
    finally:
        original.close()
    copy = open_journal(tmp_path / "copy")
    try:
        assert copy.journal.memory() == memory
    finally:
        copy.close()


def test_nothing_is_copied_where_there_is_none(tmp_path: Path) -> None:
    copy_journal(tmp_path / "nowhere", tmp_path)
    assert list(tmp_path.iterdir()) == []
