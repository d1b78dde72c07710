"""`validate` as it is typed: what it reads, where it says faults are, in each format, and its exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from reconciler.cli.main import provider_daemon, run_command
from reconciler.cli.repository import validate as module
from reconciler.cli.repository.validate import NAMES_UNCHECKED, read_tree
from tests.documents.texts import PROVIDER, repository, workload, workload_path

HOST = """\
kind: Host
repository: {url: state}
chain: {grpc: "127.0.0.1:9090", rpc: "http://127.0.0.1:26657", chain_id: x}
limits: {price_max: {gpu: 1000uve}}
"""


def run(*arguments: str) -> int:
    return run_command(provider_daemon, arguments)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A valid repository in the folder `state` of the current one."""
    write(tmp_path / "state", repository(1, 2))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "state"


def write(top: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_bytes(content)


def spoil(state: Path) -> None:
    pricing = state / "pricing.yaml"
    pricing.write_text(pricing.read_text().replace("gpu: 20000uve", "gpu: 20000uact"))


def test_what_is_valid(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("validate", "state") == 0
    counts = "5 files, 0 errors, 0 warnings\n"
    assert capsys.readouterr() == (counts, f"{NAMES_UNCHECKED}\n")
    assert run("validate", "state", "--provider", PROVIDER) == 0
    assert capsys.readouterr() == (counts, "")


@pytest.mark.parametrize("form", ["json", "sarif", "gitlab"])
def test_json_has_no_other_output(form: str, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("validate", "state", "--format", form) == 0
    json.loads(capsys.readouterr().out)
    spoil(state)
    assert run("validate", "state", "--format", form) == 1
    assert "pricing.yaml" in json.dumps(json.loads(capsys.readouterr().out))


def test_paths_are_relative_to_the_current_folder(
    state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(state)
    for where, path in (("state", "state/"), (str(state), "state/"), ("state/../state", "state/../state/")):
        assert run("validate", where, "--format", "github") == 1
        assert capsys.readouterr().out.startswith(f"::error file={path}pricing.yaml,line=7,col=8,")
    monkeypatch.chdir(state)
    assert run("validate") == 1
    assert capsys.readouterr().out.startswith("pricing.yaml:7:8: ")
    monkeypatch.chdir(state / "workloads")
    assert run("validate", str(state)) == 1
    assert capsys.readouterr().out.startswith("pricing.yaml:7:8: ")


def test_prices_are_checked_against_the_hosts_limits(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (state.parent / "host.yaml").write_text(HOST)
    assert run("validate", "state", "--host", "host.yaml") == 1
    assert capsys.readouterr().out.splitlines()[0] == (
        "state/pricing.yaml:7:8: pricing.gpu: gpu is 20000uve, with margin and surcharges up to "
        "23000uve; the host file allows no more than 1000uve "
        "(write a price within them, or change limits.price_min and price_max in the host file)"
    )
    assert run("validate", "state") == 0


def test_a_missing_host_file_is_an_error(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("validate", "state", "--host", "nowhere.yaml") == 1
    assert "nowhere.yaml cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("nowhere",), ("--format", "xml"), (".", ".")])
def test_wrong_usage(arguments: tuple[str, ...], state: Path) -> None:
    assert run("validate", *arguments) == 64


def test_only_relevant_files_are_read(state: Path) -> None:
    others = {f"{folder}/pricing.yaml": b"" for folder in (".git", ".schemas", "node_modules", "docs")}
    write(state, {**others, "workloads/deep/er/x.yaml": b"", "README.md": b"", "pricing.yml": b""})
    files, refused = read_tree(state)
    assert sorted(files) == sorted(
        [*repository(1, 2), "README.md", "pricing.yml", "workloads/deep/er/x.yaml"]
    )
    assert refused == {}


def test_entries_that_are_not_plain_files(
    state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FILE_MAX_BYTES", 1000)
    (state / workload_path(3)).symlink_to("/etc/hostname")
    os.mkfifo(state / workload_path(4))
    (state / workload_path(5)).write_bytes(b"#" * 1001)
    assert run("validate", "state") == 1
    link = "it is a symbolic link, which is not followed; put a plain file there"
    told = {3: link, 4: "it is not a plain file", 5: "it has 1001 bytes"}
    assert capsys.readouterr().out.splitlines() == [
        *sorted(f"state/{workload_path(number)}: {why}" for number, why in told.items()),
        "5 files, 3 errors, 0 warnings",
    ]


def test_a_folder_that_is_a_link_hides_its_files(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (state / "workloads").rename(state / "elsewhere")
    (state / "workloads").symlink_to("elsewhere")
    assert run("validate", "state") == 1
    assert "state/workloads: it is a symbolic link" in capsys.readouterr().out


def test_a_name_that_is_not_utf_8_is_printed(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path(os.fsdecode(os.fsencode(state) + b"/workloads/\xff.yml")).write_bytes(workload(1))
    assert run("validate", "state") == 0
    assert "state/workloads/\ufffd.yml: warning: this file is not read" in capsys.readouterr().out


def test_two_pull_requests_that_conflict(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What git leaves in the file is told before anybody commits it, with the line where it begins."""

    def git(*arguments: str) -> int:
        identity = ("-c", "user.name=operator", "-c", "user.email=operator@localhost")
        ran = subprocess.run(["git", *identity, *arguments], cwd=state, capture_output=True, check=False)
        return ran.returncode

    def price(gpu: str) -> None:
        pricing = state / "pricing.yaml"
        pricing.write_text(re.sub("gpu: .*", f"gpu: {gpu}", pricing.read_text()))
        assert git("commit", "-qam", gpu) == 0

    assert git("init", "-q", "-b", "main") == git("add", "-A") == git("commit", "-qm", "all") == 0
    assert git("checkout", "-qb", "cheaper") == 0
    price("10000uve")
    assert git("checkout", "-q", "main") == 0
    price("30000uve")
    assert git("merge", "-q", "cheaper") == 1
    assert run("validate", "state") == 1
    assert capsys.readouterr().out.splitlines() == [
        "state/pricing.yaml:7:1: unresolved merge conflict (resolve it and remove the conflict markers)",
        "     7 | <<<<<<< HEAD",
        "       | ^",
        "5 files, 1 errors, 0 warnings",
    ]


def test_one_file_within_its_repository(
    state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own faults, those that show beside other files among them."""
    spoil(state)
    assert run("validate", f"state/{workload_path(1)}") == 0
    assert capsys.readouterr().out == "1 files, 0 errors, 0 warnings\n"
    (state / "adapters" / "kubernetes.yaml").write_text("enabled: false\n")
    monkeypatch.chdir(state / "workloads")
    name = Path(workload_path(1)).name
    assert run("validate", name) == 1
    assert "adapter: no adapter is enabled" in capsys.readouterr().out
    assert run("validate", str(state / "pricing.yaml"), "--format", "json") == 1
    assert [fault["path"] for fault in json.loads(capsys.readouterr().out)] == ["pricing.yaml"]


def test_a_file_outside_of_a_repository(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (state / "README.md").write_text("")
    assert run("validate", "state/README.md") == 1
    assert "is not a file of a state repository; name the folder of config.yaml" in capsys.readouterr().err


def commit(state: Path) -> None:
    plain = ["-c", "user.name=o", "-c", "user.email=o@localhost", "-c", "commit.gpgSign=false"]
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "x"]):
        subprocess.run(["git", *plain, *words], cwd=state.parent, check=True, capture_output=True)


def test_a_commit_is_read_from_objects(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The working tree, its attributes and filters count for nothing."""
    commit(state)
    spoil(state)
    assert run("validate", "--commit", "HEAD", "--path", "state") == 0
    assert capsys.readouterr().out == "5 files, 0 errors, 0 warnings\n"
    commit(state)
    (state / "pricing.yaml").unlink()
    assert run("validate", "--commit", "HEAD", "--path", "./state/", "state/adapters") == 1
    assert capsys.readouterr().out.startswith("state/pricing.yaml:")


@pytest.mark.parametrize(
    ("options", "code"), [(("--commit", "nothing"), 1), (("--path", "state"), 64), (("--commit", "HEAD"), 1)]
)
def test_a_missing_commit(options: tuple[str, ...], code: int, state: Path) -> None:
    commit(state)
    assert run("validate", *options) == code


def test_fix_writes_what_diff_shows(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pricing = state / "pricing.yaml"
    valid = pricing.read_text()
    pricing.write_text(valid.replace("gpu: 20000uve", "gpu: 20000 uve"))
    (state / "config.yaml").rename(state / "config.yml")
    assert run("validate", "state", "--fix", "--diff") == 1
    shown = capsys.readouterr().out
    assert "-  gpu: 20000 uve\n+  gpu: 20000uve\n" in shown
    assert "--- /dev/null\n+++ b/config.yaml\n" in shown
    assert pricing.read_text() != valid
    assert run("validate", "state", "--fix") == 0
    assert pricing.read_text() == valid
    assert not (state / "config.yml").exists()
    assert run("validate", "state/pricing.yaml", "--fix") == 64
