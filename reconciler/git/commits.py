"""A commit's author, message and date, parsed from the object: no command compares trees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.git.batch import Objects
from reconciler.git.mirror import DamagedMirrorError
from reconciler.values.repository import CommitHeader, reverted_commit
from reconciler.values.text import one_line, visible
from reconciler.values.times import unix_seconds

COMMIT_BYTES_MAX = 1024 * 1024
AUTHOR_CHARACTERS = 200
SUBJECT_CHARACTERS = 500
SUPERSEDED_MAX = 100
"""Listed commits between the applied one and the newest."""
SUPERSEDED_BYTES_MAX = 64 * 1024
"""Of each of these, so that all fit into memory."""


@dataclass(frozen=True, slots=True)
class CommitHeading:
    """Author, subject, time (unix seconds; 0: unknown), and the commit that it reverts ("": none)."""

    author: str
    subject: str
    committed_at: int
    reverts: str = ""


def commit_heading(objects: Objects, commit: str) -> CommitHeading:
    """A commit's heading, without control characters; DamagedMirrorError if it cannot be read. A commit
    of more than COMMIT_BYTES_MAX is not read; its subject gives the size.
    """
    found = commit_headings(objects, [commit]).get(commit)
    if found is None:
        raise DamagedMirrorError(f"commit {commit[:12]} cannot be read")
    return found


def commit_headings(
    objects: Objects, commits: Sequence[str], bytes_max: int = COMMIT_BYTES_MAX
) -> Mapping[str, CommitHeading]:
    """The headings of many commits; unreadable ones are missing."""
    sizes = {each.id: each.size for each in objects.reader.info(commits).values() if each.kind == "commit"}
    long = {commit: size for commit, size in sizes.items() if size > bytes_max}
    read = objects.reader.contents({each: size for each, size in sizes.items() if each not in long})
    return {
        **{
            commit: CommitHeading("", f"(a commit of {size} bytes, which is not read)", 0)
            for commit, size in long.items()
        },
        **{commit: parse_commit(content) for commit, content in read.items()},
    }


def superseded(objects: Objects, applied: str, newest: str) -> tuple[CommitHeader, ...]:
    """The commits between `applied` and `newest` on its first-parent line, oldest first, at most
    SUPERSEDED_MAX; empty if git cannot list them.
    """
    ran = objects.run(
        "rev-list", "--first-parent", f"--max-count={SUPERSEDED_MAX + 1}", f"{applied}..{newest}", "--"
    )
    ids = [each for each in reversed(ran.text.split()) if each != newest] if ran.code == 0 else []
    found = commit_headings(objects, ids, SUPERSEDED_BYTES_MAX)
    return tuple(
        CommitHeader(each, found[each].author, found[each].subject, found[each].reverts)
        for each in ids
        if each in found
    )


def parse_commit(content: bytes) -> CommitHeading:
    """The heading of any bytes; missing fields are empty, an impossible date is 0."""
    head, _, message = content.partition(b"\n\n")
    lines = head.split(b"\n")
    author, _ = _who(_header(lines, b"author "))
    _, committed_at = _who(_header(lines, b"committer "))
    text = visible(_text(message)).strip("\n")
    return CommitHeading(
        one_line(author, AUTHOR_CHARACTERS),
        one_line(text.partition("\n\n")[0], SUBJECT_CHARACTERS),
        committed_at,
        reverted_commit(text),
    )


def _header(lines: list[bytes], name: bytes) -> bytes:
    return next((line.removeprefix(name) for line in lines if line.startswith(name)), b"")


def _who(line: bytes) -> tuple[str, int]:
    """The name and the time of `Olga <olga@example.com> 1800000000 +0000`."""
    name, _, rest = line.partition(b"<")
    moment = rest.rpartition(b">")[2].split()
    return _text(name).strip(), unix_seconds(moment[0].decode("ascii", "replace")) if moment else 0


def _text(content: bytes) -> str:
    """UTF-8, else Latin-1, in which every byte is a character."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")
