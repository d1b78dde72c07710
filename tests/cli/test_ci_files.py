"""What `init --ci` installs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.cli.ci_files import FORGES
from reconciler.cli.main import provider_daemon, run_command

SCRIPTS = {
    "github": ".github/actions/provider-review/review.sh",
    "gitea": "ci/review.sh",
    "gitlab": "ci/review.sh",
    "script": "ci/review.sh",
}


def init(directory: Path, *options: str) -> int:
    return run_command(provider_daemon, ["init", str(directory), *options])


def files(directory: Path) -> set[str]:
    return {p.relative_to(directory).as_posix() for p in directory.rglob("*") if p.is_file()}


@pytest.mark.parametrize("forge", FORGES)
def test_what_is_installed_is_a_valid_repository(forge: str, tmp_path: Path) -> None:
    assert init(tmp_path / "state", "--ci", forge) == 0
    made = files(tmp_path / "state")
    assert {*FORGES[forge].values(), ".gitattributes", ".pre-commit-config.yaml", "pricing.yaml"} <= made
    for other in FORGES:
        assert not (set(FORGES[other].values()) - set(FORGES[forge].values())) & made
    assert run_command(provider_daemon, ["validate", str(tmp_path / "state")]) == 0


@pytest.mark.parametrize(("forge", "script"), SCRIPTS.items())
def test_the_script_is_where_the_workflow_calls_it(forge: str, script: str, tmp_path: Path) -> None:
    init(tmp_path, "--ci", forge)
    text = (tmp_path / script).read_text()
    assert text.startswith("#!/bin/sh\n")
    callers = [p.read_text() for p in tmp_path.rglob("*.yml")]
    assert forge == "script" or any("review.sh" in each for each in callers)


def test_names_in_an_action_lead_to_it(tmp_path: Path) -> None:
    init(tmp_path, "--ci", "github")
    workflow = (tmp_path / ".github" / "workflows" / "provider-review.yml").read_text()
    assert "uses: ./.github/actions/provider-review\n" in workflow
    assert (tmp_path / ".github" / "actions" / "provider-review" / "action.yml").exists()


@pytest.mark.parametrize(
    ("forge", "pattern"), [("github", "* @a/b"), ("gitea", ".* @a/b"), ("gitlab", "* @a/b")]
)
def test_owners(forge: str, pattern: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert init(tmp_path / "named", "--ci", forge, "--owner", "@a/b") == 0
    assert "nobody must approve" not in capsys.readouterr().out
    [named] = (tmp_path / "named").rglob("CODEOWNERS")
    assert pattern in named.read_text().splitlines()
    assert "@OWNER" not in named.read_text()
    assert init(tmp_path / "unnamed", "--ci", forge) == 0
    assert f"nobody must approve changes yet: name somebody in .{forge}/CODEOWNERS" in capsys.readouterr().out
    [unnamed] = (tmp_path / "unnamed").rglob("CODEOWNERS")
    assert all(line.startswith("#") for line in unnamed.read_text().splitlines())


@pytest.mark.parametrize("owner", ["olga", "@a b", "@a\n* @mallory", "@", "@a/", ""])
def test_owners_that_are_none(owner: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert init(tmp_path / "state", "--ci", "github", "--owner", owner) == 1
    assert "is no code owner" in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / ".gitlab-ci.yml").write_text("mine\n")
    (tmp_path / ".gitattributes").symlink_to("nowhere")
    assert init(tmp_path, "--ci", "gitlab") == 0
    assert (tmp_path / ".gitlab-ci.yml").read_text() == "mine\n"
    assert (tmp_path / ".gitattributes").is_symlink()


def test_line_ends_are_kept_whatever_git_would_do(tmp_path: Path) -> None:
    init(tmp_path)

    def git(*words: str) -> str:
        plain = ["-c", "user.name=o", "-c", "user.email=o@localhost", "-c", "core.autocrlf=true"]
        done = subprocess.run(
            ["git", *plain, *words], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout

    git("init", "--quiet")
    (tmp_path / "pricing.yaml").write_bytes((tmp_path / "pricing.yaml").read_bytes().replace(b"\n", b"\r\n"))
    git("add", "--all")
    git("commit", "--quiet", "--message", "x")
    assert "\r" not in git("show", "HEAD:pricing.yaml")
