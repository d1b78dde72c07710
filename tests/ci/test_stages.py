"""The two stages on GitHub, step by step as a runner would run them: what one leaves, the other tells."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.changes import PROGRAM, ROOT, Change
from tests.ci.changes import change as made
from tests.forge.fake import REPOSITORY, TOKEN, FakeForge, serving

HEAD = "d" * 40


def script(path: str, step: str) -> str:
    """What a step runs."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "ci" / "github" / path).read_text())
    steps = found["runs"]["steps"] if "runs" in found else found["jobs"]["comment"]["steps"]
    [run] = [each["run"] for each in steps if each.get("name") == step]
    return str(run)


@pytest.fixture
def change(tmp_path: Path) -> Change:
    return made(tmp_path)


def first_stage(change: Change, **variables: str) -> subprocess.CompletedProcess[str]:
    """The action's own step, with what its `env:` sets."""
    plain = {"FOLDER": "", "PROVIDER": "", "HEAD_COMMIT": change.git("rev-parse", "HEAD")}
    where = {"GITHUB_ACTION_PATH": str(ROOT / "ci"), "GITHUB_ACTIONS": "true"}
    return subprocess.run(
        ["sh", "-e", "-c", script("action.yml", "Validate and plan")],
        cwd=change.directory,
        env=change.environment | where | plain | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_first_stage_tells_nobody(change: Change) -> None:
    """Even where somebody gave it a forge and a token."""
    change.edit("pricing.yaml", "gpu: 20000uve", "gpu: 21000uve")
    change.git("remote", "add", "origin", str(change.directory))
    with serving(FakeForge()) as forge:
        ran = first_stage(
            change,
            GITHUB_BASE_REF="main",
            FORGE_URL=forge.url,
            FORGE_REPOSITORY=REPOSITORY,
            FORGE_TOKEN=TOKEN,
        )
        assert forge.asked == []
    assert ran.returncode == 0, ran.stderr
    assert change.review.startswith("# The plan")


@pytest.mark.parametrize(
    ("variable", "name"), [("GITHUB_BASE_REF", "main"), ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "a;b$(c)")]
)
def test_what_it_is_merged_into_is_what_the_forge_names(change: Change, variable: str, name: str) -> None:
    if name != "main":
        change.git("branch", name, "main")
    change.git("remote", "add", "origin", str(change.directory))
    change.environment[variable] = name
    assert change.run("--no-forge").returncode == 0
    assert change.review.startswith("# The plan")
    assert change.git("rev-parse", f"refs/remotes/origin/{name}") == change.git("rev-parse", "main")
    assert change.git("rev-parse", "refs/remotes/origin/snapshot/north")


def test_a_base_that_cannot_be_fetched_is_said(change: Change) -> None:
    change.environment["GITHUB_BASE_REF"] = "gone"
    ran = change.run("--no-forge")
    assert ran.returncode == 64
    assert "fetch the whole history (fetch-depth: 0)" in ran.stderr


@pytest.fixture
def forge() -> Iterator[FakeForge]:
    with serving(FakeForge()) as fake:
        fake.login = None  # a workflow's own token may not ask
        fake.pulls = [{"number": 7, "head": {"sha": HEAD}}]
        yield fake


def second_stage(forge: FakeForge, directory: Path, conclusion: str) -> subprocess.CompletedProcess[str]:
    event = {
        "workflow_run": {
            "head_sha": HEAD,
            "head_branch": "prices",
            "head_repository": {"owner": {"login": "mallory"}},
            "html_url": "https://github.example/run/1",
            "conclusion": conclusion,
        }
    }
    (directory / "event.json").write_text(json.dumps(event))
    environment = {
        "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}",
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": f"{forge.url}/api/v1",
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_EVENT_PATH": str(directory / "event.json"),
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_SHA": "e" * 40,
        "CONCLUSION": conclusion,
    }
    return subprocess.run(
        ["bash", "-e", "-c", script("provider-comment.yml", "Comment and set the state")],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("conclusion", "state"), [("success", "success"), ("failure", "failure"), ("cancelled", "failure")]
)
def test_the_second_stage_tells_what_the_first_left(
    forge: FakeForge, tmp_path: Path, conclusion: str, state: str
) -> None:
    (tmp_path / "review").mkdir()
    (tmp_path / "review" / "review.md").write_text("# The plan\n\n@team <b>\n")
    ran = second_stage(forge, tmp_path, conclusion)
    assert ran.returncode == 0, ran.stderr
    [body] = forge.bodies
    assert body.endswith("# The plan\n\n@\u200bteam <\u200bb>\n")
    assert forge.asked.count(f"POST /api/v1/repos/{REPOSITORY}/issues/7/comments") == 1
    [said] = forge.statuses
    assert (said["commit"], said["state"]) == (HEAD, state)


@pytest.mark.parametrize("what", ["nothing", "a link", "a folder"])
def test_what_is_no_review_is_not_read(forge: FakeForge, tmp_path: Path, what: str) -> None:
    (tmp_path / "secret").write_text("s3cret")
    if what != "nothing":
        (tmp_path / "review").mkdir()
    if what == "a link":
        (tmp_path / "review" / "review.md").symlink_to(tmp_path / "secret")
    elif what == "a folder":
        (tmp_path / "review" / "review.md").mkdir()
    ran = second_stage(forge, tmp_path, "failure")
    assert ran.returncode == 0, ran.stderr
    [body] = forge.bodies
    assert body.endswith("The review ended without a plan; its log says why.\n")


def test_a_pull_request_that_has_moved_on_is_not_told(forge: FakeForge, tmp_path: Path) -> None:
    """A review that comes late, of a commit that is no head any more, must not replace a newer one."""
    forge.pulls = [{"number": 7, "head": {"sha": "f" * 40}}]
    assert second_stage(forge, tmp_path, "success").returncode == 0
    assert not forge.bodies


def test_a_stranger_s_comment_is_left_alone(forge: FakeForge, tmp_path: Path) -> None:
    forge.comment("mallory", "<!-- provider-daemon plan -->\nall is well\n")
    forge.comment("github-actions[bot]", "<!-- provider-daemon plan -->\nold\n")
    assert second_stage(forge, tmp_path, "success").returncode == 0
    assert forge.bodies[0].endswith("all is well\n")
    assert "ended without a plan" in forge.bodies[1]
    assert len(forge.bodies) == 2
