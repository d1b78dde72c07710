"""Who may enter the state directory, and what is in it for whom."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.journal.errors import JournalError
from reconciler.journal.lock import DaemonLock
from reconciler.journal.opening import open_journal
from reconciler.journal.state_directory import make_state_directory

OTHERS = 65_534


def test_one_that_is_missing_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    make_state_directory(tmp_path / "a" / "state")
    assert (tmp_path / "a" / "state").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o770, 0o711])
def test_the_rights_of_others_are_taken_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int
) -> None:
    tmp_path.chmod(mode)
    open_journal(tmp_path).close()
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    assert "its mode is 0700 now" in caplog.text


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o702])
def test_one_that_anyone_could_write_into_is_refused(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    with pytest.raises(JournalError, match="anyone may write into the state directory"):
        open_journal(tmp_path)
    assert not list(tmp_path.iterdir())


def test_one_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As another user planted it, in /tmp for example, before the daemon's first start."""
    if os.geteuid() == 0:
        os.chown(tmp_path, OTHERS, OTHERS)
    monkeypatch.setattr(os, "geteuid", lambda: 12_345)
    with pytest.raises(JournalError, match="belongs to user"):
        make_state_directory(tmp_path)


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    """Root may run a command on the state of the daemon's user, who must not gain by it."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "daemon.lock").symlink_to(victim)
    with pytest.raises(JournalError, match=r"daemon\.lock cannot be opened"):
        DaemonLock(tmp_path)
    assert victim.read_text() == "precious"


def test_every_file_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    script = (
        "import os, sys; os.umask(0)\n"
        "from pathlib import Path\n"
        "from reconciler.journal.opening import open_journal\n"
        "from reconciler.values.records import Request\n"
        "journal = open_journal(Path(sys.argv[1]))\n"
        "journal.inbox.enqueue(Request.RECONCILE, 7)\n"
        "os._exit(0)\n"  # the log and its index stay
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "state")], check=True, timeout=60)
    found = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "state").iterdir()}
    assert {"daemon.lock", "journal.sqlite", "journal.sqlite-wal"} <= found.keys()
    assert set(found.values()) == {0}
