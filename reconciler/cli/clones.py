"""The clone of the state repository that a command reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from reconciler.cli.errors import CliError
from reconciler.documents.planning_snapshot import PlanningSnapshotError
from reconciler.git.clone import Clone
from reconciler.git.mirror import MirrorError


@contextmanager
def open_clone(directory: Path, folder: str, allowed_signers: Path | None = None) -> Iterator[Clone]:
    """The clone that contains a directory, at the provider's folder; errors inside become CliError."""
    with TemporaryDirectory(prefix="provider-daemon-") as home:
        try:
            with closing(Clone(directory, Path(home), plain_folder(folder), allowed_signers)) as clone:
                yield clone
        except (MirrorError, PlanningSnapshotError) as error:
            raise CliError(f"error: {error}") from None
        except ArithmeticError:
            raise CliError(
                "error: the snapshot contains numbers outside of the supported range; "
                "let the daemon publish a new one"
            ) from None


def plain_folder(folder: str) -> str:
    """A folder in git's form: `./two/` is `two`, the top is empty."""
    return "/".join(PurePosixPath(folder.strip("/")).parts)
