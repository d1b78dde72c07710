"""A state repository with a change and a snapshot, and the script that reviews it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.documents.planning_snapshot import planning_snapshot_files
from reconciler.planning.planner import plan
from reconciler.values.limits import Limits
from reconciler.values.planning_snapshot import PlanningSnapshot
from tests import makers

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "ci" / "review.sh"
PROGRAM = Path(sys.executable).parent / "provider-daemon"
LIMITS = Limits(clock_skew_seconds=10**9)
AUTHOR = ("-c", "user.name=olga", "-c", "user.email=olga@localhost", "-c", "commit.gpgSign=false")


@dataclass
class Change:
    """A clone in which `main` is what a branch is to be merged into; `environment` is the CI's."""

    directory: Path
    environment: dict[str, str]

    @property
    def out(self) -> Path:
        """What the review leaves."""
        return self.directory / "review"

    @property
    def review(self) -> str:
        """What people read."""
        return (self.out / "review.md").read_text()

    @property
    def verdict(self) -> tuple[str, str]:
        """The state and its description."""
        return (self.out / "state").read_text().strip(), (self.out / "description").read_text().strip()

    def git(self, *words: str) -> str:
        """What git says."""
        done = subprocess.run(
            ["git", *AUTHOR, *words], cwd=self.directory, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write(self, path: str, content: str | bytes) -> None:
        """Write a file and commit it on the branch that is checked out."""
        file = self.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all", "--", path)
        self.git("commit", "--quiet", "--message", f"Change {path}")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace words of a file and commit."""
        text = (self.directory / path).read_text()
        assert old in text
        self.write(path, text.replace(old, new))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The script, as a CI calls it."""
        return subprocess.run(
            ["sh", str(SCRIPT), *arguments],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )


def share(change: Change, name: str, limits: Limits | None = None, folder: str = "") -> None:
    """Push what a daemon saw that has applied `main`: two open orders, which `main` bids on."""
    market = makers.market(orders=[makers.order(1), makers.order(2, makers.unit(price=2500))])
    below = f"{folder}/" if folder else ""
    good = {path: change.git("rev-parse", f"HEAD:{below}{path}") for path in ("config.yaml", "pricing.yaml")}
    base = replace(makers.desired(), commit=change.git("rev-parse", "main"), valid_blobs=good)
    adapters = makers.planning_input(market, base).adapters
    memory = plan(makers.planning_input(market, base)).memory
    told = PlanningSnapshot(name, int(time.time()), market, adapters, memory, limits or LIMITS, folder=folder)
    tree = []
    for path, content in planning_snapshot_files(told).items():
        file = change.directory.parent / path
        file.write_bytes(content)
        tree.append(f"100644 blob {change.git('hash-object', '-w', str(file))}\t{path}\n")
    made = subprocess.run(
        ["git", "mktree"],
        cwd=change.directory,
        input="".join(tree),
        capture_output=True,
        text=True,
        check=True,
    )
    commit = change.git("commit-tree", "-m", "What is seen", made.stdout.strip())
    change.git("update-ref", f"refs/heads/snapshot/{name}", commit)


def change(directory: Path) -> Change:
    """The template on `main`, complete; a snapshot; and a branch `prices`, which is checked out."""
    repository = Path(shutil.copytree(ROOT / "state-repo-template", directory / "a state"))
    made = Change(
        repository,
        {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "PROVIDER_DAEMON": str(PROGRAM),
            "FORGE_SECONDS": "1",
        },
    )
    cluster = repository / "adapters/kubernetes.yaml"
    cluster.write_text(cluster.read_text().replace("# network_policy:", "network_policy:"))
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message", "The state of a provider")
    made.git("checkout", "--quiet", "-b", "prices")
    share(made, "north")
    return made
