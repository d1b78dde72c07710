import json
from pathlib import Path

import pytest

from reconciler.cli.main import provider_daemon, run_command
from reconciler.cli.repository.init import template_directory


def run(*arguments: str) -> int:
    return run_command(provider_daemon, arguments)


def test_init_creates_a_valid_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", str(tmp_path / "state")) == 0
    assert run("validate", str(tmp_path / "state")) == 0
    assert "0 errors, 1 warnings" in capsys.readouterr().out


def test_init_keeps_existing_files(tmp_path: Path) -> None:
    (tmp_path / "pricing.yaml").write_text("mine")
    assert run("init", str(tmp_path)) == 0
    assert (tmp_path / "pricing.yaml").read_text() == "mine"
    assert (tmp_path / ".schemas" / "all.json").exists()


def test_init_inside_a_repository_adds_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".git").mkdir()
    assert run("init", str(tmp_path / "second"), "--ci", "gitea") == 0
    assert "git init" not in capsys.readouterr().out
    assert (tmp_path / "second" / "pricing.yaml").exists()
    assert (tmp_path / ".gitea" / "workflows" / "provider-review.yml").exists()
    assert not (tmp_path / "second" / ".gitea").exists()
    assert run("init", str(tmp_path)) == 0
    assert "git init -b main" in capsys.readouterr().out


def test_validate_prints_locations_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("init", str(tmp_path))
    pricing = tmp_path / "pricing.yaml"
    pricing.write_text(pricing.read_text().replace("cpu_millicores: 1uve", "cpu_millicores: 1uact"))
    capsys.readouterr()
    assert run("validate", str(tmp_path)) == 1
    assert "pricing.yaml:8:" in capsys.readouterr().out
    assert run("validate", str(tmp_path), "-o", "json") == 1
    choice, fault = json.loads(capsys.readouterr().out)
    assert (choice["path"], choice["severity"]) == ("adapters/kubernetes.yaml", "warning")
    assert (fault["path"], fault["line"], fault["severity"]) == ("pricing.yaml", 8, "error")


def test_committed_schemas_match_the_models() -> None:
    assert run("schemas", "--check", str(template_directory().parent / "schemas")) == 0


def test_outdated_schemas_are_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schemas", "--write", str(tmp_path)) == 0
    (tmp_path / "pricing.json").write_text("{}")
    assert run("schemas", "--check", str(tmp_path)) == 1
    assert "pricing.json" in capsys.readouterr().err
