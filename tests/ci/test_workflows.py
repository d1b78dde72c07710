"""What is installed for GitHub, Gitea and GitLab: no right too many, no foreign text in a shell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.cli.forge.review import GITLAB_REPORT
from tests.ci.changes import ROOT

CI = ROOT / "ci"
WORKFLOW = CI / "provider-review.yml"
WORKFLOWS = [WORKFLOW]
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


def test_no_action_is_used() -> None:
    """Plain git and Python run on every runner, and nobody else's code does."""
    assert not any("uses" in step for step in steps(read(WORKFLOW)))


def test_no_untrusted_text_is_in_a_shell() -> None:
    """`${{ }}` is put in as text before the shell reads it, so it stands in `env:` alone."""
    assert all("${{" not in step["run"] for step in steps(read(WORKFLOW)))
    expressions = set(re.findall(r"\$\{\{ (.*?) \}\}", WORKFLOW.read_text()))
    assert expressions == {
        "github.event.pull_request.number || github.ref",
        "github.event.merge_group.base_sha || github.sha",
        "github.event.merge_group.base_sha || format('refs/heads/{0}', github.base_ref)",
        "github.event.merge_group.head_sha || github.event.pull_request.head.sha",
        "github.token",
        "runner.temp",
    }


def test_the_base_reviews_and_the_change_is_data() -> None:
    """`pull_request_target` runs the base's workflow; nothing but the base is checked out."""
    found = read(WORKFLOW)
    assert set(found["on"]) == {"pull_request_target", "merge_group"}
    ran = "\n".join(step["run"] for step in steps(found))
    assert re.findall(r"git checkout .*", ran) == ['git checkout --quiet --detach "$CHECK"']
    assert found["jobs"]["review"]["env"]["CHECK"] == "${{ github.event.merge_group.base_sha || github.sha }}"
    assert "git pull" not in ran
    assert "git merge" not in ran


def test_permissions_are_minimal() -> None:
    found = read(WORKFLOW)
    assert found["permissions"] == {}
    rights = {"contents": "read", "pull-requests": "write", "statuses": "write"}
    assert found["jobs"]["review"]["permissions"] == rights


def test_a_newer_push_ends_the_older_review() -> None:
    found = read(WORKFLOW)["concurrency"]
    assert found["cancel-in-progress"] == "true"
    assert "pull_request.number" in found["group"]


def test_the_state_that_is_required_is_the_jobs() -> None:
    """Gitea names it after workflow, job and event."""
    found = read(WORKFLOW)
    [job] = found["jobs"]
    state = f"`{found['name']} / {job} (pull_request_target)`"
    for page in (CI / "BRANCH-PROTECTION.md", ROOT / "docs" / "pull-requests.md"):
        assert state in page.read_text()


SPOKEN = [p for p in [*CI.rglob("*"), *ROOT.glob("docs/**/*"), ROOT / "README.md"] if p.is_file()]


@pytest.mark.parametrize("path", SPOKEN, ids=name)
def test_the_program_is_never_installed_by_a_bare_name(path: Path) -> None:
    """It is published nowhere, so that its name on a package index may be anybody's."""
    for line in path.read_text(errors="replace").splitlines():
        if "pip" in line and "install" in line:
            assert "virtengine-provider-gitops" not in line
        assert not re.match(r"virtengine-provider-gitops(?! @)", line)


def pins(path: Path) -> dict[str, str]:
    """Each package of a lock with its version; each has at least one hash."""
    entries = re.split(r"\n(?=\w)", path.read_text())
    assert all("--hash=sha256:" in entry for entry in entries)
    return dict(re.findall(r"(?m)^([\w.-]+(?:\[\w,]+\])?)==(\S+)", path.read_text()))


def test_the_lock_for_ci_is_part_of_ours() -> None:
    assert pins(CI / "requirements.lock").items() <= pins(ROOT / ".ci" / "requirements.lock").items()
    assert "virtengine-provider-gitops" not in (CI / "requirements.lock").read_text()


def test_gitlab_uses_only_the_change_from_the_source_project() -> None:
    job = read(CI / "gitlab" / "gitlab-ci.yml")["provider-review"]
    assert job["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}]
    assert job["variables"]["GIT_STRATEGY"] == "none"
    ran = "\n".join(job["script"])
    assert ran.count('"$CI_MERGE_REQUEST_PROJECT_URL.git" state') == 2
    assert "CI_REPOSITORY_URL" not in ran
    assert not re.search(r'(?<!")\$CI_(?!JOB_TOKEN)[A-Z_]+ ', ran), "a name of a branch is always in quotes"
    assert re.findall(r"git checkout .*", ran) == [
        'git checkout --quiet --detach "refs/remotes/origin/$CI_MERGE_REQUEST_TARGET_BRANCH_NAME"'
    ]
    assert job["artifacts"]["reports"]["codequality"] == f"review/{GITLAB_REPORT}"
