from pathlib import Path

import pytest

from reconciler.cli.main import provider_daemon, run_command
from reconciler.settings import DRAIN_FILE, STOP_FILE


@pytest.mark.parametrize(("command", "name"), [("drain", DRAIN_FILE), ("stop-spending", STOP_FILE)])
def test_a_command_creates_its_file_and_off_removes_it(tmp_path: Path, command: str, name: str) -> None:
    state = tmp_path / "state"
    assert run_command(provider_daemon, [command, "--state", str(state)]) == 0
    assert (state / name).exists()
    assert run_command(provider_daemon, [command, "--state", str(state), "--off"]) == 0
    assert run_command(provider_daemon, [command, "--state", str(state), "--off"]) == 0
    assert not (state / name).exists()
