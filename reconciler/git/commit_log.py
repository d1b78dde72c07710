"""Commits of a branch with messages and files, newest first, read from any repository."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.git.batch import Objects
from reconciler.git.git_errors import last_line
from reconciler.git.git_process import GitResult
from reconciler.git.mirror import MirrorError
from reconciler.values.history import DesiredRevision
from reconciler.values.text import one_line, printable, visible
from reconciler.values.times import unix_seconds

COMMITS_MAX = 20_000
MESSAGE_MAX = 100_000
"""Characters of a commit message that are read."""
FIELDS = ("%H", "%P", "%an", "%ae", "%ct", "%B")
_FORMAT = "".join(f"%x00{field}" for field in FIELDS)


def commits(objects: Objects, tips: Sequence[str]) -> list[DesiredRevision]:
    """The history of these commits, at most the newest COMMITS_MAX; MirrorError quotes git.

    Fields are separated by NUL, which neither a message nor a name can contain: a message cannot forge
    another commit. The changed files are left out if git cannot find them within its limits.
    """
    ran = _log(objects, tips, "--name-only", "--diff-merges=first-parent")
    if ran.code != 0:
        ran = _log(objects, tips)
    if ran.code != 0:
        raise MirrorError(f"the history cannot be read: {last_line(ran)}")
    return list(_parsed(ran.output.decode("utf-8", "backslashreplace").split("\0")))


def _log(objects: Objects, tips: Sequence[str], *options: str) -> GitResult:
    """Without options no trees are compared, which for a huge commit can exceed the limits of a command."""
    return objects.run(
        "log", "-z", "--topo-order", "--no-renames", "--no-show-signature", "--no-notes", *options,
        f"--max-count={COMMITS_MAX}", f"--format={_FORMAT}", "--end-of-options", *tips, "--",
    )  # fmt: skip


def _parsed(tokens: list[str]) -> Iterator[DesiredRevision]:
    """A commit is an empty token, its fields, and its files, of which the first has a leading line end."""
    at = 0
    while at + len(FIELDS) < len(tokens):
        commit, parents, author, email, when, message = tokens[at + 1 : at + 1 + len(FIELDS)]
        at += 1 + len(FIELDS)
        end = next((n for n in range(at, len(tokens)) if not tokens[n]), len(tokens))
        files = (name.removeprefix("\n") if n == at else name for n, name in enumerate(tokens[at:end], at))
        yield DesiredRevision(
            id=commit,
            parents=tuple(parents.split()),
            author=one_line(author, 200),
            email=one_line(email, 200),
            at=unix_seconds(when),
            message=visible(message[:MESSAGE_MAX].strip()),
            files=tuple(map(printable, files)),
        )
        at = end
