"""Both histories as the command tells them, from a clone and on the host."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from reconciler.cli.main import provider_daemon, run_command
from reconciler.devnet.bootstrap import bootstrap
from reconciler.devnet.home import DevnetPorts, Facts, Home
from tests.git.forge import Forge

PLAN = "ab" * 32
HASH = "CD" * 32


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Forge:
    """A clone of two commits, the second of them held at first, then applied."""
    monkeypatch.delenv("PROVIDER_DAEMON_HOST", raising=False)
    monkeypatch.setattr("reconciler.settings.DEFAULT_HOST_FILE", tmp_path / "none")
    forge = Forge.make(tmp_path / "clone")
    monkeypatch.chdir(forge.path)
    first = forge.commit("The first", pricing_yaml="1", workloads__a_yaml="a")
    told(forge, f"Applied commit {first[:12]}", desired=first, height=7)
    second = forge.commit("Dearer", pricing_yaml="2")
    told(forge, f"Held commit {second[:12]} by Olga (PriceJump: far)", desired=first, height=8, held=second)
    told(forge, "Two things (and 1 more)\n\nOne thing\nBid on order x", desired=second, height=9, tx=HASH)
    return forge


def told(forge: Forge, message: str, *, branch: str = "status/first", **trailers: object) -> str:
    """One commit of a status branch, with no working tree."""
    words = [f"Desired-Revision: {trailers['desired']}", f"Plan-Digest: {PLAN}"]
    words += [f"Held-Revision: {trailers['held']}"] if "held" in trailers else []
    words += [f"Tx-Hash: {trailers['tx']}"] if "tx" in trailers else []
    words.append(f"Chain-Height: {trailers['height']}")
    body = f"{message}\n\n" + "\n".join(words) + "\n"
    who = "provider-daemon <daemon@localhost> 1800000005 +0000"
    there = forge.git("for-each-ref", f"refs/heads/{branch}")
    parent = f"from refs/heads/{branch}^0\n" if there else ""
    text = f"commit refs/heads/{branch}\ncommitter {who}\ndata {len(body.encode())}\n{body}\n{parent}"
    summary = "address: ve1us\n"
    forge.git(
        "fast-import",
        "--quiet",
        stdin=f"{text}M 100644 inline summary.yaml\ndata {len(summary)}\n{summary}\n".encode(),
    )
    return forge.git("rev-parse", branch)


def say(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run_command(provider_daemon, words)
    out = capsys.readouterr()
    return code, out.out, out.err


def test_each_commit_with_what_came_of_it(clone: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    second, first = (clone.git("rev-parse", each) for each in ("main", "main~1"))
    status = clone.git("log", "--format=%H", "status/first").splitlines()
    code, out, err = say(capsys, "log")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"{second[:12]}  2027-01-15T08:00:00Z  Olga Operator <olga@example.com>",
        "    Dearer",
        "    files     pricing.yaml",
        f"    held      2027-01-15T08:00:05Z by plan {PLAN[:12]}",
        f"              Held commit {second[:12]} by Olga (PriceJump: far)",
        f"    in force  since 2027-01-15T08:00:05Z by plan {PLAN[:12]}",
        f"      2027-01-15T08:00:05Z  height 9  status {status[0][:12]}",
        "        One thing",
        "        Bid on order x",
        f"        transaction {HASH}",
        f"{first[:12]}  2027-01-15T08:00:00Z  Olga Operator <olga@example.com>",
        "    The first",
        "    files     pricing.yaml, workloads/a.yaml",
        f"    applied   since 2027-01-15T08:00:05Z by plan {PLAN[:12]}",
        f"      2027-01-15T08:00:05Z  height 7  status {status[2][:12]}",
        f"        Applied commit {first[:12]}",
        f"      2027-01-15T08:00:05Z  height 8  status {status[1][:12]}",
        f"        Held commit {second[:12]} by Olga (PriceJump: far)",
    ]


def test_a_commit_that_is_still_held_is_said_so_once(
    clone: Forge, capsys: pytest.CaptureFixture[str]
) -> None:
    third = clone.commit("Dearer still", pricing_yaml="3")
    says = f"Held commit {third[:12]} by Olga (PriceJump: far)"
    told(clone, says, desired=clone.git("rev-parse", "main~1"), height=10, held=third)
    assert say(capsys, "log", "--limit", "1")[1].splitlines()[3:] == [
        f"    held      2027-01-15T08:00:05Z by plan {PLAN[:12]}",
        f"              {says}",
    ]


def test_for_a_program_and_for_one_object(clone: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    [only] = json.loads(say(capsys, "log", "-o", "json", "--object", HASH[:9])[1])
    second, status = clone.git("rev-parse", "main"), clone.git("rev-parse", "status/first")
    assert only == {
        "commit": second,
        "author": "Olga Operator",
        "email": "olga@example.com",
        "at": "2027-01-15T08:00:00Z",
        "subject": "Dearer",
        "files": ["pricing.yaml"],
        "reverts": "",
        "outcome": "in force",
        "revision": second,
        "applied_at": "2027-01-15T08:00:05Z",
        "plan_digest": PLAN,
        "held_at": "2027-01-15T08:00:05Z",
        "held_words": f"Held commit {second[:12]} by Olga (PriceJump: far)",
        "did": [
            {
                "status_commit": status,
                "at": "2027-01-15T08:00:05Z",
                "height": 9,
                "plan_digest": PLAN,
                "says": ["One thing", "Bid on order x"],
                "transactions": [HASH],
            }
        ],
    }
    for wanted, commits in (("workloads/a.yaml", 1), ("pricing.yaml", 2), ("nothing.yaml", 0)):
        assert len(json.loads(say(capsys, "log", "-o", "json", "--object", wanted)[1])) == commits
    assert say(capsys, "log", "--object", "nothing.yaml")[1] == "nothing is recorded about nothing.yaml\n"


def test_since_and_limit(clone: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    assert say(capsys, "log", "--since", "2027-01-15T08:00:06Z")[1] == "nothing is recorded\n"
    assert len(json.loads(say(capsys, "log", "-o", "json", "--since", "2027-01-15T08:00:05Z")[1])) == 2
    code, out, err = say(capsys, "log", "-o", "json", "--limit", "1")
    assert (code, len(json.loads(out))) == (0, 1)
    assert err == "1 of 2 commits are shown; --limit shows more\n"
    assert say(capsys, "log", "--since", "yesterday")[0] == 64


def test_a_fresh_clone_needs_both_branches_and_says_so(
    clone: Forge, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = tmp_path / "narrow"
    command = ["git", "clone", "--quiet", "--single-branch", "--branch=main", str(clone.path), str(narrow)]
    subprocess.run(command, check=True, capture_output=True)
    code, out, err = say(capsys, "log", "--clone", str(narrow))
    assert code == 0
    assert out.count("    not known\n") == 2
    assert "so what came of these commits is not known; get it: git fetch origin" in err
    Forge(narrow).git(*err.strip().partition("get it: git ")[2].replace("'", "").split())
    assert say(capsys, "log", "--clone", str(narrow))[1:] == say(capsys, "log")[1:]
    monkeypatch.chdir(narrow)
    assert say(capsys, "log")[1] == say(capsys, "log", "--clone", str(clone.path))[1]


def test_what_is_cut_off_is_said(
    clone: Forge, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shallow = tmp_path / "shallow"
    command = ["git", "clone", "--quiet", "--no-single-branch", "--depth=1", f"file://{clone.path}"]
    subprocess.run([*command, str(shallow)], check=True, capture_output=True)
    assert "is shallow" in say(capsys, "log", "--clone", str(shallow))[2]
    for module in ("reconciler.git.commit_log", "reconciler.cli.history.history_source"):
        monkeypatch.setattr(f"{module}.COMMITS_MAX", 2)
    assert "only the newest 2 commits" in say(capsys, "log")[2]


def test_several_providers_are_told_apart(clone: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    made = clone.commit("Ours", eu__pricing_yaml="1", us__pricing_yaml="1")
    told(clone, "Theirs", branch="status/second", desired=made, height=1)
    code, _, err = say(capsys, "log")
    assert (code, err) == (
        1,
        "error: several providers share this repository; name one with --provider: first, second\n",
    )
    out = json.loads(say(capsys, "log", "-o", "json", "--provider", "second", "--path", "eu")[1])
    assert [(e["commit"], e["files"], e["outcome"]) for e in out] == [(made, ["pricing.yaml"], "in force")]
    assert "no branch status/third" in say(capsys, "log", "--provider", "third")[2]


def test_what_was_rewritten_away_is_told_by_its_id(clone: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    told(clone, "Applied it", desired="d" * 40, height=10)
    assert f"{'d' * 12}  is not in this history" in say(capsys, "log")[1]


def test_strangers_words_move_no_cursor(clone: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    clone.commit("Odd\x1b[2J\x07", "--author", "Mal\x1b[31mlory <m@x>", **{"odd\x1b[2J": "1"})
    assert "\x1b" not in say(capsys, "log")[1]


@pytest.mark.parametrize("when", ["@999999999999 +0000", "@18446744073709551615 +0000"])
def test_a_commit_of_an_absurd_date_is_listed_without_one(
    clone: Forge, capsys: pytest.CaptureFixture[str], when: str
) -> None:
    tree = clone.git("rev-parse", "HEAD^{tree}")
    raw = f"tree {tree}\nauthor O <o@x> 1 +0000\ncommitter O <o@x> {when[1:]}\n\nfar ahead\n"
    commit = clone.git("hash-object", "-w", "--literally", "-t", "commit", "--stdin", stdin=raw.encode())
    clone.git("update-ref", "refs/heads/main", commit)
    code, out, err = say(capsys, "log")
    assert (code, err.count("Traceback")) == (0, 0)
    assert f"{commit[:12]}  unknown  O <o@x>" in out


def test_where_there_is_no_repository_it_says_so(
    clone: Forge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del clone
    code, _, err = say(capsys, "log", "--clone", str(tmp_path))
    assert code == 1
    assert "is not in a git repository; run this in a clone of the state repository" in err


def test_history_from_the_status_branch(clone: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    third = clone.commit("Cheaper", pricing_yaml="3")
    told(
        clone,
        f"Held commit {third[:12]} by Olga (MassRemoval: far)",
        desired=clone.git("rev-parse", "main~1"),
        held=third,
        height=10,
    )
    code, out, err = say(capsys, "history")
    assert (code, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    second, first = (clone.git("rev-parse", each)[:12] for each in ("main~1", "main~2"))
    at = "2027-01-15T08:00:05Z"
    assert lines == [
        "COMMIT OUTCOME AT UNTIL PLAN AUTHOR SUBJECT",
        f"{third[:12]} held {at} - {PLAN[:12]} Olga Operator Cheaper",
        f"Held commit {third[:12]} by Olga (MassRemoval: far)",
        f"{second} in force {at} - {PLAN[:12]} Olga Operator Dearer",
        f"{first} applied {at} {at} {PLAN[:12]} Olga Operator The first",
    ]


def test_on_the_host_the_host_file_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path / "world")
    home.directory.mkdir()
    bootstrap(home, Facts(DevnetPorts(1, 2, 3, 4, 5)))
    first = Forge(home.repository).git("rev-parse", "main")
    told(Forge(home.repository), "Began", branch="status/provider", desired=first, height=3)
    for name in ("log", "history"):
        found = json.loads(say(capsys, name, "--host", str(home.host_file), "-o", "json")[1])
        assert [(e["commit"], e["outcome"]) for e in found] == [(first, "in force")]
