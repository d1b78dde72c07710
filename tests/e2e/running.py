"""Commands as processes of their own, ended by their ids."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SECONDS_MAX = 90
FAST = ("--block-seconds", "0.25", "--due-seconds", "16")
"""Blocks four times as fast as the demo's; money is due later than in proportion, so that a busy machine
comes to the end before anything is due again.
"""


def start(*arguments: str) -> subprocess.Popen[str]:
    """`provider-daemon ARGUMENTS`, its output in pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The same, to its end."""
    command = [sys.executable, "-m", "reconciler", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)


def interrupt(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Ctrl-C; the exit code and what it printed."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=SECONDS_MAX)
    return process.returncode, out, err


def told(home: Path) -> dict[str, Any]:
    """`devnet.json`, as it is now."""
    try:
        found: dict[str, Any] = json.loads((home / "devnet.json").read_text())
    except FileNotFoundError:
        return {"pid": 0}
    return found


@contextmanager
def devnet(home: Path, *options: str) -> Iterator[dict[str, Any]]:
    """A devnet in a directory; yields what it tells in `devnet.json`."""
    process = start("devnet", "--home", str(home), *options)
    try:
        until = time.monotonic() + SECONDS_MAX
        while told(home)["pid"] != process.pid:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.05)
        yield told(home)
    finally:
        if process.poll() is None:
            code, _, err = interrupt(process)
            assert (code, err) == (0, "")
