"""Reading the state repository with git: all files cold, and one change among many."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import yaml

from reconciler.documents.desired import DesiredReader
from reconciler.git.remote import Remote
from reconciler.git.repository import GitRepository
from reconciler.planning.planner import plan
from reconciler.values.desired import Desired
from reconciler.values.readings import Seen
from tests.bench.cycles import ADAPTER
from tests.bench.figures import cpu_ms, show, wall_ms
from tests.bench.holdings import PROVIDER, file_of, market, path_of
from tests.cycle.worlds import FILES
from tests.makers import planning_input


def git(folder: Path, *arguments: str) -> None:
    """The operator's git, without user settings."""
    identity = ("-c", "user.name=operator", "-c", "user.email=operator@localhost")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def read(repository: GitRepository, reader: DesiredReader) -> Desired:
    """Read and parse new files."""
    looked = repository.fetch("")
    assert isinstance(looked, Seen)
    commit = looked.view[0]
    return reader.desired(commit, {}, repository.read(reader.unread(commit, {})))


def bench_files(count: int) -> None:
    """All parsed and planned cold, against the C loader of PyYAML on the same bytes; then one change."""
    texts = {path_of(n): file_of(n) for n in range(1, count + 1)}
    plain = cpu_ms(lambda: [yaml.load(text, yaml.CSafeLoader) for text in texts.values()], 3)
    with tempfile.TemporaryDirectory() as directory:
        work, state = Path(directory, "work"), Path(directory, "state")
        work.mkdir()
        state.mkdir()
        for path, content in {**FILES, **ADAPTER, **texts}.items():
            (work / path).parent.mkdir(exist_ok=True)
            (work / path).write_bytes(content)
        git(work, "init", "-q", "-b", "main")
        git(work, "add", "-A")
        git(work, "commit", "-qm", "All")
        repository, reader = GitRepository(Remote(str(work)), state), DesiredReader(PROVIDER)
        given = planning_input(market(count))

        def plan_it() -> None:
            found = read(repository, reader)
            assert len(found.workloads) == count
            plan(planning_input(given.market, found))

        cold = wall_ms(plan_it)
        show(
            f"{count} files: fetched, parsed, planned, cold",
            f"{cold:.0f} ms",
            f"{cold / plain:.1f} x CSafeLoader",
        )
        (work / path_of(1)).write_bytes(file_of(1, "docker.io/library/web:2"))
        git(work, "commit", "-qam", "One")
        one = wall_ms(plan_it)
        show(
            f"one changed among {count}: fetched, parsed, planned",
            f"{one:.0f} ms",
            f"{one / cold:.2f} x cold",
        )
