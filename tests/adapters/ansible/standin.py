"""A program in podman's place for runs of real Ansible: it plays one, and keeps what it was told.

Called as `podman WORDS...`; what is on the host lies in the file that STANDIN names beside the script.
"""

from __future__ import annotations

import fcntl
import pickle
import sys
from pathlib import Path

from reconciler.adapters.ansible.plays.module_utils.provider_engine import EngineError
from tests.contracts.fake_podman import FakePodman, Stage

SCRIPT = """#!{python}
import sys
sys.path[:0] = [{root!r}]
from tests.adapters.ansible.standin import main
main({kept!r})
"""


class Kept(Stage):
    """A stage without its lock, which no file can hold."""

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if name != "lock"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__init__()  # type: ignore[misc]  # gives it a new lock
        vars(self).update(state)


def install(directory: Path) -> Path:
    """A directory for the PATH whose `podman` is played; the file in which it keeps what it holds."""
    directory.mkdir()
    kept = directory / "kept.pickle"
    kept.write_bytes(pickle.dumps(Kept()))
    root = str(Path(__file__).parents[3])
    (directory / "podman").write_text(SCRIPT.format(python=sys.executable, root=root, kept=str(kept)))
    (directory / "podman").chmod(0o755)
    return kept


def stage_of(kept: Path) -> Stage:
    made = pickle.loads(kept.read_bytes())
    assert isinstance(made, Stage)
    return made


def main(kept: str) -> None:
    with Path(f"{kept}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stage = stage_of(Path(kept))
        try:
            sys.stdout.buffer.write(FakePodman(stage).output("", *sys.argv[1:]))
        except EngineError as why:
            sys.exit(f"{why}")
        finally:
            Path(kept).write_bytes(pickle.dumps(stage))
