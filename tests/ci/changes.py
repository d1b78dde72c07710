"""A state repository with a change, and the programs that a review calls."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "ci" / "review.sh"
PROGRAM = Path(sys.executable).parent / "provider-daemon"
AUTHOR = ("-c", "user.name=olga", "-c", "user.email=olga@localhost", "-c", "commit.gpgSign=false")

STAND_IN = """\
#!/bin/sh
# The real program, but for its plan.
if [ "$1" = plan ]; then
    shift; echo "$*" | sed 's| --json-file [^ ]*||' >>"$PLAN_ASKED"
    [ "$PLAN_CODE" != 1 ] || { echo 'error: no snapshot' >&2; exit 1; }
    cat "$PLAN_TEXT"
    while [ "$1" != --json-file ]; do shift; done
    printf '{\n  "ceilings": %s,\n  "changes": true\n}\n' "$PLAN_CEILINGS" >"$2"
    exit "$PLAN_CODE"
fi
exec "$PROGRAM" "$@"
"""


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


def change(directory: Path, program: Path | None = None) -> Change:
    """The template on `main`, and a branch `prices` that is checked out; `program` in place of a stand-in."""
    repository = Path(shutil.copytree(ROOT / "state-repo-template", directory / "a state"))
    stand_in = directory / "stand-in"
    stand_in.write_text(STAND_IN)
    stand_in.chmod(0o755)
    (directory / "plan").write_text("# The plan\n\nNothing much.\n")
    made = Change(
        repository,
        {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "PROVIDER_DAEMON": str(program or stand_in),
            "PROGRAM": str(PROGRAM),
            "PLAN_TEXT": str(directory / "plan"),
            "PLAN_CODE": "2",
            "PLAN_CEILINGS": "[]",
            "FORGE_SECONDS": "1",
            "PLAN_ASKED": str(directory / "asked"),
        },
    )
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message", "The state of a provider")
    made.git("branch", "snapshot/north")
    made.git("checkout", "--quiet", "-b", "prices")
    return made
