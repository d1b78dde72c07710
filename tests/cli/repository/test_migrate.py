"""`migrate` as it is typed: a repository, one file, a host file; --check, and what cannot be rewritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.main import provider_daemon, run_command
from tests.documents.texts import CONFIG, SHEET_PRICING, repository


def run(*arguments: str) -> int:
    return run_command(provider_daemon, arguments)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A repository of the first form, the sheet's own prices among it."""
    files = repository(1) | {"pricing.yaml": SHEET_PRICING, "README.md": b"kind: Config\n"}
    files["config.yaml"] = CONFIG + b"usage:\n  expiry_margin: 2h   # soon\n"
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    return tmp_path


def bytes_of(state: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in state.rglob("*") if path.is_file()}


def test_a_repository_is_rewritten_once(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("migrate", str(state)) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[-1] == "4 files rewritten; review with git diff, then commit"
    assert (state / "config.yaml").read_text().endswith("usage:\n  settle_before_expiry: 2h   # soon\n")
    assert (state / "README.md").read_text() == "kind: Config\n"
    assert run("validate", str(state)) == 0
    before = bytes_of(state)
    capsys.readouterr()
    assert run("migrate", str(state)) == 0
    assert capsys.readouterr().out == "nothing to rewrite\n"
    assert run("migrate", "--check", str(state)) == 0
    assert bytes_of(state) == before


def test_check_prints_a_diff_and_writes_nothing(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = bytes_of(state)
    assert run("migrate", "--check", str(state)) == 2
    out = capsys.readouterr().out
    assert "--- a/config.yaml\n+++ b/config.yaml\n" in out
    assert "-  expiry_margin: 2h   # soon\n+  settle_before_expiry: 2h   # soon\n" in out
    assert out.endswith("4 files would be rewritten\n")
    assert bytes_of(state) == before


def test_an_invalid_file_is_kept_and_reported(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (state / "pricing.yaml").write_bytes(b"pricing: 1\n")
    assert run("migrate", str(state)) == 1
    told = capsys.readouterr()
    assert told.err.startswith("pricing.yaml:1:10: pricing: 1 is not a mapping")
    assert (state / "pricing.yaml").read_bytes() == b"pricing: 1\n"
    assert "3 files rewritten" in told.out


def test_one_file(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(state / "adapters")
    assert run("migrate", "kubernetes.yaml") == 0
    assert "v1beta1" in (state / "adapters" / "kubernetes.yaml").read_text()
    assert run("migrate", "--check", str(state / "config.yaml")) == 2


def test_a_host_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    host = tmp_path / "provider-daemon.yaml"
    host.write_text(
        "repository: {url: x}\nchain: {grpc: '127.0.0.1:1', rpc: 'http://127.0.0.1:1', chain_id: c}\n"
    )
    host.chmod(0o600)
    assert run("migrate", str(host)) == 0
    assert host.read_text().startswith("apiVersion: provider.virtengine.dev/v1beta1\nkind: Host\nrepository")
    assert host.stat().st_mode & 0o777 == 0o600
    host.write_text("kind: Nothing\n")
    assert run("migrate", str(host)) == 1


def test_outdated_schemas_are_replaced(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", str(state)) == 0
    (state / ".schemas" / "pricing.json").write_text("{}")
    capsys.readouterr()
    assert run("migrate", "--check", str(state)) == 2
    assert capsys.readouterr().out.endswith("4 files and 1 schema would be rewritten\n")
    assert run("migrate", str(state)) == 0
    assert run("schemas", "--check", str(state / ".schemas")) == 0


def test_a_new_repository_needs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", str(tmp_path)) == 0
    capsys.readouterr()
    assert run("migrate", "--check", str(tmp_path)) == 0
    assert capsys.readouterr().out == "nothing to rewrite\n"
