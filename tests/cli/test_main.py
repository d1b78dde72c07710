import ast
from pathlib import Path

import pytest

from reconciler.cli.errors import EXPECTED
from reconciler.cli.lazy import USAGE_ERROR
from reconciler.cli.main import COMMANDS, provider_daemon, run_command


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run_command(provider_daemon, arguments)
    out = capsys.readouterr()
    return code, out.out, out.err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert all(name in out for name in COMMANDS)


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("plan", "--nonsense"), ("explain",), ("run", "-o", "json")]
)
def test_a_usage_error_exits_with_64(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    code, _, err = run(capsys, *arguments)
    assert code == USAGE_ERROR
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["plan", "run", "status", "stop-spending"])
def test_a_missing_host_file_is_an_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    missing = tmp_path / "host.yaml"
    code, _, err = run(capsys, command, "--host", str(missing))
    assert code == 1
    assert err.startswith(
        f"error: the host file {missing} cannot be read: No such file or directory; name yours"
    )


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, out, _ = run(capsys, name, "--help")
    assert code == 0
    assert out.startswith("Usage:")


def test_every_expected_error_is_a_class() -> None:
    files = (Path(__file__).parents[2] / "reconciler").rglob("*.py")
    trees = [ast.parse(file.read_text()) for file in files]
    classes = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    assert classes >= EXPECTED
