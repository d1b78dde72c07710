"""The operator's git on a devnet: the plain command, as somebody at a terminal uses it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from reconciler.devnet.faults import DevnetError

SECONDS_MAX = 30
_IDENTITY = {
    "GIT_AUTHOR_NAME": "operator",
    "GIT_AUTHOR_EMAIL": "operator@localhost",
    "GIT_COMMITTER_NAME": "operator",
    "GIT_COMMITTER_EMAIL": "operator@localhost",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
}


def git(folder: Path, *arguments: str) -> str:
    """What git printed, run in a folder; DevnetError with its own words where it failed."""
    settings = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | _IDENTITY
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=settings,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
    except FileNotFoundError:
        raise DevnetError("there is no git command; install git") from None
    except subprocess.TimeoutExpired:
        raise DevnetError(f"git {arguments[0]} in {folder} took longer than {SECONDS_MAX} s") from None
    if done.returncode:
        raise DevnetError(f"git {arguments[0]} in {folder} failed: {done.stderr.strip()}")
    return done.stdout
