"""This client and the chain's own client have the same name; both stay reachable."""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from reconciler.cli.lazy import USAGE_ERROR
from reconciler.cli.virtengine.handover import HANDED_OVER, real_client
from reconciler.cli.virtengine.main import PACKAGE

SCRIPT = f"#!{sys.executable}\nfrom reconciler.cli.virtengine.main import main\nmain()\n"
REAL = '#!/bin/sh\necho "the real one: $*"\nexit 7\n'


def executable(directory: Path, content: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "virtengine"
    path.write_text(content)
    path.chmod(0o755)
    return path


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """As pip installs it."""
    return executable(tmp_path / "ours", SCRIPT)


@pytest.fixture
def real(tmp_path: Path) -> Path:
    return executable(tmp_path / "real", REAL)


def run(*arguments: str, path: list[Path], **environment: str) -> subprocess.CompletedProcess[str]:
    known = {"PATH": os.pathsep.join(map(str, path)), "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [str(path[0] / "virtengine"), *arguments]
    return subprocess.run(
        command, env={**known, **environment}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("tx", "market", "bid", "create", "--price", "5uve"),
        ("query", "gov", "proposals", "-o", "json"),
        ("query", "market", "params"),
        ("q", "market", "order", "params"),
        ("keys", "add", "new one"),
        ("version", "--long"),
    ],
)
def test_unknown_commands_run_the_real_client(ours: Path, real: Path, arguments: tuple[str, ...]) -> None:
    done = run(*arguments, path=[ours.parent, real.parent])
    assert (done.returncode, done.stdout, done.stderr) == (7, f"the real one: {' '.join(arguments)}\n", "")


def test_known_commands_run_here(ours: Path, real: Path) -> None:
    done = run("keys", "list", "--home", "/nowhere", path=[ours.parent, real.parent])
    assert done.returncode == 1
    assert done.stderr.startswith("error: /nowhere contains no keyring")
    assert run("query", "--nonsense", path=[ours.parent, real.parent]).returncode == USAGE_ERROR


def test_without_a_real_client_an_unknown_command_is_a_usage_error(ours: Path) -> None:
    done = run("tx", "bank", path=[ours.parent])
    assert done.returncode == USAGE_ERROR
    assert done.stderr.endswith(
        "Error: No such command 'tx'. The chain's own client would be called for it, but no other virtengine "
        "is on the PATH.\n"
    )


def test_two_installations_do_not_call_each_other(ours: Path, tmp_path: Path) -> None:
    """Neither directly, nor behind a wrapper that is not recognised."""
    second = executable(tmp_path / "second", SCRIPT)
    assert run("tx", path=[ours.parent, second.parent]).returncode == USAGE_ERROR
    wrapper = executable(tmp_path / "wrapper", f'#!/bin/sh\nexec {second} "$@"\n')
    assert run("tx", path=[ours.parent, wrapper.parent]).returncode == USAGE_ERROR
    assert run("tx", path=[ours.parent], **{HANDED_OVER: "1"}).returncode == USAGE_ERROR


def test_the_version_shows_both_clients(ours: Path, real: Path) -> None:
    version = f"virtengine {metadata.version(PACKAGE)}, the read-only client of {PACKAGE}\n"
    both = run("--version", path=[ours.parent, real.parent])
    alone = run("--version", path=[ours.parent])
    assert (both.returncode, both.stdout) == (0, f"{version}the chain's own client: {real}\n")
    assert (alone.returncode, alone.stdout) == (0, f"{version}the chain's own client: none on the PATH\n")


def test_help_names_the_way_to_the_real_client(ours: Path) -> None:
    text = " ".join(run("--help", path=[ours.parent]).stdout.split())
    assert "go to the first other `virtengine` on the PATH" in text
    assert "call it by its full path" in text


def test_a_file_that_cannot_be_executed_is_not_the_real_client(tmp_path: Path, real: Path) -> None:
    (tmp_path / "folder" / "virtengine").mkdir(parents=True)
    plain = tmp_path / "plain" / "virtengine"
    plain.parent.mkdir()
    plain.write_text(REAL)
    directories = [tmp_path / "folder", plain.parent, tmp_path / "none", real.parent]
    assert real_client({"PATH": os.pathsep.join(map(str, directories))}) == real
    assert real_client({"PATH": str(plain.parent)}) is None


def test_help_and_version_import_no_heavy_library(ours: Path) -> None:
    """Neither gRPC nor pydantic nor YAML is imported before a command needs it."""
    code = (
        "import sys\nfrom reconciler.cli.virtengine.main import virtengine\n"
        "virtengine.main(['--help'], standalone_mode=False)\n"
        "print([name for name in ('grpc', 'pydantic', 'yaml', 'google.protobuf') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ours.parent
    )
    assert done.stdout.endswith("\n[]\n")
