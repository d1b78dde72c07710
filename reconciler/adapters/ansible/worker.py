"""One run of Ansible in a process of its own: `python -m reconciler.adapters.ansible.worker DIRECTORY`.

It lives in an environment that was swept clean, and ends with all it started when its standard input closes,
however the daemon ends.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import ansible_runner

from reconciler.adapters.ansible.process_tree import adopt_orphans, end_below

OUTCOME = "outcome.json"
TASK_EVENTS = ("runner_on_ok", "runner_on_failed", "runner_on_unreachable")
WORDS_MAX = 4_000


class Watching:
    """What the run's events say of each host: how it went, in what words, and whether anything differs."""

    def __init__(self) -> None:
        self.hosts: dict[str, dict[str, Any]] = {}

    def take(self, event: dict[str, Any]) -> bool:
        """Keep what counts of an event; False: it is written to no file."""
        if event["event"] in TASK_EVENTS:
            told = event["event_data"]
            result = told.get("res") or {}
            self.hosts[told["host"]] = {
                "state": event["event"].removeprefix("runner_on_"),
                "words": str(result.get("msg") or result.get("module_stderr") or "")[-WORDS_MAX:],
                "step": str(result.get("step") or ""),
                "changed": bool(result.get("changed")),
                "diff": result.get("diff") or [],
            }
        return False


def main() -> None:
    """Run what `run.json` asks for, and leave `outcome.json`."""
    here = Path(sys.argv[1])
    asked = json.loads((here / "run.json").read_bytes())
    adopt_orphans()
    threading.Thread(target=_end_when_left, daemon=True).start()
    watching = Watching()
    runner = ansible_runner.run(
        private_data_dir=str(here),
        playbook=asked["playbook"],
        inventory=str(here / "hosts.json"),
        cmdline=asked["words"] or None,
        forks=asked["forks"],
        suppress_env_files=True,
        quiet=True,
        event_handler=watching.take,
    )
    outcome = {
        "status": runner.status,
        "rc": runner.rc,
        "command": [str(word) for word in runner.config.command],
        "hosts": watching.hosts,
        "tail": runner.stdout.read()[-WORDS_MAX:],
    }
    (here / "outcome.json.new").write_text(json.dumps(outcome))
    (here / "outcome.json.new").replace(here / OUTCOME)


def _end_when_left() -> None:
    while os.read(sys.stdin.fileno(), 1):
        continue
    end_below(os.getpid())
    os._exit(1)


if __name__ == "__main__":
    main()
    os._exit(0)  # the thread that waits for our input would hold up an ordinary end for a second
