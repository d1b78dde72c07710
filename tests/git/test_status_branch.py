"""The status branch: one commit a change, whoever else pushes and whenever we are killed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reconciler.git.git_process import Ran
from reconciler.git.mirror import Mirror
from reconciler.git.remote import Author, Remote
from reconciler.git.status_branch import last_trailer, publish, rehearse
from reconciler.values.outcomes import Done, Failed, Outcome
from reconciler.values.repository import StatusCommit
from tests.git.forge import Forge

BRANCH = "status/provider"
FILES = {"README.md": b"hello\n", "workloads/3f/a.yaml": b"phase: Running\n"}


def status(message: str = "It happened", **files: bytes) -> StatusCommit:
    named = {name.replace("__", "/"): content for name, content in files.items()} or FILES
    return StatusCommit(BRANCH, named, message, (("Tx-Hash", "AA"), ("Tx-Hash", "BB"), ("Chain-Height", "7")))


def published(mirror: Mirror, commit: StatusCommit) -> Outcome:
    with mirror.held():
        return publish(mirror, commit)


def files_on(forge: Forge) -> dict[str, bytes]:
    names = forge.git("ls-tree", "-r", "--name-only", BRANCH).splitlines()
    return {name: forge.git("show", f"{BRANCH}:{name}").encode() + b"\n" for name in names}


def test_the_first_commit_makes_an_orphan_branch(mirror: Mirror, forge: Forge) -> None:
    main = forge.commit()
    outcome = published(mirror, status())
    assert outcome == Done(forge.git("rev-parse", BRANCH))
    assert forge.git("rev-list", "--count", BRANCH) == "1"
    assert files_on(forge) == FILES
    assert forge.git("rev-parse", "main") == main


def test_the_message_and_its_trailers(mirror: Mirror, forge: Forge) -> None:
    published(mirror, status("Bid on 7\n\nAt 2446uve."))
    assert forge.git("log", "-1", "--format=%s", BRANCH) == "Bid on 7"
    trailers = "%(trailers:key=Tx-Hash,valueonly,separator=%x2C)"
    assert forge.git("log", "-1", f"--format={trailers}", BRANCH) == "AA,BB"
    assert (
        forge.git("log", "-1", "--format=%an <%ae>", BRANCH) == "provider-daemon <provider-daemon@localhost>"
    )


def test_a_trailer_of_the_last_commit_is_read_also_by_who_did_not_make_it(
    mirror: Mirror, forge: Forge, tmp_path: Path
) -> None:
    forge.commit()
    with mirror.held():
        assert last_trailer(mirror, BRANCH, "Chain-Height") == ""
    published(mirror, status())
    other = Mirror(mirror.place, tmp_path / "another")
    for each in (mirror, other):
        with each.held():
            assert last_trailer(each, BRANCH, "Chain-Height") == "7"
            assert last_trailer(each, BRANCH, "Told") == ""


def test_equal_bytes_make_no_commit(mirror: Mirror, forge: Forge) -> None:
    published(mirror, status())
    assert published(mirror, status("other words")) == Done("")
    assert forge.log(BRANCH) == ["It happened"]


def test_files_change_and_go(mirror: Mirror, forge: Forge) -> None:
    published(mirror, status())
    published(mirror, status("next", README=b"bye\n", bids__00__b=b"x: 1\n"))
    assert files_on(forge) == {"README": b"bye\n", "bids/00/b": b"x: 1\n"}
    assert forge.log(BRANCH) == ["next", "It happened"]


def test_what_others_wrote_into_it_is_put_right_on_their_commit(mirror: Mirror, forge: Forge) -> None:
    published(mirror, status())
    forge.git("checkout", "--quiet", BRANCH)
    (forge.path / "link").symlink_to("/etc")
    forge.commit("meddling", README="mine", **{'odd " name': "x"})
    forge.git("checkout", "--quiet", "--orphan", "main")
    assert isinstance(published(mirror, status("again")), Done)
    assert files_on(forge) == FILES
    assert forge.log(BRANCH) == ["again", "meddling", "It happened"]


def test_a_lost_race_is_made_again_on_the_new_tip(
    mirror: Mirror, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(mirror, status())
    rivals = iter(["rival one", "rival two"])
    ask = mirror.ask

    def outrun(*arguments: str) -> Ran:
        if arguments[0] == "push" and (subject := next(rivals, "")):
            tree, tip = forge.git("rev-parse", f"{BRANCH}^{{tree}}"), forge.git("rev-parse", BRANCH)
            made = forge.git("commit-tree", "-m", subject, "-p", tip, tree)
            forge.git("update-ref", f"refs/heads/{BRANCH}", made)
        return ask(*arguments)

    monkeypatch.setattr(mirror, "ask", outrun)
    assert isinstance(published(mirror, status("ours", README=b"new\n")), Done)
    assert forge.log(BRANCH) == ["ours", "rival two", "rival one", "It happened"]
    assert files_on(forge) == {"README": b"new\n"}


def test_a_race_that_is_never_won_ends(mirror: Mirror, forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    ask = mirror.ask
    refused = Ran(1, b"", "! [rejected] (fetch first)")
    monkeypatch.setattr(mirror, "ask", lambda *a: refused if a[0] == "push" else ask(*a))
    outcome = published(mirror, status())
    assert isinstance(outcome, Failed)
    assert outcome.reason == "PublishOutrun"


def test_a_push_whose_answer_was_lost_is_not_made_twice(
    place: Remote, state: Path, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = Mirror(place, state)
    ask = mirror.ask

    def deaf(*arguments: str) -> Ran:
        ran = ask(*arguments)
        return Ran(128, b"", "fatal: Connection reset by peer") if arguments[0] == "push" else ran

    monkeypatch.setattr(mirror, "ask", deaf)
    outcome = published(mirror, status())
    assert isinstance(outcome, Failed)
    assert "cannot be reached now" in outcome.why
    assert published(Mirror(place, state), status()) == Done("")
    assert forge.log(BRANCH) == ["It happened"]


@pytest.mark.parametrize("step", ["before fast-import", "after fast-import", "before push", "after push"])
def test_killed_at_any_step_there_is_one_commit(place: Remote, state: Path, forge: Forge, step: str) -> None:
    """SIGKILL in a process of its own, then the same publishing anew."""
    when, _, what = step.partition(" ")
    script = f"""
import os, signal
from pathlib import Path
from reconciler.git.mirror import Mirror
from reconciler.git.remote import Place
from tests.git.test_status_branch import published, status
mirror = Mirror(Remote({place.url!r}), Path({str(state)!r}))
run = mirror._runner.run
def killing(*arguments, **rest):
    mine = arguments[0] == {what!r}
    if mine and {when!r} == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    ran = run(*arguments, **rest)
    if mine:
        os.kill(os.getpid(), signal.SIGKILL)
    return ran
mirror._runner.run = killing
published(mirror, status())
"""
    killed = subprocess.run([sys.executable, "-c", script], check=False, cwd=Path(__file__).parents[2])
    assert killed.returncode == -signal.SIGKILL
    again = published(Mirror(place, state), status())
    assert again == Done("" if step == "after push" else forge.git("rev-parse", BRANCH))
    assert forge.log(BRANCH) == ["It happened"]
    assert files_on(forge) == FILES


def test_a_branch_that_does_not_take_our_pushes_is_said(mirror: Mirror, forge: Forge) -> None:
    hook = forge.path / "hooks" / "pre-receive"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\necho 'only bots may push here' >&2\nexit 1\n")
    hook.chmod(0o755)
    forge.git("config", "core.hooksPath", str(hook.parent))
    outcome = published(mirror, status())
    assert isinstance(outcome, Failed)
    assert outcome.reason == "PushRejected"
    assert outcome.why == (
        f"{forge.path} does not take commits on {BRANCH}: pre-receive hook declined "
        "(remote: only bots may push here)"
    )
    assert outcome.advice == f"let the daemon's user push to {BRANCH}"


def test_names_that_could_mean_something_else_are_refused(mirror: Mirror) -> None:
    for path in ("../x", "/x", ".git/config", "a b", "a\nb", ""):
        assert isinstance(published(mirror, StatusCommit(BRANCH, {path: b""}, "x")), Failed)
    for branch in ("+main", ":main", "a:b", "-x", ""):
        assert isinstance(published(mirror, StatusCommit(branch, FILES, "x")), Failed)
    odd_trailer = StatusCommit(BRANCH, FILES, "x", (("a b", "c"),))
    assert isinstance(published(mirror, odd_trailer), Failed)


def test_values_of_trailers_stay_on_one_line(mirror: Mirror, forge: Forge) -> None:
    published(mirror, StatusCommit(BRANCH, FILES, "x", (("Note", "a\nTx-Hash: FF"),)))
    assert forge.git("log", "-1", "--format=%(trailers:key=Tx-Hash)", BRANCH) == ""


def test_an_author_with_odd_signs(forge: Forge, state: Path) -> None:
    mirror = Mirror(Remote(str(forge.path), author=Author("A <b>", "c\n@d")), state)
    assert isinstance(published(mirror, status()), Done)
    assert forge.git("log", "-1", "--format=%an|%ae", BRANCH) == "A b|c@d"


def test_contents_may_hold_anything(mirror: Mirror, forge: Forge) -> None:
    content = b"data 3\nM 100644 inline x\n\x00\xff done\n"
    published(mirror, status(x=content))
    ran = subprocess.run(
        ["git", "cat-file", "blob", f"{BRANCH}:x"], cwd=forge.path, capture_output=True, check=True
    )
    assert ran.stdout == content


def test_a_rehearsal_pushes_nothing(mirror: Mirror, forge: Forge) -> None:
    commit = forge.commit()
    with mirror.held():
        mirror.fetch("refs/heads/main", "refs/reconciler/desired")
        assert rehearse(mirror, commit, BRANCH) == Done("")
    assert forge.git("branch", "--list", BRANCH) == ""


def test_a_rehearsal_where_nobody_is(mirror: Mirror, forge: Forge) -> None:
    commit = forge.commit()
    with mirror.held():
        mirror.fetch("refs/heads/main", "refs/reconciler/desired")
        forge.path.rename(forge.path.with_name("gone"))
        outcome = rehearse(mirror, commit, BRANCH)
    assert isinstance(outcome, Failed)
    assert "there is no repository at" in outcome.why


def test_what_a_full_disk_left_is_cleared_away_before_the_next(
    mirror: Mirror, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as tight:
        tight.setattr("reconciler.git.git_process.WRITTEN_BYTES_MAX", 100_000)
        assert isinstance(published(mirror, status(a=random.randbytes(1_000_000))), Failed)
    assert list(mirror.directory.rglob("tmp_*"))
    assert isinstance(published(mirror, status()), Done)
    assert not list(mirror.directory.rglob("tmp_*"))
