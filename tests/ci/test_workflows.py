"""What is installed for GitHub, Gitea and GitLab: no right too many, no foreign text in a shell."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.changes import ROOT

CI = ROOT / "ci"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
WORKFLOWS = sorted([*CI.glob("github/*.yml"), *CI.glob("gitea/*.yml")])
ALL = [
    *WORKFLOWS,
    CI / "gitlab" / "gitlab-ci.yml",
    CI / "pre-commit-config.yaml",
    ROOT / ".pre-commit-hooks.yaml",
]


class Strict(yaml.SafeLoader):
    """`on` is a word."""


Strict.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:bool"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(path: Path) -> Any:
    return yaml.load(path.read_text(), Strict)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def steps(found: Any) -> Iterator[dict[str, Any]]:
    """Every step of a workflow or an action."""
    for job in found.get("jobs", {"action": found.get("runs", {})}).values():
        yield from job["steps"]


@pytest.mark.parametrize("path", ALL, ids=name)
def test_they_are_yaml(path: Path) -> None:
    assert read(path)


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_actions_are_pinned(path: Path) -> None:
    for step in steps(read(path)):
        if (uses := step.get("uses", "./")) and not uses.startswith("./"):
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", uses)
    for line in path.read_text().splitlines():
        assert (
            " uses: " not in line
            or " uses: ./" in line
            or re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)
        )


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_no_foreign_text_is_in_a_shell(path: Path) -> None:
    """`${{ }}` is put in as text before the shell reads it, so it stands in `env:` and `with:` alone."""
    ran = [step["run"] for step in steps(read(path)) if "run" in step]
    assert all("${{" not in each for each in ran)
    assert all("eval" not in each for each in ran)


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_a_strangers_code_never_meets_a_right(path: Path) -> None:
    found = read(path)
    text = path.read_text()
    assert "pull_request_target" not in text
    for step in steps(found):
        if "actions/checkout@" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] == "false"


def test_the_stage_that_reads_may_only_read() -> None:
    found = read(CI / "github" / "provider-review.yml")
    assert found["on"] == {"pull_request": ""} or found["on"] == {"pull_request": None}
    assert found["permissions"] == {"contents": "read"}
    assert "permissions" not in found["jobs"]["review"]
    action = (CI / "github" / "action.yml").read_text()
    assert "--no-forge" in action
    for secret in ("secrets.", "github.token", "GITHUB_TOKEN"):
        assert secret not in action + (CI / "github" / "provider-review.yml").read_text()


def test_the_stage_that_writes_reads_nothing_of_the_change() -> None:
    found = read(CI / "github" / "provider-comment.yml")
    assert list(found["on"]) == ["workflow_run"]
    assert found["on"]["workflow_run"]["workflows"] == [read(CI / "github" / "provider-review.yml")["name"]]
    assert found["permissions"] == {}
    rights = found["jobs"]["comment"]["permissions"]
    assert rights == {"actions": "read", "pull-requests": "write", "statuses": "write"}
    assert not any("checkout" in step.get("uses", "") for step in steps(found))
    assert "FORGE_PULL_REQUEST" not in (CI / "github" / "provider-comment.yml").read_text()


def test_gitea_has_the_rights_that_a_comment_needs() -> None:
    found = read(CI / "gitea" / "provider-review.yml")
    assert found["permissions"] == {"contents": "read", "pull-requests": "write", "statuses": "write"}


@pytest.mark.parametrize("path", [p for p in ALL if "requirement" in p.read_text().lower()], ids=name)
def test_the_program_is_this_version(path: Path) -> None:
    found = re.findall(r"virtengine-provider-gitops\S*", path.read_text())
    assert found
    assert set(found) == {f"virtengine-provider-gitops=={VERSION}"}


def test_gitlab_gets_what_the_script_leaves() -> None:
    job = read(CI / "gitlab" / "gitlab-ci.yml")["provider-review"]
    assert job["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}]
    script = (CI / "review.sh").read_text()
    report = job["artifacts"]["reports"]["codequality"].removeprefix("review/")
    assert f'"$out/{report}"' in script
    assert not any("$CI_" in line for line in job["script"])
