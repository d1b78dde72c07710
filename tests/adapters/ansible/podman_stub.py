"""A program in podman's place for runs of real Ansible: it plays one, and keeps what it was told.

Called as `podman WORDS...`; what is on the host lies in the file that STANDIN names beside the script.
"""

from __future__ import annotations

import fcntl
import pickle
import sys
from pathlib import Path

from reconciler.adapters.ansible.plays.module_utils.provider_engine import EngineError
from tests.contracts.fake_podman import FakeHost, FakePodman

SCRIPT = """#!{python}
import sys
sys.path[:0] = [{root!r}]
from tests.adapters.ansible.podman_stub import main
main({kept!r})
"""


class SavedHost(FakeHost):
    """A host without its lock, which no file can hold."""

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if name != "lock"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__init__()  # type: ignore[misc]  # gives it a new lock
        vars(self).update(state)


def install(directory: Path) -> Path:
    """A directory for the PATH whose `podman` is played; the file in which it keeps what it holds."""
    directory.mkdir()
    kept = directory / "kept.pickle"
    kept.write_bytes(pickle.dumps(SavedHost()))
    root = str(Path(__file__).parents[3])
    (directory / "podman").write_text(SCRIPT.format(python=sys.executable, root=root, kept=str(kept)))
    (directory / "podman").chmod(0o755)
    return kept


def load_host(kept: Path) -> FakeHost:
    made = pickle.loads(kept.read_bytes())
    assert isinstance(made, FakeHost)
    return made


def main(kept: str) -> None:
    with Path(f"{kept}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        host = load_host(Path(kept))
        try:
            sys.stdout.buffer.write(FakePodman(host).output("", *sys.argv[1:]))
        except EngineError as why:
            sys.exit(f"{why}")
        finally:
            Path(kept).write_bytes(pickle.dumps(host))
