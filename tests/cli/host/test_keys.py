import json
from pathlib import Path

import pytest

from reconciler.cli.main import provider_daemon, run_command
from reconciler.cli.virtengine.main import virtengine

RECORDED = Path(__file__).parents[2] / "vectors" / "keyrings"
PROVIDER = "ve15yk64u7zc9g9k2yr2wmzeva5qgwxps6y605mkk"


def test_show_prints_only_the_address(capsys: pytest.CaptureFixture[str]) -> None:
    code = run_command(virtengine, ["keys", "show", "provider", "-a", "--keyring-dir", str(RECORDED)])
    assert (code, capsys.readouterr().out) == (0, f"{PROVIDER}\n")


def test_a_missing_key_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    code = run_command(virtengine, ["keys", "show", "nobody", "-a", "--keyring-dir", str(RECORDED)])
    assert code == 1
    assert "nobody" in capsys.readouterr().err


def keys(home: Path, *arguments: str) -> int:
    return run_command(
        provider_daemon, ["keys", "--keyring-dir", str(home), "--keyring-backend", "test", *arguments]
    )


def test_add_recover_show_and_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = tmp_path / "words"
    words.write_text("test " * 11 + "junk\n")
    with words.open() as given:
        monkeypatch.setattr("sys.stdin", given)
        assert keys(tmp_path, "add", "provider", "--recover") == 0
    assert capsys.readouterr().out == f"provider: {PROVIDER}\n"
    assert keys(tmp_path, "add", "second", "-o", "json") == 0
    made = json.loads(capsys.readouterr().out)
    assert len(made["mnemonic"].split()) == 24
    assert keys(tmp_path, "list") == 0
    assert capsys.readouterr().out == f"provider: {PROVIDER}\nsecond: {made['address']}\n"
    assert keys(tmp_path, "show", "second", "-a") == 0
    assert capsys.readouterr().out == f"{made['address']}\n"
