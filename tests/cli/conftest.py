"""A terminal, with a daemon's API and journal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from reconciler.api.startup import Started
from reconciler.cli.main import provider_daemon, run_command
from reconciler.devnet.bootstrap import bootstrap
from reconciler.devnet.home import DevnetPorts, Facts, Home
from reconciler.journal.opening import OpenJournal, open_journal, open_records
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.memory import Memory
from reconciler.values.plans import Plan
from tests.api.fake_sources import WakeCounter, serve
from tests.api.snapshots import FULL

SHOWN = replace(FULL, plan=Plan("a" * 40, (), (), (), Memory()))


@dataclass(slots=True)
class Terminal:
    """Commands with a host file; servers and a journal stand in for the daemon."""

    home: Home
    snapshots: SnapshotStore
    wake: WakeCounter
    journal: OpenJournal
    servers: Started
    capsys: pytest.CaptureFixture[str]

    def run(self, *words: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of a command."""
        self.capsys.readouterr()
        code = run_command(provider_daemon, [*words, "--host", str(self.home.host_file)])
        out = self.capsys.readouterr()
        return code, out.out, out.err


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    """A daemon with an object of each kind and a new journal."""
    home, snapshots, wake = Home(tmp_path / "home"), SnapshotStore(SHOWN), WakeCounter()
    home.directory.mkdir()
    journal = open_journal(home.directory / "state")
    records = open_records(home.directory / "state")
    servers = serve(snapshots, history=records, wake=wake)
    bootstrap(home, Facts(DevnetPorts(1, 2, 3, servers.ports.api.port, 5)))
    yield Terminal(home, snapshots, wake, journal, servers, capsys)
    servers.stop()
    records.close()
    journal.close()
