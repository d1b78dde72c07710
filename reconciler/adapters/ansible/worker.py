"""One Ansible run in its own process: `python -m reconciler.adapters.ansible.worker DIRECTORY`.

Runs with a clean environment, and kills all its descendants when its standard input closes, however the
daemon ends.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import ansible_runner

from reconciler.adapters.ansible.process_tree import adopt_orphans, kill_descendants

OUTCOME = "outcome.json"
TASK_EVENTS = ("runner_on_ok", "runner_on_failed", "runner_on_unreachable")
MESSAGE_MAX = 4_000


class EventCollector:
    """The last task result of each host: its state, message and failed step."""

    def __init__(self) -> None:
        self.hosts: dict[str, dict[str, str]] = {}

    def take(self, event: dict[str, Any]) -> bool:
        """An `event_handler` of ansible-runner; False keeps the event from being written to a file."""
        if event["event"] in TASK_EVENTS:
            data = event["event_data"]
            result = data.get("res") or {}
            self.hosts[data["host"]] = {
                "state": event["event"].removeprefix("runner_on_"),
                "message": str(result.get("msg") or result.get("module_stderr") or "")[-MESSAGE_MAX:],
                "step": str(result.get("step") or ""),
            }
        return False


def main() -> None:
    """Run what `run.json` specifies, and write `outcome.json`."""
    directory = Path(sys.argv[1])
    run = json.loads((directory / "run.json").read_bytes())
    adopt_orphans()
    threading.Thread(target=_exit_when_abandoned, daemon=True).start()
    collector = EventCollector()
    runner = ansible_runner.run(
        private_data_dir=str(directory),
        playbook=run["playbook"],
        inventory=str(directory / "hosts.json"),
        cmdline=run["options"] or None,
        forks=run["forks"],
        suppress_env_files=True,
        quiet=True,
        event_handler=collector.take,
    )
    outcome = {
        "command": [str(word) for word in runner.config.command],
        "hosts": collector.hosts,
        "output": runner.stdout.read()[-MESSAGE_MAX:],
    }
    (directory / "outcome.json.new").write_text(json.dumps(outcome))
    (directory / "outcome.json.new").replace(directory / OUTCOME)


def _exit_when_abandoned() -> None:
    while os.read(sys.stdin.fileno(), 1):
        continue
    kill_descendants(os.getpid())
    os._exit(1)


if __name__ == "__main__":
    main()
    os._exit(0)  # an ordinary exit waits a second for the thread that reads standard input
