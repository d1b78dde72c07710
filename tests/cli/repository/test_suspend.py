"""`suspend` and `resume` commit to the desired branch as the operator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import provider_daemon, run_command
from reconciler.cli.repository.desired_edit import OperatorGit
from reconciler.devnet.bootstrap import bootstrap
from reconciler.devnet.home import DevnetPorts, Facts, Home
from reconciler.devnet.operator_git import git
from reconciler.git.git_process import GitResult


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A state repository with a host file; the operator is Olga."""
    made = Home(tmp_path / "world")
    made.directory.mkdir()
    bootstrap(made, Facts(DevnetPorts(1, 2, 3, 4, 5)))
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Olga")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "olga@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    return made


def run_on(home: Home, *words: str) -> int:
    return run_command(provider_daemon, [*words, "--host", str(home.host_file)])


def log(home: Home) -> list[str]:
    return git(home.repository, "log", "--format=%an: %s", "main").splitlines()


def config(home: Home) -> str:
    return git(home.repository, "show", "main:config.yaml")


def test_suspend_and_resume_are_commits_with_author_and_reason(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    before = config(home)
    assert run_on(home, "suspend", "the hoster moves racks") == 0
    assert "suspended by commit" in capsys.readouterr().out
    assert log(home)[0] == "Olga: Suspend: the hoster moves racks"
    assert config(home) == before + 'suspended: "the hoster moves racks"\n'
    assert run_on(home, "suspend", "the hoster moves racks") == 0
    assert "already suspended" in capsys.readouterr().out
    assert run_on(home, "resume") == 0
    assert (config(home), log(home)[0]) == (before, "Olga: Resume")
    assert run_on(home, "resume") == 0
    assert "not suspended" in capsys.readouterr().out


def test_a_push_of_others_in_between_is_kept(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    others = home.directory / "other"
    git(home.directory, "clone", "--quiet", str(home.repository), str(others))
    pushes = [True]
    real = OperatorGit.run

    def run(operator: OperatorGit, *arguments: str, **options: Any) -> GitResult:
        if arguments[0] == "push" and pushes.pop() if pushes else False:
            git(others, "commit", "--quiet", "--allow-empty", "--message", "Meanwhile")
            git(others, "push", "--quiet", "origin", "HEAD:main")
        return real(operator, *arguments, **options)

    monkeypatch.setattr(OperatorGit, "run", run)
    assert run_on(home, "suspend", "flood") == 0
    assert [line.partition(": ")[2] for line in log(home)[:2]] == ["Suspend: flood", "Meanwhile"]


def test_a_local_working_tree_is_committed_in_place_unless_it_has_changes(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    work = home.directory / "work"
    git(home.directory, "clone", "--quiet", str(home.repository), str(work))
    text = home.host_file.read_text().replace("url: state.git", "url: work")
    home.host_file.write_text(text)
    assert run_on(home, "suspend", "flood") == 0
    assert git(work, "log", "-1", "--format=%an: %s").strip() == "Olga: Suspend: flood"
    (work / "config.yaml").write_text("bidding: {enabled: false}\n")
    capsys.readouterr()
    assert run_on(home, "resume") == 1
    assert "has uncommitted changes; commit or revert them first" in capsys.readouterr().err
    assert (work / "config.yaml").read_text() == "bidding: {enabled: false}\n"


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "x" * 201])
def test_a_reason_is_one_line(home: Home, capsys: pytest.CaptureFixture[str], reason: str) -> None:
    assert run_on(home, "suspend", reason) == 1
    assert capsys.readouterr().err == "error: write the reason in one line of at most 200 characters\n"


def test_a_rejected_push_names_another_way(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    hook = home.repository / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'this branch is protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    assert run_on(home, "suspend", "flood") == 1
    err = capsys.readouterr().err
    assert err.startswith(f"error: {home.repository} rejects commits on main: ")
    assert "this branch is protected" in err
    assert "change config.yaml by one (`provider-daemon stop-spending` stops at once, without git)" in err
