"""Suspend and resume are commits of the operator's."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.cli.main import provider_daemon, run_command
from reconciler.cli.repository import desired_edit
from reconciler.devnet.bootstrap import bootstrap
from reconciler.devnet.home import DevnetPorts, Facts, Home
from reconciler.devnet.plain_git import git


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


def say(home: Home, *words: str) -> int:
    return run_command(provider_daemon, [*words, "--host", str(home.host_file)])


def log(home: Home) -> list[str]:
    return git(home.repository, "log", "--format=%an: %s", "main").splitlines()


def config(home: Home) -> str:
    return git(home.repository, "show", "main:config.yaml")


def test_a_commit_says_who_and_why_and_another_ends_it(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    before = config(home)
    assert say(home, "suspend", "the hoster moves racks") == 0
    assert "suspended by commit" in capsys.readouterr().out
    assert log(home)[0] == "Olga: Suspend: the hoster moves racks"
    assert config(home) == before + 'suspended: "the hoster moves racks"\n'
    assert say(home, "suspend", "the hoster moves racks") == 0
    assert "already" in capsys.readouterr().out
    assert say(home, "resume") == 0
    assert (config(home), log(home)[0]) == (before, "Olga: Resume")
    assert say(home, "resume") == 0
    assert "it is not suspended" in capsys.readouterr().out


def test_a_push_in_between_is_kept(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    others = home.directory / "other"
    git(home.directory, "clone", "--quiet", str(home.repository), str(others))
    pushes = [True]
    real = desired_edit._run

    def late(at: Path | None, *arguments: str) -> subprocess.CompletedProcess[str]:
        if "push" in arguments and pushes.pop() if pushes else False:
            git(others, "commit", "--quiet", "--allow-empty", "--message", "Meanwhile")
            git(others, "push", "--quiet", "origin", "HEAD:main")
        return real(at, *arguments)

    monkeypatch.setattr(desired_edit, "_run", late)
    assert say(home, "suspend", "flood") == 0
    assert [line.partition(": ")[2] for line in log(home)[:2]] == ["Suspend: flood", "Meanwhile"]


def test_a_working_tree_is_committed_in_place_unless_it_is_being_edited(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    work = home.directory / "work"
    git(home.directory, "clone", "--quiet", str(home.repository), str(work))
    text = home.host_file.read_text().replace("url: state.git", "url: work")
    home.host_file.write_text(text)
    assert say(home, "suspend", "flood") == 0
    assert git(work, "log", "-1", "--format=%an: %s").strip() == "Olga: Suspend: flood"
    (work / "config.yaml").write_text("bidding: {enabled: false}\n")
    capsys.readouterr()
    assert say(home, "resume") == 1
    assert "was edited and not committed" in capsys.readouterr().err
    assert (work / "config.yaml").read_text() == "bidding: {enabled: false}\n"


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "x" * 201])
def test_a_reason_is_one_line(home: Home, capsys: pytest.CaptureFixture[str], reason: str) -> None:
    assert say(home, "suspend", reason) == 1
    assert capsys.readouterr().err == "error: say the reason in one line of at most 200 characters\n"


def test_gits_own_words_are_told(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    hook = home.repository / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'this branch is protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    assert say(home, "suspend", "flood") == 1
    err = capsys.readouterr().err
    assert err.startswith("error: git push failed: ")
    assert "this branch is protected" in err
    assert "remote:" not in err
    assert "change config.yaml by one (`provider-daemon stop-spending` stops at once, without git)" in err
