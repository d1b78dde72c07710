"""The plain script that reviews a change in any CI."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.values.limits import Limits
from tests.ci.changes import PROGRAM, Change, share
from tests.ci.changes import change as made
from tests.ci.forked_program import serving as serving_forks
from tests.forge.fake import REPOSITORY, TOKEN, FakeForge, Trouble, serving


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with serving_forks(tmp_path_factory.mktemp("program")) as client:
        yield client


@pytest.fixture
def change(tmp_path: Path, program: Path) -> Change:
    found = made(tmp_path)
    found.environment["PROVIDER_DAEMON"] = str(program)
    return found


VALID = "valid; 2 open orders decided otherwise; prices +"


def dearer(change: Change) -> None:
    change.edit("pricing.yaml", "cpu_millicores: 1uve", "cpu_millicores: 1.2uve")


def test_a_valid_change_by_the_installed_program(change: Change) -> None:
    change.environment["PROVIDER_DAEMON"] = str(PROGRAM)
    dearer(change)
    ran = change.run("--base", "main", "--no-forge")
    assert ran.returncode == 0, ran.stderr
    state, description = change.verdict
    assert (state, description.startswith(VALID)) == ("success", True)
    first, _, merging, *_ = change.review.splitlines()
    assert first == f"## V{description[1:]}"
    base, head = change.git("rev-parse", "main"), change.git("rev-parse", "HEAD")
    assert merging == f"Merging `{head[:12]}` into `{base[:12]}` for north."
    assert change.review in ran.stdout
    assert change.git("status", "--porcelain") == "?? review/"


def test_an_invalid_change(change: Change) -> None:
    change.edit("pricing.yaml", "gpu: 20000uve", "gpu: 20000uact")
    ran = change.run("--base", "main", "--no-forge")
    assert ran.returncode == 1
    line = '- pricing.yaml:11:8: pricing.gpu: "20000uact" is in uact (only uve is accepted, convert to uve)'
    assert change.review.count("11:8") == 1
    assert line in change.review.splitlines()
    words = "not valid, 1 error; nothing takes effect: its files have errors"
    assert change.verdict == ("failure", words)
    assert change.review.startswith(f"## N{words[1:]}\n")


def test_warnings_fail_nothing(change: Change) -> None:
    change.write("adapters/docker.yml", "enabled: true\n")
    assert change.run("--base", "main", "--no-forge").returncode == 0
    assert "- adapters/docker.yml: warning: this file is not read" in change.review
    assert change.verdict == ("success", "valid; nothing takes effect: its files are not read")


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


def test_a_failed_plan(change: Change) -> None:
    change.git("branch", "--force", "snapshot/north", "main")
    assert change.run("--base", "main", "--no-forge").returncode == 1
    assert change.verdict == ("failure", "valid, but the plan failed")
    assert "**The plan failed**\n\n- commit " in change.review
    assert "snapshot.json" in change.review


def test_an_empty_change(change: Change) -> None:
    change.write("NOTES.md", "For people.\n")
    assert change.run("--base", "main", "--no-forge").returncode == 0
    assert change.verdict == ("success", "valid; nothing changes: no file of this provider differs")


def test_limits_warn_and_do_not_fail(change: Change) -> None:
    share(change, "north", Limits(price_change_percent=5, clock_skew_seconds=10**9))
    dearer(change)
    change.environment["GITHUB_ACTIONS"] = "true"
    change.environment["FORGE_URL"] = ""
    ran = change.run("--base", "main", "--no-forge")
    assert ran.returncode == 0
    assert change.verdict == ("success", "valid; nothing takes effect: held back by PriceJump")
    assert change.review.startswith("## Valid; nothing takes effect: held back by PriceJump\n")
    assert "::warning::the host file's limits hold this" in ran.stdout


def test_without_a_base_the_head_is_validated(change: Change) -> None:
    assert change.run("--no-forge").returncode == 0
    assert change.review == "## Valid; no plan: there is no branch to merge into\n"
    assert change.verdict == ("success", "valid; no plan: there is no branch to merge into")
    change.write("pricing.yaml", "pricing: {}\n")
    assert change.run("--no-forge").returncode == 1
    assert "**Errors" in change.review


@pytest.mark.parametrize("name", ["snapshot/north", "refs/remotes/origin/snapshot/north", ""])
def test_the_plan_uses_the_snapshot(change: Change, name: str) -> None:
    snapshot = change.git("rev-parse", "snapshot/north")
    change.git("update-ref", "-d", "refs/heads/snapshot/north")
    if name:
        change.git("update-ref", name if name.startswith("refs") else f"refs/heads/{name}", snapshot)
    dearer(change)
    assert change.run("--base", "main", "--no-forge").returncode == 0
    said = change.verdict[1]
    assert said.startswith(VALID) if name else "has no snapshot branch yet" in said


def test_a_second_provider_is_reviewed_before_its_daemon_runs(change: Change) -> None:
    for path in ("config.yaml", "pricing.yaml"):
        change.write(f"two/{path}", (change.directory / path).read_text())
    options = ["--base", "main", "--no-forge", "--path", "two", "--provider", "second"]
    assert change.run(*options).returncode == 0
    assert "has no snapshot branch yet" in change.verdict[1]
    share(change, "second", folder="two")
    assert change.run(*options).returncode == 0
    new = "the provider is new: the branch to merge into lacks its folder"
    assert change.verdict == ("success", f"valid; no plan: {new}")
    change.git("branch", "--force", "main", "HEAD")
    share(change, "second", folder="two")
    change.edit("two/pricing.yaml", "cpu_millicores: 1uve", "cpu_millicores: 1.2uve")
    assert change.run(*options).returncode == 0
    assert change.verdict[1].startswith(VALID)


def test_uncommitted_changes_are_ignored(change: Change) -> None:
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
    assert "config.yaml:" in change.review


def test_two_pull_requests_that_conflict(change: Change) -> None:
    change.edit("pricing.yaml", "gpu: 20000uve", "gpu: 21000uve")
    change.git("checkout", "--quiet", "main")
    change.edit("pricing.yaml", "gpu: 20000uve", "gpu: 22000uve")
    change.git("checkout", "--quiet", "prices")
    assert change.run("--base", "main", "--no-forge").returncode == 1
    assert change.verdict == ("failure", "conflicts with the base branch in 1 file")
    assert change.review.startswith("## Conflicts with the base branch in 1 file\n")
    assert change.review.rstrip().endswith("- pricing.yaml")


def test_active_names_are_neutralised(change: Change) -> None:
    """Neither a branch nor a file can end a block, begin an option, or be a command of the log."""
    name = "workloads/`@team`\n::error::x\n```.yaml"
    change.write(name, "no workload\n")
    change.git("checkout", "--quiet", "-b", "a;touch${IFS}here")
    change.environment["GITHUB_ACTIONS"] = "true"
    ran = change.run("--base", "main", "--head", "a;touch${IFS}here", "--no-forge")
    assert ran.returncode == 1, ran.stderr
    assert not list(change.directory.rglob("here"))
    assert "`@team`" not in change.review
    assert "\n```" not in change.review
    first, *between, last = [
        line for line in ran.stdout.split("\n") if line.startswith("::") and "file=" not in line
    ]
    assert first == f"::stop-commands::{last.strip(':')}"
    assert len(last.strip(":")) == 32
    assert not between


@pytest.mark.parametrize(
    "path", ["pricing.yaml", "workloads/1-1-1-aaaaaaaaaa.yaml", "workloads", "adapters/kubernetes.yaml"]
)
def test_links_are_not_followed(change: Change, path: str, tmp_path: Path) -> None:
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


def test_attributes_do_not_hide_changes(change: Change) -> None:
    change.write(".gitattributes", "* export-ignore eol=crlf\n")
    change.write("pricing.yaml", "pricing: {}\n")
    assert change.run("--base", "main", "--no-forge").returncode == 1


@pytest.mark.parametrize(
    "content",
    [b"a: 1\r\nb", b"\xef\xbb\xbfpricing:\n", b"\xff\xfe\x00", b"pricing:\n\tgpu: 1uve\n", b"", b"\x00"],
    ids=["crlf", "bom", "not utf-8", "tab", "empty", "nul"],
)
def test_entries_that_are_not_files(change: Change, content: bytes) -> None:
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


def test_a_missing_program(change: Change) -> None:
    change.environment["PROVIDER_DAEMON"] = "/nowhere/provider-daemon"
    ran = change.run("--no-forge")
    assert ran.returncode == 69
    assert "ci/program.txt names where CI installs it from" in ran.stderr


def test_no_repository(change: Change, tmp_path: Path) -> None:
    change.directory = tmp_path
    assert change.run("--no-forge").returncode == 64


def on_a_forge(change: Change, forge: FakeForge) -> None:
    forge.head = change.git("rev-parse", "HEAD")
    change.environment |= {
        "FORGE_URL": forge.url,
        "FORGE_REPOSITORY": REPOSITORY,
        "FORGE_TOKEN": TOKEN,
        "FORGE_PULL_REQUEST": "7",
        "FORGE_COMMIT": forge.head,
    }


def test_a_review_is_sent_to_the_forge(change: Change) -> None:
    change.edit("pricing.yaml", "gpu: 20000uve", "gpu: 21000uve")
    with serving(FakeForge()) as forge:
        on_a_forge(change, forge)
        assert change.run("--base", "main").returncode == 0
        change.edit("pricing.yaml", "gpu: 21000uve", "gpu: 21000uact")
        on_a_forge(change, forge)
        assert change.run("--base", "main").returncode == 1
    [body] = forge.bodies
    assert "## Not valid, 1 error; nothing takes effect" in body
    states = [(each["state"], each["context"]) for each in forge.statuses]
    assert states == [("success", "provider-daemon/review"), ("failure", "provider-daemon/review")]
    assert forge.statuses[1]["commit"] == change.git("rev-parse", "HEAD")


def test_each_provider_has_its_comment(change: Change) -> None:
    with serving(FakeForge()) as forge:
        on_a_forge(change, forge)
        share(change, "south")
        for name in ("north", "south", "north"):
            assert change.run("--base", "main", "--provider", name).returncode == 0
    assert len(forge.bodies) == 2
    assert {each["context"] for each in forge.statuses} == {
        "provider-daemon/review/north",
        "provider-daemon/review/south",
    }


@pytest.mark.parametrize(
    "trouble", [Trouble(500), Trouble(401), Trouble(404), Trouble(0), Trouble(429, {"Retry-After": "3600"})]
)
def test_a_failing_forge_does_not_change_the_result(change: Change, trouble: Trouble) -> None:
    with serving(FakeForge(always=trouble)) as forge:
        on_a_forge(change, forge)
        ran = change.run("--base", "main")
        assert ran.returncode == 0
        assert ran.stderr.count("nothing was sent to the forge: ") == 2
        change.write("pricing.yaml", "pricing: {}\n")
        assert change.run("--base", "main").returncode == 1
    assert TOKEN not in ran.stdout + ran.stderr


def test_without_a_forge_the_result_is_the_same(change: Change) -> None:
    ran = change.run("--base", "main")
    assert ran.returncode == 0
    assert "no forge is configured, so nothing is posted; set FORGE_URL" in ran.stderr


def test_a_review_of_an_older_commit_writes_no_comment(change: Change) -> None:
    with serving(FakeForge()) as forge:
        on_a_forge(change, forge)
        forge.head = "f" * 40
        ran = change.run("--base", "main")
    assert ran.returncode == 0
    assert "pull request 7 has moved" in ran.stdout
    assert forge.bodies == []
    assert [each["commit"] for each in forge.statuses] == [change.git("rev-parse", "HEAD")]


FILTERS = "*.yaml filter=steal working-tree-encoding=UTF-16\n* merge=steal diff=steal text eol=crlf ident\n"


def test_attributes_of_a_change_run_nothing_and_alter_no_byte(change: Change) -> None:
    """Filters, drivers and text conversions of the runner's configuration, chosen by the change."""
    trap = f"touch '{change.directory.parent}/ran'; cat"
    for key in ("filter.steal.smudge", "filter.steal.clean", "diff.steal.textconv", "merge.steal.driver"):
        change.git("config", key, trap)
        change.git("config", "--file", str(change.directory.parent / ".gitconfig"), key, trap)
    commit_raw(change, ".gitattributes", FILTERS.encode())
    commit_raw(change, "pricing.yaml", (change.directory / "pricing.yaml").read_bytes() + b"# $Id$\n")
    change.git("checkout", "--quiet", "--force", "main")
    change.edit("config.yaml", "bidding:", "# a comment\nbidding:")
    (change.directory.parent / "ran").unlink(missing_ok=True)
    ran = change.run("--base", "main", "--head", "prices", "--no-forge")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert not (change.directory.parent / "ran").exists()
    assert "> **This pull request changes how pull requests are checked:** `.gitattributes`." in change.review


def test_the_committed_bytes_are_checked(change: Change) -> None:
    """UTF-16 that an attribute would have a checkout turn into UTF-8."""
    commit_raw(change, ".gitattributes", b"*.yaml working-tree-encoding=UTF-16LE\n")
    commit_raw(change, "pricing.yaml", (change.directory / "pricing.yaml").read_text().encode("utf-16-le"))
    assert change.run("--base", "main", "--head", "prices", "--no-forge").returncode == 1
    assert "pricing.yaml" in change.review


def commit_raw(change: Change, path: str, content: bytes) -> None:
    """Put these bytes into the branch's next commit, whatever attributes say."""
    file = change.directory.parent / "raw"
    file.write_bytes(content)
    blob = change.git("hash-object", "-w", "--no-filters", str(file))
    change.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
    change.git("commit", "--quiet", "--message", f"Change {path}")


def test_the_changed_check_is_named_however_many_files_change(change: Change) -> None:
    for number in range(3_200):
        (change.directory / f"note-{number}.txt").write_text("x")
    (change.directory / "ci").mkdir()
    (change.directory / "ci" / "review.sh").write_text("#!/bin/sh\n")
    change.git("add", "--all")
    change.git("commit", "--quiet", "--message", "Many files")
    assert change.run("--base", "main", "--no-forge").returncode == 0
    _, _, _, _, notice, *_ = change.review.splitlines()
    assert notice == "> **This pull request changes how pull requests are checked:** `ci/review.sh`."


def test_an_lfs_pointer_is_a_fault_here_as_in_the_daemon(change: Change) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12\n"
    commit_raw(change, ".gitattributes", b"pricing.yaml filter=lfs diff=lfs merge=lfs -text\n")
    commit_raw(change, "pricing.yaml", pointer)
    assert change.run("--base", "main", "--head", "prices", "--no-forge").returncode == 1
    assert "pricing.yaml:" in change.review
