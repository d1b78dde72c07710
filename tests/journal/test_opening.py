"""One daemon at a time; a damaged file is a sentence; `kill -9` loses nothing that was said to be kept."""

from __future__ import annotations

import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler import ports
from reconciler.journal.database import NAME, Database
from reconciler.journal.errors import JournalBrokenError, JournalError, JournalLockedError
from reconciler.journal.lock import holder
from reconciler.journal.opening import open_journal, open_records
from reconciler.journal.schema import VERSION
from reconciler.values.subjects import Subject
from tests.journal.facts import intent

WRITER = """
import sys
from pathlib import Path
from reconciler.journal.schema import VERSION
from reconciler.journal.opening import open_journal
from reconciler.values.memory import Memory
from tests.journal.facts import NOON, intent, plan
opened = open_journal(Path(sys.argv[1]))
n = opened.journal.memory().height
while True:
    n += 1
    opened.intents.record_intent(intent(f"T{n}"))
    opened.journal.remember(plan(Memory(height=n)), NOON)
    print(n, flush=True)
"""


def start_writer(directory: Path) -> subprocess.Popen[str]:
    """A process that writes without end, and says each step that is kept."""
    return subprocess.Popen([sys.executable, "-c", WRITER, str(directory)], stdout=subprocess.PIPE, text=True)


def test_a_killed_daemon_loses_nothing_and_leaves_no_lock(tmp_path: Path) -> None:
    for steps in (1, 7, 23):
        writer = start_writer(tmp_path)
        assert writer.stdout is not None
        said = 0
        for _ in range(steps):
            said = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        said = int(([said] + [int(line) for line in writer.stdout])[-1])
        writer.wait()
        opened = open_journal(tmp_path)
        assert opened.journal.memory().height in (said, said + 1)
        assert {i.hash for i in opened.intents.open_intents()} >= {f"T{n}" for n in range(1, said + 1)}
        opened.close()


def test_a_second_daemon_gets_the_owner_of_the_journal(tmp_path: Path) -> None:
    writer = start_writer(tmp_path)
    assert writer.stdout is not None
    writer.stdout.readline()
    with pytest.raises(JournalLockedError, match=rf"\(pid {writer.pid} on \S+ since .* UTC\); stop it first"):
        open_journal(tmp_path)
    assert isinstance(open_records(tmp_path), object)
    writer.kill()
    writer.communicate()
    open_journal(tmp_path).close()


def test_a_closed_journal_can_be_opened_again_at_once(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    opened.close()
    again = open_journal(tmp_path)
    with pytest.raises(JournalLockedError):
        open_journal(tmp_path)
    again.close()
    assert holder(tmp_path) == "owner unknown"


def test_only_its_user_may_read_it(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    opened = open_journal(directory)
    opened.intents.record_intent(intent())
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(f.stat().st_mode) for f in directory.iterdir()} == {0o600}


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\x00" + b"\x01" * 4096])
def test_a_damaged_file_has_advice(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(JournalBrokenError, match=r"cannot be read: .*move the file away.*it rebuilds"):
        open_journal(tmp_path)
    (tmp_path / NAME).unlink()
    open_journal(tmp_path).close()


def test_a_page_that_is_damaged_is_found_at_the_start(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    for n in range(200):
        opened.intents.record_intent(intent(f"T{n}"))
    opened.close()
    content = bytearray((tmp_path / NAME).read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 64] = b"\xff" * 64
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(JournalBrokenError, match="move the file away"):
        open_journal(tmp_path)


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / NAME)
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(
        JournalBrokenError, match=r"another program; name another state directory in the host file$"
    ):
        open_journal(tmp_path)


def test_a_newer_journal_is_not_touched(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    opened.database.execute("PRAGMA user_version = 99")
    opened.close()
    with pytest.raises(JournalBrokenError, match=r"newer release .*\); install that release again$"):
        open_journal(tmp_path)


def test_readers_need_a_journal_and_change_nothing(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"there is no journal .* yet; run the daemon once"):
        open_records(tmp_path)
    open_journal(tmp_path).close()
    records: ports.Records = open_records(tmp_path)
    assert records.decisions(Subject.parse("x")) == ()
    with pytest.raises(JournalError, match="readonly"):
        Database(tmp_path / NAME, read_only=True).execute("DELETE FROM facts")


def test_a_state_directory_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match=r"cannot be made: .*; make it for the daemon's user"):
        open_journal(tmp_path / "file" / "state")


@pytest.mark.parametrize("version", [VERSION + 1, 0])
def test_a_reader_refuses_a_journal_of_another_version(tmp_path: Path, version: int) -> None:
    open_journal(tmp_path).close()
    with sqlite3.connect(tmp_path / NAME) as database:
        database.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(
        JournalBrokenError, match="newer release of provider-daemon" if version else "start the daemon once"
    ):
        open_records(tmp_path)


def test_a_transaction_is_found_by_the_beginning_of_its_hash(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    for name in ("AB12", "AB3F", "AC00"):
        opened.intents.record_intent(intent(name))
    found = opened.records.transactions("ab", 10)
    assert [each.intent.hash for each in found] == ["AB3F", "AB12"]
    assert opened.records.transactions("AB", 1) == found[:1]
