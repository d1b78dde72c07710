"""The snapshot branch: one commit without parents in place of the last, made aside so that none piles up."""

from __future__ import annotations

import shutil

from reconciler.git.git_process import Ran
from reconciler.git.mirror import Mirror, MirrorError
from reconciler.git.remote import BadRemoteError, check_branch
from reconciler.git.status_branch import make_commit, not_taken
from reconciler.values.outcomes import Done, Failed, Outcome
from reconciler.values.repository import StatusCommit

SCRATCH = "snapshot.git"
"""A repository below the state directory that lives as long as one push: the mirror keeps whatever is put
into it, and a snapshot every five minutes would fill the disk.
"""


def replace(mirror: Mirror, commit: StatusCommit) -> Outcome:
    """Make the branch name one commit without a parent that holds exactly these files.

    The branch is moved from what it named a moment ago alone; somebody else's push in between is a failure,
    and the next snapshot's turn. The mirror is held by the caller.
    """
    scratch = mirror.directory.parent / SCRATCH
    try:
        ref = f"refs/heads/{check_branch(commit.branch)}"
        tip = mirror.remote_tips(ref).get(ref, "")
        shutil.rmtree(scratch, ignore_errors=True)
        aside = _Aside(mirror, f"--git-dir={scratch}")
        aside.run("init", "--quiet", "--bare", "--template=", f"--object-format={mirror.object_format}")
        made = make_commit(aside, commit, mirror.place)
        ran = mirror.ask(
            f"--git-dir={scratch}", "push", "--porcelain", "--no-verify", f"--force-with-lease={ref}:{tip}",
            "--end-of-options", mirror.url, f"{made}:{ref}",
        )  # fmt: skip
        return Done(made) if ran.code == 0 else not_taken(mirror, ran, commit.branch)
    except (MirrorError, BadRemoteError) as error:
        return Failed("PublishFailed", str(error))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


class _Aside:
    """Another repository's objects, in the mirror's environment."""

    def __init__(self, mirror: Mirror, where: str) -> None:
        self._mirror = mirror
        self._where = where

    def run(self, *arguments: str, given: bytes = b"") -> Ran:
        """A git command there."""
        return self._mirror.run(self._where, *arguments, given=given)
