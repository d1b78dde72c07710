"""The script that validates a state repository in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "ci" / "validate.sh"
PROGRAM = Path(sys.executable).parent / "provider-daemon"


def validate(*arguments: str, program: Path = PROGRAM, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PROVIDER_DAEMON": str(program)}
    return subprocess.run(
        [str(SCRIPT), *arguments], env=environment, cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "state-repo-template", tmp_path / "a state"))


def test_the_template_is_valid(repository: Path) -> None:
    ran = validate(str(repository))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert validate(cwd=repository).returncode == 0


def test_faults_have_their_place(repository: Path) -> None:
    prices = repository / "pricing.yaml"
    prices.write_text(prices.read_text().replace("gpu: 20000uve", "gpu: 20000uact"))
    ran = validate(str(repository))
    assert ran.returncode == 1
    line = 'pricing.yaml:11:8: pricing.gpu: "20000uact" is in uact (only uve is accepted, write 20000uve)'
    assert line in ran.stdout.splitlines()


@pytest.mark.parametrize("arguments", [("a", "b"), ("--help",), ("/nowhere",)])
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert validate(*arguments).returncode == 64


def test_a_program_that_is_not_there(repository: Path) -> None:
    ran = validate(str(repository), program=Path("/nowhere/provider-daemon"))
    assert ran.returncode == 69
    assert "set PROVIDER_DAEMON" in ran.stderr
