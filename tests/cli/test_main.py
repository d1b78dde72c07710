from pathlib import Path

import pytest

from reconciler.cli.lazy import USAGE_ERROR
from reconciler.cli.main import PLACES, provider_daemon, run_command


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run_command(provider_daemon, arguments)
    out = capsys.readouterr()
    return code, out.out, out.err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys, "--help")
    assert code == 0
    assert all(name in out for name in PLACES)


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("plan", "--nonsense"), ("explain",), ("run", "-o", "json")]
)
def test_wrong_usage_is_64(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    code, _, err = told(capsys, *arguments)
    assert code == USAGE_ERROR
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["plan", "run", "status", "stop-spending"])
def test_a_missing_host_file_is_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    missing = tmp_path / "host.yaml"
    code, _, err = told(capsys, command, "--host", str(missing))
    assert code == 1
    assert err.startswith(
        f"error: the host file {missing} cannot be read: No such file or directory; name yours"
    )


@pytest.mark.parametrize("name", list(PLACES))
def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, out, _ = told(capsys, name, "--help")
    assert code == 0
    assert out.startswith("Usage:")
