"""The port: commits seen or unseen with a sentence, blobs, publishing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.git.git_process import GitResult
from reconciler.git.remote import Remote
from reconciler.git.repository import GitRepository
from reconciler.ports import Repo
from reconciler.values.outcomes import Done, Failed
from reconciler.values.readings import Seen, Unseen
from reconciler.values.repository import BranchCommit, Commit
from tests.git.forge import Forge


def seen(repository: GitRepository, applied: str = "") -> tuple[Commit, ...]:
    reading = repository.fetch(applied)
    assert isinstance(reading, Seen), reading
    return reading.view


def unseen(repository: GitRepository) -> str:
    reading = repository.fetch("")
    assert isinstance(reading, Unseen), reading
    return reading.why


def test_git_repository_implements_the_port(repository: GitRepository) -> None:
    port: Repo = repository
    assert port is repository


def test_the_newest_commit(repository: GitRepository, forge: Forge) -> None:
    commit = forge.commit("prices", pricing_yaml="x: 1\n")
    (newest,) = seen(repository)
    assert (newest.id, newest.author, newest.subject, newest.committed_at) == (
        commit,
        "Olga Operator",
        "prices",
        1_800_000_000,
    )
    assert repository.read(list(newest.files.values())) == {newest.files["pricing.yaml"]: b"x: 1\n"}
    assert newest.descends
    assert newest.signer is None


def test_uncommitted_edits_are_not_read(repository: GitRepository, forge: Forge) -> None:
    forge.commit(pricing_yaml="x: 1\n")
    forge.write(pricing_yaml="x: 2\n", config_yaml="new")
    forge.git("add", "--all")
    (newest,) = seen(repository)
    assert list(newest.files) == ["pricing.yaml"]
    assert repository.read(list(newest.files.values())) == {newest.files["pricing.yaml"]: b"x: 1\n"}


def test_uncommitted_edits_are_listed(repository: GitRepository, forge: Forge, tmp_path: Path) -> None:
    forge.commit(pricing_yaml="x: 1\n", config_yaml="a")
    assert repository.uncommitted() == ()
    forge.write(pricing_yaml="x: 2\n", workloads__new_yaml="x")
    assert repository.uncommitted() == ("pricing.yaml", "workloads/")
    forge.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    assert GitRepository(Remote(str(tmp_path / "bare.git")), tmp_path / "other").uncommitted() == ()


def test_the_applied_commit_beside_the_newest(repository: GitRepository, forge: Forge) -> None:
    first = forge.commit("one", a="1")
    seen(repository)
    second = forge.commit("two", a="2")
    newest, applied = seen(repository, first)
    assert (newest.id, newest.descends, applied.id) == (second, True, first)
    assert len(seen(repository, second)) == 1


def test_a_rewritten_branch_does_not_descend_and_the_old_commit_stays(
    repository: GitRepository, forge: Forge
) -> None:
    first = forge.commit("one", a="1")
    (old,) = seen(repository)
    second = forge.commit("other", "--amend", a="2")
    forge.git("reflog", "expire", "--expire=now", "--all")
    forge.git("gc", "--quiet", "--prune=now")
    newest, applied = seen(repository, first)
    assert (newest.id, newest.descends) == (second, False)
    assert applied.files == old.files
    assert repository.read([old.files["a"]]) == {old.files["a"]: b"1"}


def test_an_applied_commit_that_no_longer_exists(repository: GitRepository, forge: Forge) -> None:
    forge.commit()
    (newest,) = seen(repository, "1" * 40)
    assert not newest.descends


def test_the_mirror_has_the_commit_in_force_after_the_journal_is_lost(
    repository: GitRepository, forge: Forge, state: Path
) -> None:
    first, second = forge.commit("one"), forge.commit("two")
    seen(repository, first)
    assert [c.id for c in seen(GitRepository(Remote(str(forge.path)), state))] == [second, first]
    forge.git("update-ref", "refs/heads/main", forge.git("commit-tree", "-m", "other", "HEAD^{tree}"))
    newest, older = seen(GitRepository(Remote(str(forge.path)), state))
    assert (newest.descends, older.id) == (False, first), "a rewritten history is refused as before"
    third = forge.commit("three")
    assert [c.id for c in seen(GitRepository(Remote(str(forge.path)), state), third)] == [third]
    assert [c.id for c in seen(GitRepository(Remote(str(forge.path)), state))] == [third]


def test_an_empty_repository(repository: GitRepository, forge: Forge) -> None:
    assert unseen(repository) == f"{forge.path} is empty; push the branch main to it"


def test_another_branch_only(repository: GitRepository, forge: Forge) -> None:
    forge.commit()
    forge.git("branch", "--move", "main", "master")
    assert unseen(repository) == (
        f"{forge.path} has no branch main, but master; push it, or change repository.branch in the host file"
    )


def test_a_repository_that_disappears_and_returns(
    repository: GitRepository, forge: Forge, tmp_path: Path
) -> None:
    commit = forge.commit()
    seen(repository)
    shutil.move(forge.path, tmp_path / "away")
    assert unseen(repository).startswith(
        f"there is no repository at {forge.path}; check repository.url in the host file"
    )
    remembered = repository.last_fetched("")
    assert isinstance(remembered, Seen)
    assert remembered.view[0].id == commit
    shutil.move(tmp_path / "away", forge.path)
    assert seen(repository)[0].id == commit


def test_recall_without_an_earlier_fetch(repository: GitRepository, forge: Forge) -> None:
    assert repository.last_fetched("") == Unseen(f"{forge.path} was never read on this machine")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x.git", "https://me:tok@127.0.0.1:9/x.git"])
def test_a_server_that_does_not_answer(state: Path, url: str) -> None:
    why = unseen(GitRepository(Remote(url), state))
    assert "cannot be reached; the request is repeated" in why
    assert "tok" not in why


def test_a_bare_repository_and_a_file_url(forge: Forge, state: Path, tmp_path: Path) -> None:
    commit = forge.commit(a="1")
    forge.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    assert seen(GitRepository(Remote(str(tmp_path / "bare.git")), state))[0].id == commit
    assert seen(GitRepository(Remote(f"file://{tmp_path}/bare.git"), state / "b"))[0].id == commit


def test_one_repository_serves_several_providers(forge: Forge, state: Path) -> None:
    forge.commit(north__config_yaml="n", south__config_yaml="s", README="r")
    (newest,) = seen(GitRepository(Remote(str(forge.path), path="south"), state))
    assert list(newest.files) == ["config.yaml"]


def test_a_damaged_mirror_is_made_again(
    repository: GitRepository, forge: Forge, remote: Remote, state: Path
) -> None:
    commit = forge.commit(a="1")
    seen(repository)
    for packed in (state / "mirror.git" / "objects").rglob("*"):
        if packed.is_file():
            packed.chmod(0o600)
            packed.write_bytes(b"rubbish")
    assert seen(GitRepository(remote, state))[0].id == commit


def test_a_remotes_claim_of_damage_does_not_empty_the_mirror(
    repository: GitRepository, forge: Forge, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is by default is no secret; it alone may hold the revision in force."""
    applied = forge.commit(a="1")
    seen(repository)
    forge.commit(a="2")
    real = repository._mirror._runner.run

    def told(*arguments: str, **rest: object) -> GitResult:
        if arguments[0] == "fetch":
            return GitResult(128, b"", f"fatal: remote error: {state}/mirror.git/objects/pack is corrupt")
        return real(*arguments, **rest)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(repository._mirror._runner, "run", told)
    reading = repository.fetch(applied)
    assert isinstance(reading, Unseen)
    assert "is corrupt" in reading.why
    recalled = repository.last_fetched(applied)
    assert isinstance(recalled, Seen)
    assert [commit.id for commit in recalled.view] == [applied]


def test_an_unchanged_branch_is_not_fetched(
    repository: GitRepository, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = forge.commit(a="1")
    seen(repository)
    seen(repository, commit)
    started = commands_of(repository, monkeypatch)
    seen(repository, commit)
    assert started == ["ls-remote"]
    assert isinstance(repository.last_fetched(commit), Seen)
    assert started == ["ls-remote"], "between polls no git is run"


def test_a_new_commit_is_read_by_one_process(
    repository: GitRepository, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen(repository, forge.commit(a="1"))
    forge.commit(config_yaml="1", workloads__a_yaml="1", adapters__b_yaml="2")
    started = commands_of(repository, monkeypatch)
    seen(repository)
    assert started == ["ls-remote", "fetch", "cat-file", "merge-base", "rev-list"]


def commands_of(repository: GitRepository, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The git commands that are started from now on."""
    started: list[str] = []
    runner = repository._mirror._runner
    for name in ("run", "start"):
        real = getattr(runner, name)

        def counted(*arguments: str, real: Callable[..., object] = real, **rest: object) -> object:
            started.append(arguments[0])
            return real(*arguments, **rest)

        monkeypatch.setattr(runner, name, counted)
    return started


def test_a_working_trees_hooks_and_filters_are_not_run(
    repository: GitRepository, forge: Forge, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    for hook in ("post-checkout", "reference-transaction", "post-receive", "post-update", "pre-receive"):
        path = forge.path / ".git" / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\ntouch {ran}\n")
        path.chmod(0o755)
    forge.commit(gitattributes="* filter=x\n")
    ran.unlink(missing_ok=True)
    seen(repository)
    assert isinstance(repository.publish(BranchCommit("status/p", {"a": b"1"}, "x")), Done)
    assert not ran.exists()


def test_status_never_goes_to_the_desired_branch(repository: GitRepository, forge: Forge) -> None:
    commit = forge.commit()
    outcome = repository.publish(BranchCommit("main", {"a": b"1"}, "x"))
    assert isinstance(outcome, Failed)
    assert forge.git("rev-parse", "main") == commit


def test_publishing_does_not_change_the_desired_branch(repository: GitRepository, forge: Forge) -> None:
    commit = forge.commit()
    assert isinstance(repository.publish(BranchCommit("status/p", {"a": b"1"}, "x")), Done)
    assert [c.id for c in seen(repository, commit)] == [commit]


def test_publishing_to_a_missing_repository(repository: GitRepository, forge: Forge) -> None:
    shutil.rmtree(forge.path)
    outcome = repository.publish(BranchCommit("status/p", {"a": b"1"}, "x"))
    assert isinstance(outcome, Failed)
    assert "there is no repository at" in outcome.why


def test_a_shell_in_the_address_is_never_run(state: Path, tmp_path: Path) -> None:
    odd = tmp_path / "$(touch ran); `touch ran`"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(odd)], check=True)
    assert "is empty; push the branch main" in unseen(GitRepository(Remote(str(odd)), state))
    assert not list(tmp_path.glob("**/ran"))


def names(commit: Commit) -> list[str]:
    return [each.subject for each in commit.superseded]


def test_the_commits_between_the_applied_and_the_newest(repository: GitRepository, forge: Forge) -> None:
    first = forge.commit("one", a="1")
    assert names(seen(repository)[0]) == []
    second = forge.commit("two", a="2")
    forge.commit(f"Revert\n\nThis reverts commit {second}.", a="1")
    newest = forge.commit("four", a="4")
    (found, _) = seen(repository, first)
    assert names(found) == ["two", "Revert"]
    assert (found.superseded[0].id, found.superseded[0].author) == (second, "Olga Operator")
    assert found.superseded[1].reverts == second
    recalled = repository.last_fetched(first)
    assert isinstance(recalled, Seen)
    assert recalled.view[0].superseded == found.superseded
    assert names(seen(repository, second)[0]) == ["Revert"]
    assert names(seen(repository, newest)[0]) == []


def test_a_merge_supersedes_nothing_of_the_merged_branch(repository: GitRepository, forge: Forge) -> None:
    first = forge.commit("one", a="1")
    forge.git("switch", "--quiet", "--create", "topic")
    forge.commit("on the topic", b="1")
    forge.git("switch", "--quiet", "main")
    forge.commit("two", a="2")
    forge.git("merge", "--quiet", "--no-ff", "-m", "merge", "topic")
    assert names(seen(repository, first)[0]) == ["two"]


def test_a_rewritten_branch_supersedes_nothing(repository: GitRepository, forge: Forge) -> None:
    forge.commit("one", a="1")
    second = forge.commit("two", a="2")
    seen(repository)
    forge.git("reset", "--quiet", "--hard", "HEAD~1")
    forge.commit("three", a="3")
    forge.commit("four", a="4")
    assert names(seen(repository, second)[0]) == []


def test_superseded_commits_are_bounded_to_the_newest(repository: GitRepository, forge: Forge) -> None:
    forge.commit("first", a="1")
    applied = forge.git("rev-parse", "HEAD")
    parts = [
        f"commit refs/heads/main\ncommitter O <o@e> 1800000000 +0000\ndata <<E\n{n}\nE\n" for n in range(104)
    ]
    parts[0] += f"from {applied}\n"
    forge.git("fast-import", "--quiet", stdin="\n".join(parts).encode())
    assert names(seen(repository, applied)[0]) == [str(number) for number in range(3, 103)]
