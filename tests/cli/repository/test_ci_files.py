"""What `init --ci` installs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from reconciler.cli.main import provider_daemon, run_command
from reconciler.cli.repository.ci_files import FORGES


def init(directory: Path, *options: str) -> int:
    return run_command(provider_daemon, ["init", str(directory), *options])


def files(directory: Path) -> set[str]:
    return {p.relative_to(directory).as_posix() for p in directory.rglob("*") if p.is_file()}


@pytest.mark.parametrize("forge", FORGES)
def test_the_installed_files_are_a_valid_repository(forge: str, tmp_path: Path) -> None:
    assert init(tmp_path / "state", "--ci", forge) == 0
    made = files(tmp_path / "state")
    assert {*FORGES[forge].values(), ".gitattributes", ".pre-commit-config.yaml", "pricing.yaml"} <= made
    for other in FORGES:
        assert not (set(FORGES[other].values()) - set(FORGES[forge].values())) & made
    assert run_command(provider_daemon, ["validate", str(tmp_path / "state")]) == 0


@pytest.mark.parametrize("forge", ["github", "gitea", "gitlab", "script"])
def test_the_scripts_are_where_the_workflow_runs_them(forge: str, tmp_path: Path) -> None:
    init(tmp_path, "--ci", forge)
    callers = "".join(p.read_text() for p in tmp_path.rglob("*.yml"))
    for script in ("ci/review.sh", "ci/install.sh"):
        assert (tmp_path / script).read_text().startswith("#!/bin/sh\n")
        assert forge == "script" or script in callers
    assert (tmp_path / "ci" / "requirements.lock").stat().st_size


WHEEL = "https://forge.example/virtengine_provider_gitops-0.1.0-py3-none-any.whl#sha256=" + "a" * 64
COMMIT = "git+https://forge.example/olga/provider@" + "b" * 40
PINNED = "virtengine-provider-gitops==0.1.0 --hash=sha256:" + "c" * 64


def program(directory: Path) -> list[str]:
    """What CI would install."""
    lines = (directory / "ci" / "program.txt").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (WHEEL, f"virtengine-provider-gitops @ {WHEEL}"),
        (f"virtengine-provider-gitops @ {COMMIT}", f"virtengine-provider-gitops @ {COMMIT}"),
        ("git+ssh://git@forge.example/olga/provider@" + "b" * 40, None),
        (PINNED, PINNED),
    ],
)
def test_the_program_has_one_pinned_address(said: str, written: str | None, tmp_path: Path) -> None:
    assert init(tmp_path, "--ci", "gitea", "--requirement", said) == 0
    assert program(tmp_path) == [written or f"virtengine-provider-gitops @ {said}"]
    others = [p for p in tmp_path.rglob("*") if p.is_file() and p.name != "program.txt"]
    assert not any("virtengine-provider-gitops @" in p.read_text() for p in others)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("virtengine-provider-gitops", "is not a pinned address"),
        ("virtengine-provider-gitops==0.1.0", "is not a pinned address"),
        ("git+https://forge.example/olga/provider@main", "add @COMMIT"),
        (WHEEL.partition("#")[0], "add #sha256=DIGEST"),
        (WHEEL.replace("https://", "https://olga:secret@"), "a user name or a password"),
        (f"{WHEEL}\nevil", "is not a pinned address"),
        (f"{WHEEL} --pre", "is not a pinned address"),
    ],
)
def test_an_unpinned_requirement(
    said: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(tmp_path / "state", "--ci", "gitea", "--requirement", said) == 1
    assert words in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("recorded", "written"),
    [
        (None, []),
        ({"url": "file:///home/olga/provider", "dir_info": {"editable": True}}, []),
        ({"url": "file:///tmp/x.whl", "archive_info": {"hashes": {"sha256": "a" * 64}}}, []),
        (
            {"url": WHEEL.partition("#")[0], "archive_info": {"hashes": {"sha256": "a" * 64}}},
            [f"virtengine-provider-gitops @ {WHEEL}"],
        ),
        (
            {"url": COMMIT[4:].rpartition("@")[0], "vcs_info": {"vcs": "git", "commit_id": "b" * 40}},
            [f"virtengine-provider-gitops @ {COMMIT}"],
        ),
    ],
)
def test_the_default_is_the_address_of_this_installation(
    recorded: object, written: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What pip records of an installation; none of an index or a folder is a place that others can reach."""
    monkeypatch.setattr("reconciler.cli.repository.ci_files.distribution", lambda _: Recorded(recorded))
    assert init(tmp_path, "--ci", "gitea") == 0
    assert program(tmp_path) == written


class Recorded:
    """An installed distribution."""

    def __init__(self, recorded: object) -> None:
        self._recorded = recorded

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return None if self._recorded is None else json.dumps(self._recorded)


def test_without_an_address_the_check_fails_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("reconciler.cli.repository.ci_files.distribution", lambda _: Recorded(None))
    init(tmp_path, "--ci", "gitea")
    assert "the check fails until ci/program.txt names the address" in capsys.readouterr().out
    script = tmp_path / "ci" / "install.sh"
    ran = subprocess.run(["sh", script, tmp_path / "venv"], capture_output=True, text=True, check=False)
    assert ran.returncode == 69
    assert "ci/program.txt does not say where provider-daemon is installed from" in ran.stderr
    assert not (tmp_path / "venv").exists()


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
    assert f"no reviewer is required yet: add one in .{forge}/CODEOWNERS" in capsys.readouterr().out
    [unnamed] = (tmp_path / "unnamed").rglob("CODEOWNERS")
    assert all(line.startswith("#") for line in unnamed.read_text().splitlines())


@pytest.mark.parametrize("owner", ["olga", "@a b", "@a\n* @mallory", "@", "@a/", ""])
def test_invalid_owners(owner: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert init(tmp_path / "state", "--ci", "github", "--owner", owner) == 1
    assert "is not a code owner" in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


def test_existing_files_stay(tmp_path: Path) -> None:
    (tmp_path / ".gitlab-ci.yml").write_text("mine\n")
    (tmp_path / ".gitattributes").symlink_to("nowhere")
    assert init(tmp_path, "--ci", "gitlab") == 0
    assert (tmp_path / ".gitlab-ci.yml").read_text() == "mine\n"
    assert (tmp_path / ".gitattributes").is_symlink()


def test_line_ends_stay(tmp_path: Path) -> None:
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
