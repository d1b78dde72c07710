"""The mirror: alone, clean after a kill, made again when it is damaged."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reconciler.git import mirror as mirror_module
from reconciler.git.git_process import GIT_MISSING, TIMED_OUT, TOO_LONG, GitResult
from reconciler.git.mirror import Mirror, MirrorError
from reconciler.git.remote import Remote
from tests.git.forge import Forge

KEPT = "refs/reconciler/desired"


def test_a_mirror_is_bare_private_and_filled_by_fetch(mirror: Mirror, forge: Forge) -> None:
    commit = forge.commit(config_yaml="kind: Config\n")
    with mirror.locked():
        assert mirror.remote_tips("refs/heads/main") == {"refs/heads/main": commit}
        mirror.fetch("refs/heads/main", KEPT)
        assert mirror.tip(KEPT) == commit
        assert mirror.has_commit(commit)
        assert mirror.run("rev-parse", "--is-bare-repository").text == "true"
    assert mirror.directory.stat().st_mode & 0o777 == 0o700
    assert not (mirror.directory / "hooks").exists()


def test_remote_tips_lists_only_the_given_refs(mirror: Mirror, forge: Forge) -> None:
    commit = forge.commit()
    forge.git("branch", "x/refs/heads/main")
    with mirror.locked():
        assert mirror.remote_tips("refs/heads/main") == {"refs/heads/main": commit}
        assert set(mirror.remote_tips()) == {"refs/heads/main", "refs/heads/x/refs/heads/main"}


def test_descent(mirror: Mirror, forge: Forge) -> None:
    first, second = forge.commit("one"), forge.commit("two")
    with mirror.locked():
        mirror.fetch("refs/heads/main", KEPT)
        assert mirror.descends(second, first)
        assert not mirror.descends(first, second)
        assert not mirror.descends(second, "0" * 40)
        assert not mirror.has_commit("0" * 40)


def test_leftovers_of_a_kill_are_removed_at_the_next_start(remote: Remote, state: Path, forge: Forge) -> None:
    commit = forge.commit()
    first = Mirror(remote, state)
    with first.locked():
        first.fetch("refs/heads/main", KEPT)
    left = [
        "objects/pack/tmp_pack_x", "objects/ab/tmp_obj_x", "packed-refs.lock", "config.lock",
        "refs/reconciler/desired.lock", "fast_import_crash_1", "objects/incoming-x/pack/a", "shallow.lock",
    ]  # fmt: skip
    for name in left:
        path = first.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    again = Mirror(remote, state)
    with again.locked():
        assert again.tip(KEPT) == commit
        again.fetch("refs/heads/main", KEPT)
    assert [name for name in left if (first.directory / name).exists()] == []


def test_a_closed_mirror_is_not_replaced(remote: Remote, state: Path, forge: Forge) -> None:
    """A thread that comes after the daemon's stop runs no git, and that says nothing about the mirror."""
    commit = forge.commit()
    first = Mirror(remote, state)
    with first.locked():
        first.fetch("refs/heads/main", KEPT)
    closing = Mirror(remote, state)
    closing.close()
    with pytest.raises(MirrorError), closing.locked():
        pass
    again = Mirror(remote, state)
    with again.locked():
        assert again.tip(KEPT) == commit


@pytest.mark.parametrize("code", [TIMED_OUT, TOO_LONG, GIT_MISSING, -signal.SIGKILL])
def test_a_git_that_could_not_look_finds_no_damage(
    remote: Remote, state: Path, forge: Forge, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    commit = forge.commit()
    first = Mirror(remote, state)
    with first.locked():
        first.fetch("refs/heads/main", KEPT)
    failing = Mirror(remote, state)
    monkeypatch.setattr(failing, "run", lambda *_, **__: GitResult(code, b"", "fatal: no"))
    with pytest.raises(MirrorError), failing.locked():
        pass
    assert not failing.is_damaged()
    again = Mirror(remote, state)
    with again.locked():
        assert again.tip(KEPT) == commit


def test_a_directory_that_is_not_a_mirror_is_replaced(remote: Remote, state: Path, forge: Forge) -> None:
    forge.commit()
    (state / "mirror.git" / "objects").mkdir(parents=True)
    (state / "mirror.git" / "HEAD").write_text("rubbish")
    mirror = Mirror(remote, state)
    with mirror.locked():
        mirror.fetch("refs/heads/main", KEPT)


def test_a_removed_mirror_is_made_again(mirror: Mirror, forge: Forge) -> None:
    commit = forge.commit()
    with mirror.locked():
        mirror.fetch("refs/heads/main", KEPT)
        mirror.recreate()
        assert mirror.tip(KEPT) is None
        mirror.fetch("refs/heads/main", KEPT)
        assert mirror.tip(KEPT) == commit


def test_the_lock_of_the_mirror_is_exclusive(
    mirror: Mirror, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_module, "LOCK_SECONDS", 0.2)
    lock = os.open(state / "mirror.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(MirrorError, match="another git command holds"), mirror.locked():
        pass
    os.close(lock)
    with mirror.locked():
        pass


def test_a_git_that_outlives_its_daemon_keeps_the_lock(
    remote: Remote, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the next daemon would clean away what that git is writing."""
    script = f"""
from pathlib import Path
from reconciler.git.git_process import GIT_MISSING, TIMED_OUT, TOO_LONG, GitResult
from reconciler.git.mirror import Mirror
from reconciler.git.remote import Remote
mirror = Mirror(Remote({remote.url!r}), Path({str(state)!r}))
with mirror.locked():
    mirror.run("-c", "alias.slow=!touch {tmp_path}/started; sleep 1.5", "slow")
"""
    daemon = subprocess.Popen([sys.executable, "-c", script])
    while not (tmp_path / "started").exists():
        assert daemon.poll() is None
        time.sleep(0.02)
    daemon.kill()
    daemon.wait()
    started = time.monotonic()
    with Mirror(remote, state).locked():
        assert time.monotonic() - started > 0.5


def test_an_unwritable_state_directory_is_an_error(mirror: Mirror, state: Path) -> None:
    (state / "mirror.lock").unlink(missing_ok=True)
    (state / "mirror.lock").mkdir()
    with pytest.raises((MirrorError, OSError)), mirror.locked():
        pass


def test_many_small_fetches_are_packed(mirror: Mirror, forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror_module, "PACKS_MAX", 1)
    first = forge.commit("one", a="1")
    with mirror.locked():
        mirror.fetch("refs/heads/main", KEPT)
        forge.commit("other", "--amend", a="2")
        mirror.fetch("refs/heads/main", KEPT)
        forge.commit("more", b="3")
        mirror.fetch("refs/heads/main", KEPT)
        assert "packs: 1" in mirror.run("count-objects", "-v").text.splitlines()
        assert mirror.has_commit(first), "a rewritten commit stays: it may be the one applied"
