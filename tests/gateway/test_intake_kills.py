"""A kill between any two steps of a submission: what was answered is in the branch, and in the repository."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.gateway.submissions import Receipt
from reconciler.git.git_process import GitResult, GitRunner
from reconciler.git.remote import Remote
from reconciler.values.outcomes import Done
from tests.gateway.test_manifest_intake import LEASE, MADE, Gateway
from tests.git.forge import Forge

STEPS_MAX = 60


class KilledError(BaseException):
    """The process is killed; no `except Exception` catches this."""


def killing(nth: int, patch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Kill before the nth git command from now on; returns how many commands there were."""
    run, count = GitRunner.run, [0]

    def killed(runner: GitRunner, *arguments: str, **options: Any) -> GitResult:
        count[0] += 1
        if count[0] >= nth:
            raise KilledError
        return run(runner, *arguments, **options)

    patch.setattr(GitRunner, "run", killed)
    return lambda: count[0]


def test_a_kill_between_any_two_steps(tmp_path: Path) -> None:
    Gateway(Remote(str(Forge.make(tmp_path / "0" / "forge").path)), tmp_path / "0" / "state")
    answered = 0
    for nth in range(1, STEPS_MAX):
        folder = tmp_path / str(nth)
        shutil.copytree(tmp_path / "0", folder)
        remote, state = Remote(str(folder / "forge")), folder / "state"
        gateway, receipt = Gateway(remote, state), None
        with pytest.MonkeyPatch.context() as patch:
            commands = killing(nth, patch)
            try:
                receipt = gateway.submit()
                gateway.branch.synchronise()
            except KilledError:
                pass
            is_over = commands() < nth
        answered += isinstance(receipt, Receipt)
        restarted = Gateway(remote, state)
        stored = len(restarted.branch.state.files)
        assert stored == 1 if isinstance(receipt, Receipt) else stored <= 1
        assert isinstance(restarted.submit(), Receipt)
        assert isinstance(restarted.branch.synchronise(), Done)
        assert len(Forge(folder / "forge").log("tenants/p")) == 1
        assert restarted.intake.accepted_group(LEASE) == MADE.manifest.sorted_json()
        if is_over:
            break
    assert is_over
    assert answered > 1
