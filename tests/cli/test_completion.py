"""The scripts, and what they get when they ask."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.main import provider_daemon, run_command


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_script_for_each_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(provider_daemon, ["completion", shell]) == 0
    assert f"_PROVIDER_DAEMON_COMPLETE={shell}_complete" in capsys.readouterr().out


def test_bash_completes_matching_commands() -> None:
    asked = {
        "_PROVIDER_DAEMON_COMPLETE": "bash_complete",
        "COMP_WORDS": "provider-daemon s",
        "COMP_CWORD": "1",
    }
    program = Path(sys.executable).with_name("provider-daemon")
    done = subprocess.run([program], env={**os.environ, **asked}, capture_output=True, text=True, check=False)
    found = {line.partition(",")[2] for line in done.stdout.splitlines()}
    assert found == {"status", "suspend", "stop-spending", "schemas", "seal"}, done.stderr
