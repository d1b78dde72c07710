"""The commands log and history, in a clone and on the host."""

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
    """A clone with two commits, the second held at first and then applied."""
    monkeypatch.delenv("PROVIDER_DAEMON_HOST", raising=False)
    monkeypatch.setattr("reconciler.settings.DEFAULT_HOST_FILE", tmp_path / "none")
    forge = Forge.make(tmp_path / "clone")
    monkeypatch.chdir(forge.path)
    first = forge.commit("The first", pricing_yaml="1", workloads__a_yaml="a")
    commit_status(forge, f"Applied commit {first[:12]}", desired=first, height=7)
    second = forge.commit("Dearer", pricing_yaml="2")
    commit_status(
        forge, f"Held commit {second[:12]} by Olga (PriceJump: far)", desired=first, height=8, held=second
    )
    commit_status(
        forge, "Two things (and 1 more)\n\nOne thing\nBid on order x", desired=second, height=9, tx=HASH
    )
    return forge


def commit_status(forge: Forge, message: str, *, branch: str = "status/first", **trailers: object) -> str:
    """Adds a commit to a status branch, without a working tree."""
    trailer_lines = [f"Desired-Revision: {trailers['desired']}", f"Plan-Digest: {PLAN}"]
    trailer_lines += [f"Held-Revision: {trailers['held']}"] if "held" in trailers else []
    trailer_lines += [f"Tx-Hash: {trailers['tx']}"] if "tx" in trailers else []
    trailer_lines.append(f"Chain-Height: {trailers['height']}")
    body = f"{message}\n\n" + "\n".join(trailer_lines) + "\n"
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


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run_command(provider_daemon, words)
    out = capsys.readouterr()
    return code, out.out, out.err


def test_log_lists_commits_with_their_outcomes(clone: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    second, first = (clone.git("rev-parse", each) for each in ("main", "main~1"))
    status = clone.git("log", "--format=%H", "status/first").splitlines()
    code, out, err = run(capsys, "log")
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


def test_a_commit_still_held_is_reported_once(clone: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    third = clone.commit("Dearer still", pricing_yaml="3")
    message = f"Held commit {third[:12]} by Olga (PriceJump: far)"
    commit_status(clone, message, desired=clone.git("rev-parse", "main~1"), height=10, held=third)
    assert run(capsys, "log", "--limit", "1")[1].splitlines()[3:] == [
        f"    held      2027-01-15T08:00:05Z by plan {PLAN[:12]}",
        f"              {message}",
    ]


def test_json_output_and_selection_of_one_object(clone: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    [only] = json.loads(run(capsys, "log", "-o", "json", "--object", HASH[:9])[1])
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
        "held_message": f"Held commit {second[:12]} by Olga (PriceJump: far)",
        "status_commits": [
            {
                "commit": status,
                "at": "2027-01-15T08:00:05Z",
                "height": 9,
                "plan_digest": PLAN,
                "lines": ["One thing", "Bid on order x"],
                "transactions": [HASH],
            }
        ],
    }
    for wanted, commits in (("workloads/a.yaml", 1), ("pricing.yaml", 2), ("nothing.yaml", 0)):
        assert len(json.loads(run(capsys, "log", "-o", "json", "--object", wanted)[1])) == commits
    assert run(capsys, "log", "--object", "nothing.yaml")[1] == "nothing is recorded about nothing.yaml\n"


def test_since_and_limit(clone: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "log", "--since", "2027-01-15T08:00:06Z")[1] == "nothing is recorded\n"
    assert len(json.loads(run(capsys, "log", "-o", "json", "--since", "2027-01-15T08:00:05Z")[1])) == 2
    code, out, err = run(capsys, "log", "-o", "json", "--limit", "1")
    assert (code, len(json.loads(out))) == (0, 1)
    assert err == "1 of 2 commits are shown; --limit shows more\n"
    assert run(capsys, "log", "--since", "yesterday")[0] == 64


def test_a_clone_without_the_status_branch_gives_the_fetch_command(
    clone: Forge, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = tmp_path / "narrow"
    command = ["git", "clone", "--quiet", "--single-branch", "--branch=main", str(clone.path), str(narrow)]
    subprocess.run(command, check=True, capture_output=True)
    code, out, err = run(capsys, "log", "--clone", str(narrow))
    assert code == 0
    assert out.count("    not known\n") == 2
    assert "so the outcomes of these commits are not known; fetch it: git fetch origin" in err
    Forge(narrow).git(*err.strip().partition("fetch it: git ")[2].replace("'", "").split())
    assert run(capsys, "log", "--clone", str(narrow))[1:] == run(capsys, "log")[1:]
    monkeypatch.chdir(narrow)
    assert run(capsys, "log")[1] == run(capsys, "log", "--clone", str(clone.path))[1]


def test_truncated_history_is_reported(
    clone: Forge, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shallow = tmp_path / "shallow"
    command = ["git", "clone", "--quiet", "--no-single-branch", "--depth=1", f"file://{clone.path}"]
    subprocess.run([*command, str(shallow)], check=True, capture_output=True)
    assert "is shallow" in run(capsys, "log", "--clone", str(shallow))[2]
    for module in ("reconciler.git.commit_log", "reconciler.cli.history.history_source"):
        monkeypatch.setattr(f"{module}.COMMITS_MAX", 2)
    assert "only the newest 2 commits" in run(capsys, "log")[2]


def test_one_of_several_providers_must_be_named(clone: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    made = clone.commit("Ours", eu__pricing_yaml="1", us__pricing_yaml="1")
    commit_status(clone, "Theirs", branch="status/second", desired=made, height=1)
    code, _, err = run(capsys, "log")
    assert (code, err) == (
        1,
        "error: several providers share this repository; name one with --provider: first, second\n",
    )
    out = json.loads(run(capsys, "log", "-o", "json", "--provider", "second", "--path", "eu")[1])
    assert [(e["commit"], e["files"], e["outcome"]) for e in out] == [(made, ["pricing.yaml"], "in force")]
    assert "no branch status/third" in run(capsys, "log", "--provider", "third")[2]


def test_a_commit_lost_in_a_rewrite_is_listed_by_its_id(
    clone: Forge, capsys: pytest.CaptureFixture[str]
) -> None:
    commit_status(clone, "Applied it", desired="d" * 40, height=10)
    assert f"{'d' * 12}  is not in this history" in run(capsys, "log")[1]


def test_control_characters_from_outside_are_escaped(
    clone: Forge, capsys: pytest.CaptureFixture[str]
) -> None:
    clone.commit("Odd\x1b[2J\x07", "--author", "Mal\x1b[31mlory <m@x>", **{"odd\x1b[2J": "1"})
    assert "\x1b" not in run(capsys, "log")[1]


@pytest.mark.parametrize("when", ["@999999999999 +0000", "@18446744073709551615 +0000"])
def test_a_commit_with_an_absurd_date_has_no_date(
    clone: Forge, capsys: pytest.CaptureFixture[str], when: str
) -> None:
    tree = clone.git("rev-parse", "HEAD^{tree}")
    raw = f"tree {tree}\nauthor O <o@x> 1 +0000\ncommitter O <o@x> {when[1:]}\n\nfar ahead\n"
    commit = clone.git("hash-object", "-w", "--literally", "-t", "commit", "--stdin", stdin=raw.encode())
    clone.git("update-ref", "refs/heads/main", commit)
    code, out, err = run(capsys, "log")
    assert (code, err.count("Traceback")) == (0, 0)
    assert f"{commit[:12]}  unknown  O <o@x>" in out


def test_without_a_repository_log_fails(
    clone: Forge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del clone
    code, _, err = run(capsys, "log", "--clone", str(tmp_path))
    assert code == 1
    assert "is not in a git repository; run this in a clone of the state repository" in err


def test_history_reads_the_status_branch(clone: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    third = clone.commit("Cheaper", pricing_yaml="3")
    commit_status(
        clone,
        f"Held commit {third[:12]} by Olga (MassRemoval: far)",
        desired=clone.git("rev-parse", "main~1"),
        held=third,
        height=10,
    )
    code, out, err = run(capsys, "history")
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


def test_on_the_host_the_repository_is_the_host_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path / "world")
    home.directory.mkdir()
    bootstrap(home, Facts(DevnetPorts(1, 2, 3, 4, 5)))
    first = Forge(home.repository).git("rev-parse", "main")
    commit_status(Forge(home.repository), "Began", branch="status/provider", desired=first, height=3)
    for name in ("log", "history"):
        found = json.loads(run(capsys, name, "--host", str(home.host_file), "-o", "json")[1])
        assert [(e["commit"], e["outcome"]) for e in found] == [(first, "in force")]
