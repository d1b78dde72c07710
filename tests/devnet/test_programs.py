import os
from pathlib import Path

import pytest

from reconciler.devnet.faults import DevnetError
from reconciler.devnet.home import Home
from reconciler.devnet.programs import DaemonProgram, Program, await_devnet, devnet_program


def test_a_program_that_does_not_start_is_told_in_its_own_words(tmp_path: Path) -> None:
    program = devnet_program(Home(tmp_path / "new"), ["--block-seconds", "never"])
    program.start()
    with pytest.raises(DevnetError, match=r"(?s)the devnet did not start: .*'never' is not a valid"):
        await_devnet(Home(tmp_path / "new"), program)


def test_a_devnet_is_awaited_and_stopped(tmp_path: Path) -> None:
    home = Home(tmp_path)
    program = devnet_program(home, ["--block-seconds", "0.2"])
    program.start()
    await_devnet(home, program)
    assert program.is_alive()
    assert home.facts().pid == program.pid
    program.stop()
    assert not program.is_alive()
    assert "has stopped at height" in program.tail()
    program.stop()


def test_one_that_is_killed_is_gone(tmp_path: Path) -> None:
    program = devnet_program(Home(tmp_path), [])
    assert not program.is_alive()
    program.kill()
    program.start()
    pid = program.pid
    program.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_once_answers_with_its_exit_code(tmp_path: Path) -> None:
    code, printed = DaemonProgram(Home(tmp_path)).once()
    assert (code, printed) == (1, "")
    assert "the host file" in Program([], tmp_path / "daemon.log").tail()


def test_a_program_that_said_nothing(tmp_path: Path) -> None:
    assert Program([], tmp_path / "nothing.log").tail() == ""
