"""Where a pull request is, by what each CI sets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.cli.forge.target import ForgeTarget, MissingOptionError, forge_target_of

HEAD = "d" * 40
ACTIONS = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_API_URL": "https://api.github.com",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "olga/state",
    "GITHUB_RUN_ID": "9",
    "GITHUB_SHA": "e" * 40,
    "GITHUB_TOKEN": "t",
}
LINK = "https://github.com/olga/state/actions/runs/9"


def event(tmp_path: Path, found: object) -> dict[str, str]:
    file = tmp_path / "event.json"
    file.write_text(found if isinstance(found, str) else json.dumps(found))
    return {"GITHUB_EVENT_PATH": str(file)}


def test_github_on_a_pull_request(tmp_path: Path) -> None:
    """$GITHUB_SHA is a merge that nobody sees; the state belongs to the head."""
    made = event(tmp_path, {"number": 7, "pull_request": {"number": 7, "head": {"sha": HEAD}}})
    where = forge_target_of(ACTIONS | made)
    assert where == ForgeTarget(
        "https://api.github.com", "olga/state", "t", 7, HEAD, "github-actions[bot]", LINK
    )


def test_gitea_on_a_pull_request(tmp_path: Path) -> None:
    made = event(tmp_path, {"number": 7, "pull_request": {"head": {"sha": HEAD}}})
    gitea = {
        "GITEA_ACTIONS": "true",
        "GITHUB_SERVER_URL": "https://forge.example/",
        "GITHUB_API_URL": "https://forge.example/api/v1",
        "GITHUB_TOKEN": "",
    }
    where = forge_target_of(ACTIONS | gitea | made | {"GITEA_TOKEN": "g"})
    assert (where.url, where.token, where.number) == ("https://forge.example/api/v1", "g", 7)
    assert where.author == "gitea-actions"
    assert where.link == "https://forge.example/olga/state/actions/runs/9"


def test_a_push() -> None:
    where = forge_target_of(ACTIONS)
    assert (where.number, where.commit) == (0, "e" * 40)


def test_a_merge_queue(tmp_path: Path) -> None:
    queued = event(tmp_path, {"merge_group": {"head_sha": HEAD, "base_sha": "b" * 40}})
    where = forge_target_of(ACTIONS | queued)
    assert (where.commit, where.number, where.is_queued) == (HEAD, 0, True)


@pytest.mark.parametrize(("said", "allowed"), [("true", True), ("1", True), ("", False), ("no", False)])
def test_plain_http_is_permitted_by_a_variable(said: str, allowed: bool) -> None:
    assert forge_target_of({"FORGE_ALLOW_HTTP": said}).allow_http is allowed


@pytest.mark.parametrize(
    "found",
    [
        "",
        "[",
        "[]",
        "null",
        '{"pull_request": 1}',
        '{"merge_group": "x"}',
        "[" * 99_999,
    ],
)
def test_an_event_without_fields(tmp_path: Path, found: str) -> None:
    where = forge_target_of(ACTIONS | event(tmp_path, found))
    assert where.number == 0


def test_a_missing_event_file() -> None:
    assert forge_target_of({"GITHUB_EVENT_PATH": "/nowhere/event.json"}) == ForgeTarget()


def test_forge_variables_override() -> None:
    said = {
        "FORGE_URL": "https://forge.example",
        "FORGE_REPOSITORY": "a/b",
        "FORGE_PULL_REQUEST": "12",
        "FORGE_COMMIT": HEAD,
        "FORGE_TOKEN": "mine",
        "GITLAB_CI": "true",
    }
    where = forge_target_of(ACTIONS | said)
    assert (where.url, where.repository, where.token) == ("https://forge.example", "a/b", "mine")
    assert (where.number, where.commit) == (12, HEAD)


@pytest.mark.parametrize("number", ["x", "-1", "1" * 13, "٣", ""])
def test_invalid_numbers(number: str) -> None:
    assert forge_target_of({"FORGE_PULL_REQUEST": number}).number == 0


def test_gitlab_is_refused_with_advice() -> None:
    with pytest.raises(MissingOptionError, match="code quality report"):
        forge_target_of({"GITLAB_CI": "true"})
