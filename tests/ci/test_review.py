"""The plain script that reviews a change in any CI."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ci.changes import Change
from tests.ci.changes import change as made
from tests.forge.fake import REPOSITORY, TOKEN, FakeForge, Trouble, serving


@pytest.fixture
def change(tmp_path: Path) -> Change:
    return made(tmp_path)


def asked(change: Change) -> str:
    return Path(change.environment["PLAN_ASKED"]).read_text()


def test_a_valid_change(change: Change) -> None:
    change.edit("pricing.yaml", "gpu: 20000uve", "gpu: 21000uve")
    ran = change.run("--base", "main", "--no-forge")
    assert ran.returncode == 0, ran.stderr
    assert change.verdict == ("success", "valid; see the plan")
    assert change.review == "# The plan\n\nNothing much.\n"
    assert "# The plan" in ran.stdout
    base, head = change.git("rev-parse", "main"), change.git("rev-parse", "HEAD")
    assert asked(change) == f"--base {base} --head {head} --offline --format markdown\n"
    assert change.git("status", "--porcelain") == "?? review/"


def test_a_change_that_is_not_valid(change: Change) -> None:
    change.edit("pricing.yaml", "gpu: 20000uve", "gpu: 20000uact")
    ran = change.run("--base", "main", "--no-forge")
    assert ran.returncode == 1
    line = '    pricing.yaml:11:8: pricing.gpu: "20000uact" is in uact (only uve is accepted, write 20000uve)'
    assert line in change.review.splitlines()
    assert change.review.startswith("## This change is not valid\n\n")
    assert "# The plan" in change.review
    state, description = change.verdict
    assert (state, description.startswith("not valid: ")) == ("failure", True)
    assert "1 errors" in description


def test_warnings_are_told_and_fail_nothing(change: Change) -> None:
    change.write("adapters/docker.yaml", "enabled: true\n")
    ran = change.run("--base", "main", "--no-forge")
    assert ran.returncode == 0
    assert change.review.startswith("## What validation warns of\n\n    adapters/docker.yaml: warning: ")
    assert change.verdict == ("success", "valid; see the plan")


@pytest.mark.parametrize("folder", ["", "eu/a & b"])
def test_annotations_for_each_ci(change: Change, folder: str) -> None:
    """A forge's paths begin at the top of the repository."""
    change.edit("pricing.yaml", "gpu: 20000uve", "gpu: 20000uact")
    options = ["--base", "main", "--no-forge"]
    if folder:
        (change.directory / folder).mkdir(parents=True)
        change.git("mv", "config.yaml", "pricing.yaml", "adapters", "workloads", folder)
        change.git("commit", "--quiet", "--message", "Move")
        options += ["--path", folder]
    path = f"{folder}/pricing.yaml".removeprefix("/")
    change.environment["GITHUB_ACTIONS"] = "true"
    ran = change.run(*options)
    assert f"::error file={path},line=11," in ran.stdout
    del change.environment["GITHUB_ACTIONS"]
    change.environment["GITLAB_CI"] = "true"
    change.run(*options)
    [found] = json.loads((change.out / "gl-code-quality-report.json").read_text())
    assert found["location"]["path"] == path
    assert found["location"]["lines"]["begin"] == 11


def test_a_plan_that_cannot_be_made(change: Change) -> None:
    change.environment["PLAN_CODE"] = "1"
    assert change.run("--base", "main", "--no-forge").returncode == 1
    assert change.review == "## What it would do is not known\n\n    error: no snapshot\n\n\n"
    assert change.verdict == ("failure", "valid, but what it would do is not known")


def test_a_plan_that_changes_nothing(change: Change) -> None:
    change.environment["PLAN_CODE"] = "0"
    assert change.run("--base", "main", "--no-forge").returncode == 0


def test_limits_warn_and_do_not_fail(change: Change) -> None:
    change.environment["PLAN_CEILINGS"] = '[\n    {"reason": "PriceJump"}\n  ]'
    ran = change.run("--base", "main", "--no-forge")
    assert ran.returncode == 0
    assert change.verdict == ("success", "valid; the host's limits hold some of it back, see the plan")
    assert "limits hold back" in ran.stdout


def test_without_a_base_what_is_there_is_checked(change: Change) -> None:
    assert change.run("--no-forge").returncode == 0
    assert change.review == (
        "## This change is valid\n\nNo plan was made: there is no branch to merge into.\n"
    )
    assert change.verdict == ("success", "valid; no plan: there is no branch to merge into")
    change.write("pricing.yaml", "pricing: {}\n")
    assert change.run("--no-forge").returncode == 1


@pytest.mark.parametrize("name", ["snapshot/north", "refs/remotes/origin/snapshot/north", ""])
def test_a_snapshot_is_what_is_planned_by(change: Change, name: str) -> None:
    change.git("branch", "--quiet", "--delete", "--force", "snapshot/north")
    if name:
        change.git("update-ref", name if name.startswith("refs") else f"refs/heads/{name}", "main")
    assert change.run("--base", "main", "--no-forge").returncode == 0
    said = change.verdict[1]
    assert said == "valid; see the plan" if name else "has no snapshot branch yet" in said


def test_a_second_provider_is_reviewed_before_its_daemon_runs(change: Change) -> None:
    for path in ("config.yaml", "pricing.yaml"):
        change.write(f"two/{path}", (change.directory / path).read_text())
    options = ["--base", "main", "--no-forge", "--path", "two", "--provider", "second"]
    assert change.run(*options).returncode == 0
    assert "has no snapshot branch yet" in change.verdict[1]
    change.git("branch", "snapshot/second", "main")
    assert change.run(*options).returncode == 0
    new = "the provider is new: the branch to merge into lacks its folder"
    assert change.verdict == ("success", f"valid; no plan: {new}")
    change.git("branch", "--force", "main", "HEAD")
    assert change.run(*options).returncode == 0
    assert change.verdict == ("success", "valid; see the plan")


def test_what_is_not_committed_does_not_count(change: Change) -> None:
    (change.directory / "pricing.yaml").write_text("pricing: {}\n")
    assert change.run("--base", "main", "--no-forge").returncode == 0


def test_the_merge_is_checked_not_the_branch(change: Change) -> None:
    """The branch is valid; what it is to be merged into is no longer."""
    change.edit("pricing.yaml", "gpu: 20000uve", "gpu: 21000uve")
    change.git("checkout", "--quiet", "main")
    change.edit("config.yaml", "bidding:", "biding:")
    change.git("checkout", "--quiet", "prices")
    ran = change.run("--base", "main", "--no-forge")
    assert ran.returncode == 1
    assert "config.yaml" in change.review
    head = asked(change).split()[3]
    assert change.git("rev-parse", f"{head}^1", f"{head}^2").split() == [
        change.git("rev-parse", "main"),
        change.git("rev-parse", "prices"),
    ]


def test_two_pull_requests_that_conflict(change: Change) -> None:
    change.edit("pricing.yaml", "gpu: 20000uve", "gpu: 21000uve")
    change.git("checkout", "--quiet", "main")
    change.edit("pricing.yaml", "gpu: 20000uve", "gpu: 22000uve")
    change.git("checkout", "--quiet", "prices")
    assert change.run("--base", "main", "--no-forge").returncode == 1
    assert change.verdict == ("failure", "it conflicts with the branch it is for")
    assert "    pricing.yaml\n" in change.review
    assert "Merge that branch into yours" in change.review


def test_names_that_would_do_something(change: Change) -> None:
    """Neither a branch nor a file can end a block, begin an option, or be a command of the log."""
    name = "workloads/`@team`\n::error::x\n```.yaml"
    change.write(name, "no workload\n")
    change.git("checkout", "--quiet", "-b", "a;touch${IFS}here")
    change.environment["GITHUB_ACTIONS"] = "true"
    ran = change.run("--base", "main", "--head", "a;touch${IFS}here", "--no-forge")
    assert ran.returncode == 1, ran.stderr
    assert not list(change.directory.rglob("here"))
    inside = change.review.split("# The plan")[0]
    assert all(line.startswith(("    ", "## ")) or not line for line in inside.split("\n"))
    first, *between, last = [
        line for line in ran.stdout.split("\n") if line.startswith("::") and "file=" not in line
    ]
    assert first == f"::stop-commands::{last.strip(':')}"
    assert len(last.strip(":")) == 32
    assert not between


@pytest.mark.parametrize(
    "path", ["pricing.yaml", "workloads/1-1-1-aaaaaaaaaa.yaml", "workloads", "adapters/kubernetes.yaml"]
)
def test_links_lead_nowhere(change: Change, path: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret: value\n")
    target = change.directory / path
    if target.is_dir():
        change.git("rm", "-r", "--quiet", path)
    target.unlink(missing_ok=True)
    target.symlink_to(tmp_path / "secret")
    change.git("add", "--all")
    change.git("commit", "--quiet", "--message", "A link")
    ran = change.run("--base", "main", "--no-forge")
    assert ran.returncode == 1
    assert "symbolic link" in change.review
    assert "s3cret" not in change.review + ran.stdout + ran.stderr


def test_attributes_hide_nothing(change: Change) -> None:
    change.write(".gitattributes", "* export-ignore eol=crlf\n")
    change.write("pricing.yaml", "pricing: {}\n")
    assert change.run("--base", "main", "--no-forge").returncode == 1


@pytest.mark.parametrize(
    "content",
    [b"a: 1\r\nb", b"\xef\xbb\xbfpricing:\n", b"\xff\xfe\x00", b"pricing:\n\tgpu: 1uve\n", b"", b"\x00"],
    ids=["crlf", "bom", "not utf-8", "tab", "empty", "nul"],
)
def test_files_that_are_none(change: Change, content: bytes) -> None:
    change.write("pricing.yaml", content)
    ran = change.run("--base", "main", "--no-forge")
    assert ran.returncode == 1
    assert "Traceback" not in ran.stdout + ran.stderr
    assert "pricing.yaml" in change.review


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--base",),
        ("--base", ""),
        ("--base", "--upload-pack=x"),
        ("somewhere",),
        ("--base", "nothing"),
        ("--head", "nothing"),
        ("--path", "nothing"),
    ],
)
def test_wrong_usage(change: Change, arguments: tuple[str, ...]) -> None:
    assert change.run("--no-forge", *arguments).returncode == 64


def test_a_program_that_is_not_there(change: Change) -> None:
    change.environment["PROVIDER_DAEMON"] = "/nowhere/provider-daemon"
    ran = change.run("--no-forge")
    assert ran.returncode == 69
    assert "set PROVIDER_DAEMON" in ran.stderr


def test_no_repository(change: Change, tmp_path: Path) -> None:
    change.directory = tmp_path
    assert change.run("--no-forge").returncode == 64


def on_a_forge(change: Change, forge: FakeForge) -> None:
    change.environment |= {
        "FORGE_URL": forge.url,
        "FORGE_REPOSITORY": REPOSITORY,
        "FORGE_TOKEN": TOKEN,
        "FORGE_PULL_REQUEST": "7",
        "FORGE_COMMIT": change.git("rev-parse", "HEAD"),
    }


def test_a_forge_is_told(change: Change) -> None:
    change.edit("pricing.yaml", "gpu: 20000uve", "gpu: 21000uve")
    with serving(FakeForge()) as forge:
        on_a_forge(change, forge)
        assert change.run("--base", "main").returncode == 0
        change.edit("pricing.yaml", "gpu: 21000uve", "gpu: 21000uact")
        on_a_forge(change, forge)
        assert change.run("--base", "main").returncode == 1
    [body] = forge.bodies
    assert "## This change is not valid" in body
    states = [(each["state"], each["context"]) for each in forge.statuses]
    assert states == [("success", "provider-daemon/review"), ("failure", "provider-daemon/review")]
    assert forge.statuses[1]["commit"] == change.git("rev-parse", "HEAD")


def test_each_provider_has_its_comment(change: Change) -> None:
    with serving(FakeForge()) as forge:
        on_a_forge(change, forge)
        for name in ("north", "south", "north"):
            assert change.run("--base", "main", "--provider", name).returncode == 0
    assert len(forge.bodies) == 2
    assert {each["context"] for each in forge.statuses} == {
        "provider-daemon/review/north",
        "provider-daemon/review/south",
    }
    assert asked(change).endswith("--format markdown --provider north\n")


@pytest.mark.parametrize(
    "trouble", [Trouble(500), Trouble(401), Trouble(404), Trouble(0), Trouble(429, {"Retry-After": "3600"})]
)
def test_a_forge_in_trouble_decides_nothing(change: Change, trouble: Trouble) -> None:
    with serving(FakeForge(always=trouble)) as forge:
        on_a_forge(change, forge)
        ran = change.run("--base", "main")
        assert ran.returncode == 0
        assert ran.stderr.count("the forge was not told: ") == 2
        change.write("pricing.yaml", "pricing: {}\n")
        assert change.run("--base", "main").returncode == 1
    assert TOKEN not in ran.stdout + ran.stderr


def test_without_a_forge_the_check_is_the_same(change: Change) -> None:
    ran = change.run("--base", "main")
    assert ran.returncode == 0
    assert "no forge was told, as none is named; set FORGE_URL, or say --no-forge" in ran.stderr
