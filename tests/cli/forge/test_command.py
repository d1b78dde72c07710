"""`provider-daemon forge`: what a pull request is told, and what becomes of a forge that fails."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cli.forge.command import FORGE_FAILED
from reconciler.cli.main import provider_daemon, run_command
from reconciler.forge.wire import marker
from tests.forge.fake import COMMIT, REPOSITORY, TOKEN, FakeForge, Trouble, serving

PLAN = "# Plan\n\n`web` @team #12 <b>\n"


def run(*arguments: str) -> int:
    return run_command(provider_daemon, ["forge", *arguments])


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeForge]:
    with serving(FakeForge()) as forge:
        for name in ("GITHUB_ACTIONS", "GITEA_ACTIONS", "GITLAB_CI", "GITHUB_EVENT_PATH", "GITHUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("FORGE_URL", forge.url)
        monkeypatch.setenv("FORGE_REPOSITORY", REPOSITORY)
        monkeypatch.setenv("FORGE_TOKEN", TOKEN)
        monkeypatch.setenv("FORGE_PULL_REQUEST", "7")
        yield forge


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    file = tmp_path / "plan.md"
    file.write_text(PLAN)
    return file


def test_a_comment(fake: FakeForge, plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("comment", "--file", str(plan), "--provider", "north") == 0
    assert capsys.readouterr().out == "comment on pull request 7: written\n"
    assert fake.bodies == [f"{marker('north')}\n# Plan\n\n`web` @\u200bteam #\u200b12 <\u200bb>\n"]
    plan.write_text("changed\n")
    assert run("comment", "--file", str(plan), "--provider", "north") == 0
    assert fake.bodies == [f"{marker('north')}\nchanged\n"]


def test_the_log_of_the_run_is_linked_below_the_first_line(fake: FakeForge, plan: Path) -> None:
    assert run("comment", "--file", str(plan), "--link", "https://forge.example/run/1") == 0
    assert fake.bodies[0].split("\n")[1:5] == [
        "# Plan",
        "",
        "[Log of this run](https://forge.example/run/1)",
        "",
    ]
    assert run("comment", "--file", str(plan), "--link", "javascript:x)[y](z") == 0
    assert "Log of this run" not in fake.bodies[0]


def test_a_pull_request_with_a_newer_head(
    fake: FakeForge, plan: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reviews may overlap; the older one must not replace the newer one's comment."""
    monkeypatch.setenv("FORGE_COMMIT", "e" * 40)
    assert run("comment", "--file", str(plan)) == 0
    assert "has moved from eeeeeeeeeeee to cccccccccccc; nothing was written" in capsys.readouterr().out
    assert fake.bodies == []
    monkeypatch.setenv("FORGE_COMMIT", COMMIT)
    assert run("comment", "--file", str(plan)) == 0
    assert len(fake.bodies) == 1


def test_a_merge_queue_has_a_state_and_no_comment(
    fake: FakeForge, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "event.json").write_text(json.dumps({"merge_group": {"head_sha": "d" * 40}}))
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "event.json"))
    monkeypatch.delenv("FORGE_PULL_REQUEST")
    assert run("comment", "--file", str(plan)) == 0
    assert run("status", "--state", "success") == 0
    assert fake.bodies == []
    assert [each["commit"] for each in fake.statuses] == ["d" * 40]


def test_a_job_of_gitea_that_may_not_set_states(
    fake: FakeForge, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.always = Trouble(403)
    assert run("status", "--state", "success", "--commit", COMMIT) == FORGE_FAILED
    monkeypatch.setenv("GITEA_ACTIONS", "true")
    assert run("status", "--state", "success", "--commit", COMMIT) == 0
    assert "require the job's own state" in capsys.readouterr().out


def test_plain_http_to_another_host_needs_a_flag(plan: Path, fake: FakeForge) -> None:
    """The name resolves nowhere, so that what is permitted ends with a forge that cannot be reached."""
    options = ("--url", "http://forge.invalid", "--seconds", "1")
    assert run("comment", "--file", str(plan), *options) == 64
    assert run("comment", "--file", str(plan), *options, "--allow-http") == FORGE_FAILED


def test_a_long_plan(fake: FakeForge, plan: Path) -> None:
    plan.write_text("a line\n" * 20_000)
    assert run("comment", "--file", str(plan), "--link", "https://forge.example/run/1") == 0
    [body] = fake.bodies
    assert 65_000 < len(body) <= 65_536
    assert body.endswith("The rest is in [its log](https://forge.example/run/1).*\n")


def test_a_state(fake: FakeForge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORGE_TOKEN")
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    token = ("--token-file", str(tmp_path / "token"))
    assert run("status", "--state", "failure", "--description", "2 errors", "--commit", COMMIT, *token) == 0
    [said] = fake.statuses
    assert (said["state"], said["description"]) == ("failure", "2 errors")
    assert said["context"] == "provider-daemon/review"


@pytest.mark.parametrize("trouble", [Trouble(401), Trouble(404), Trouble(429, {"Retry-After": "3600"})])
def test_a_failing_forge_has_its_own_exit_code(
    fake: FakeForge, plan: Path, trouble: Trouble, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.always = trouble
    assert run("comment", "--file", str(plan)) == FORGE_FAILED == 75
    assert run("comment", "--file", str(plan), "--best-effort") == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("nothing was sent to the forge: 127.0.0.1:") == 2
    assert TOKEN not in told.err


def test_a_slow_forge_has_its_own_exit_code(fake: FakeForge, plan: Path) -> None:
    fake.always = Trouble(200, slow_seconds=2)
    assert run("comment", "--file", str(plan), "--seconds", "0.3") == FORGE_FAILED


def test_an_unreachable_forge_has_its_own_exit_code(plan: Path, fake: FakeForge) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    assert run("comment", "--file", str(plan), "--url", url, "--seconds", "1") == FORGE_FAILED


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("FORGE_TOKEN", "", "the token is unknown; give --token-file, or set FORGE_TOKEN"),
        ("FORGE_PULL_REQUEST", "", "the pull request's number is unknown; give --number"),
        ("FORGE_URL", "", "the forge's address is unknown"),
        ("FORGE_URL", "http://forge.example", "not encrypted"),
        ("FORGE_REPOSITORY", "state", "write OWNER/NAME"),
    ],
)
def test_missing_values_are_named(
    fake: FakeForge,
    plan: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    words: str,
) -> None:
    monkeypatch.setenv(variable, value)
    for name in ("GITHUB_API_URL", "GITHUB_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)
    assert run("comment", "--file", str(plan)) == 64
    assert words in capsys.readouterr().err
    assert run("comment", "--file", str(plan), "--best-effort") == 0
    assert not fake.bodies


def test_gitlab_gets_files(
    fake: FakeForge, plan: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FORGE_URL")
    monkeypatch.setenv("GITLAB_CI", "true")
    assert run("comment", "--file", str(plan), "--best-effort") == 0
    assert "code quality report" in capsys.readouterr().err
