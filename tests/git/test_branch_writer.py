"""Branches that we write: one commit a change, whoever else pushes and whenever we are killed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.git.branch_writer import BranchEdit, BranchWriter
from reconciler.git.git_process import GitResult
from reconciler.git.mirror import Mirror
from reconciler.git.remote import Author, Remote
from reconciler.values.outcomes import Done, Failed, Outcome
from reconciler.values.repository import BranchCommit
from tests.git.forge import Forge

BRANCH = "status/provider"
FILES = {"README.md": b"hello\n", "workloads/3f/a.yaml": b"phase: Running\n"}


def status(message: str = "It happened", **files: bytes) -> BranchCommit:
    named = {name.replace("__", "/"): content for name, content in files.items()} or FILES
    return BranchCommit(BRANCH, named, message, (("Tx-Hash", "AA"), ("Tx-Hash", "BB"), ("Chain-Height", "7")))


def write(mirror: Mirror, commit: BranchCommit) -> Outcome:
    with mirror.locked():
        return BranchWriter(mirror).write(commit)


def files_on(forge: Forge) -> dict[str, bytes]:
    names = forge.git("ls-tree", "-r", "--name-only", BRANCH).splitlines()
    return {name: forge.git("show", f"{BRANCH}:{name}").encode() + b"\n" for name in names}


def test_the_first_commit_has_no_parent(mirror: Mirror, forge: Forge) -> None:
    main = forge.commit()
    outcome = write(mirror, status())
    assert outcome == Done(forge.git("rev-parse", BRANCH))
    assert forge.git("rev-list", "--count", BRANCH) == "1"
    assert files_on(forge) == FILES
    assert forge.git("rev-parse", "main") == main


def test_the_message_and_its_trailers(mirror: Mirror, forge: Forge) -> None:
    write(mirror, status("Bid on 7\n\nAt 2446uve."))
    assert forge.git("log", "-1", "--format=%s", BRANCH) == "Bid on 7"
    trailers = "%(trailers:key=Tx-Hash,valueonly,separator=%x2C)"
    assert forge.git("log", "-1", f"--format={trailers}", BRANCH) == "AA,BB"
    assert (
        forge.git("log", "-1", "--format=%an <%ae>", BRANCH) == "provider-daemon <provider-daemon@localhost>"
    )


def test_the_last_trailer_is_read_from_the_remote_branch(
    mirror: Mirror, forge: Forge, tmp_path: Path
) -> None:
    forge.commit()
    with mirror.locked():
        assert BranchWriter(mirror).last_trailer(BRANCH, "Chain-Height") == ""
    write(mirror, status())
    other = Mirror(mirror.remote, tmp_path / "another")
    for each in (mirror, other):
        with each.locked():
            assert BranchWriter(each).last_trailer(BRANCH, "Chain-Height") == "7"
            assert BranchWriter(each).last_trailer(BRANCH, "Told") == ""


def test_equal_files_make_no_commit(mirror: Mirror, forge: Forge) -> None:
    write(mirror, status())
    assert write(mirror, status("other words")) == Done("")
    assert forge.log(BRANCH) == ["It happened"]


def test_files_are_changed_and_removed(mirror: Mirror, forge: Forge) -> None:
    write(mirror, status())
    write(mirror, status("next", README=b"bye\n", bids__00__b=b"x: 1\n"))
    assert files_on(forge) == {"README": b"bye\n", "bids/00/b": b"x: 1\n"}
    assert forge.log(BRANCH) == ["next", "It happened"]


def test_files_of_others_are_replaced_by_a_commit_on_theirs(mirror: Mirror, forge: Forge) -> None:
    write(mirror, status())
    forge.git("checkout", "--quiet", BRANCH)
    (forge.path / "link").symlink_to("/etc")
    forge.commit("meddling", README="mine", **{'odd " name': "x"})
    forge.git("checkout", "--quiet", "--orphan", "main")
    assert isinstance(write(mirror, status("again")), Done)
    assert files_on(forge) == FILES
    assert forge.log(BRANCH) == ["again", "meddling", "It happened"]


def test_after_a_lost_race_the_commit_is_made_on_the_new_tip(
    mirror: Mirror, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(mirror, status())
    rivals = iter(["rival one", "rival two"])
    contact = mirror.contact

    def outrun(*arguments: str) -> GitResult:
        if arguments[0] == "push" and (subject := next(rivals, "")):
            tree, tip = forge.git("rev-parse", f"{BRANCH}^{{tree}}"), forge.git("rev-parse", BRANCH)
            made = forge.git("commit-tree", "-m", subject, "-p", tip, tree)
            forge.git("update-ref", f"refs/heads/{BRANCH}", made)
        return contact(*arguments)

    monkeypatch.setattr(mirror, "contact", outrun)
    assert isinstance(write(mirror, status("ours", README=b"new\n")), Done)
    assert forge.log(BRANCH) == ["ours", "rival two", "rival one", "It happened"]
    assert files_on(forge) == {"README": b"new\n"}


def test_the_number_of_attempts_is_bounded(
    mirror: Mirror, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    contact = mirror.contact
    refused = GitResult(1, b"", "! [rejected] (fetch first)")
    monkeypatch.setattr(mirror, "contact", lambda *a: refused if a[0] == "push" else contact(*a))
    outcome = write(mirror, status())
    assert isinstance(outcome, Failed)
    assert outcome.reason == "PublishOutrun"


def test_a_push_whose_response_was_lost_is_not_repeated(
    remote: Remote, state: Path, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = Mirror(remote, state)
    contact = mirror.contact

    def lose_response(*arguments: str) -> GitResult:
        ran = contact(*arguments)
        return GitResult(128, b"", "fatal: Connection reset by peer") if arguments[0] == "push" else ran

    monkeypatch.setattr(mirror, "contact", lose_response)
    outcome = write(mirror, status())
    assert isinstance(outcome, Failed)
    assert "cannot be reached" in outcome.why
    assert write(Mirror(remote, state), status()) == Done("")
    assert forge.log(BRANCH) == ["It happened"]


@pytest.mark.parametrize("step", ["before fast-import", "after fast-import", "before push", "after push"])
def test_a_kill_at_any_step_leaves_one_commit(remote: Remote, state: Path, forge: Forge, step: str) -> None:
    """SIGKILL in a separate process, then the same write again."""
    when, _, what = step.partition(" ")
    script = f"""
import os, signal
from pathlib import Path
from reconciler.git.mirror import Mirror
from reconciler.git.remote import Remote
from tests.git.test_branch_writer import status, write
mirror = Mirror(Remote({remote.url!r}), Path({str(state)!r}))
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
write(mirror, status())
"""
    killed = subprocess.run([sys.executable, "-c", script], check=False, cwd=Path(__file__).parents[2])
    assert killed.returncode == -signal.SIGKILL
    again = write(Mirror(remote, state), status())
    assert again == Done("" if step == "after push" else forge.git("rev-parse", BRANCH))
    assert forge.log(BRANCH) == ["It happened"]
    assert files_on(forge) == FILES


def test_a_rejected_push_names_the_reason(mirror: Mirror, forge: Forge) -> None:
    hook = forge.path / "hooks" / "pre-receive"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\necho 'only bots may push here' >&2\nexit 1\n")
    hook.chmod(0o755)
    forge.git("config", "core.hooksPath", str(hook.parent))
    outcome = write(mirror, status())
    assert isinstance(outcome, Failed)
    assert outcome.reason == "PushRejected"
    assert outcome.why == (
        f"{forge.path} rejects commits on {BRANCH}: pre-receive hook declined "
        "(remote: only bots may push here)"
    )
    assert outcome.advice == f"allow the daemon's user to push to {BRANCH}"


def test_unsafe_names_are_rejected(mirror: Mirror) -> None:
    for path in ("../x", "/x", ".git/config", "a b", "a\nb", ""):
        assert isinstance(write(mirror, BranchCommit(BRANCH, {path: b""}, "x")), Failed)
    for branch in ("+main", ":main", "a:b", "-x", ""):
        assert isinstance(write(mirror, BranchCommit(branch, FILES, "x")), Failed)
    odd_trailer = BranchCommit(BRANCH, FILES, "x", (("a b", "c"),))
    assert isinstance(write(mirror, odd_trailer), Failed)


def test_trailer_values_stay_on_one_line(mirror: Mirror, forge: Forge) -> None:
    write(mirror, BranchCommit(BRANCH, FILES, "x", (("Note", "a\nTx-Hash: FF"),)))
    assert forge.git("log", "-1", "--format=%(trailers:key=Tx-Hash)", BRANCH) == ""


def test_invalid_characters_in_the_author_are_removed(forge: Forge, state: Path) -> None:
    mirror = Mirror(Remote(str(forge.path), author=Author("A <b>", "c\n@d")), state)
    assert isinstance(write(mirror, status()), Done)
    assert forge.git("log", "-1", "--format=%an|%ae", BRANCH) == "A b|c@d"


def test_contents_may_be_any_bytes(mirror: Mirror, forge: Forge) -> None:
    content = b"data 3\nM 100644 inline x\n\x00\xff done\n"
    write(mirror, status(x=content))
    ran = subprocess.run(
        ["git", "cat-file", "blob", f"{BRANCH}:x"], cwd=forge.path, capture_output=True, check=True
    )
    assert ran.stdout == content


def test_check_push_pushes_nothing(mirror: Mirror, forge: Forge) -> None:
    commit = forge.commit()
    with mirror.locked():
        mirror.fetch("refs/heads/main", "refs/reconciler/desired")
        assert BranchWriter(mirror).check_push(BRANCH, commit) == Done("")
    assert forge.git("branch", "--list", BRANCH) == ""


def test_check_push_reports_a_missing_repository(mirror: Mirror, forge: Forge) -> None:
    commit = forge.commit()
    with mirror.locked():
        mirror.fetch("refs/heads/main", "refs/reconciler/desired")
        forge.path.rename(forge.path.with_name("gone"))
        outcome = BranchWriter(mirror).check_push(BRANCH, commit)
    assert isinstance(outcome, Failed)
    assert "there is no repository at" in outcome.why


def test_leftovers_of_a_failed_write_are_removed_before_the_next(
    mirror: Mirror, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("reconciler.git.git_process.WRITTEN_BYTES_MAX", 100_000)
        assert isinstance(write(mirror, status(a=random.randbytes(1_000_000))), Failed)
    assert list(mirror.directory.rglob("tmp_*"))
    assert isinstance(write(mirror, status()), Done)
    assert not list(mirror.directory.rglob("tmp_*"))


def edit(mirror: Mirror, forge: Forge, change: Callable[[bytes | None], bytes]) -> Outcome:
    """Edit a branch that begins at main."""
    forge.git("branch", BRANCH, "main")
    with mirror.locked():
        return BranchWriter(mirror).edit(
            BranchEdit(BRANCH, "a/config.yaml", change, "Edit", (("Lease", "7"),))
        )


def test_an_edit_changes_one_file_of_the_branch(mirror: Mirror, forge: Forge) -> None:
    before = forge.commit(a__config_yaml="x: 1\n", other_yaml="y: 1\n")
    outcome = edit(mirror, forge, lambda content: (content or b"") + b"z: 1\n")
    assert outcome == Done(forge.git("rev-parse", BRANCH))
    assert forge.git("rev-parse", f"{BRANCH}~1") == before
    assert forge.git("diff", "--name-only", before, BRANCH) == "a/config.yaml"
    assert forge.git("show", f"{BRANCH}:a/config.yaml") == "x: 1\nz: 1"
    assert forge.git("log", "-1", "--format=%s %(trailers:key=Lease,valueonly)", BRANCH) == "Edit 7"


def test_an_edit_without_a_difference_makes_no_commit(mirror: Mirror, forge: Forge) -> None:
    forge.commit(a__config_yaml="x: 1\n")
    assert edit(mirror, forge, lambda content: content or b"") == Done("")
    assert forge.log(BRANCH) == ["a change"]


def test_an_edit_keeps_the_mode_of_the_file(mirror: Mirror, forge: Forge) -> None:
    forge.write(a__config_yaml="x: 1\n")
    (forge.path / "a" / "config.yaml").chmod(0o755)
    forge.commit()
    assert isinstance(edit(mirror, forge, lambda _: b"x: 2\n"), Done)
    assert forge.git("ls-tree", BRANCH, "a/config.yaml").startswith("100755 ")


@pytest.mark.parametrize("kind", ["missing", "link", "folder"])
def test_an_edit_gets_no_content_unless_the_path_is_a_plain_file(
    mirror: Mirror, forge: Forge, kind: str
) -> None:
    path = forge.path / "a" / "config.yaml"
    path.parent.mkdir()
    if kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind == "folder":
        path.mkdir()
        (path / "b").write_text("")
    forge.commit()
    assert isinstance(edit(mirror, forge, lambda content: repr(content).encode()), Done)
    assert forge.git("show", f"{BRANCH}:a/config.yaml") == "None"


def test_an_edit_makes_a_missing_branch(mirror: Mirror, forge: Forge) -> None:
    forge.commit()
    with mirror.locked():
        outcome = BranchWriter(mirror).edit(BranchEdit("tenants/p", "a.yaml", lambda _: b"x: 1\n", "First"))
    assert outcome == Done(forge.git("rev-parse", "tenants/p"))
    assert forge.log("tenants/p") == ["First"]
