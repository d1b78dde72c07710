"""Every commit that we push: a tree from files or from one edited file, a commit, a compare-and-swap push."""

import hashlib
import random
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from reconciler.git.git_errors import git_error, last_line
from reconciler.git.git_process import GitResult
from reconciler.git.mirror import Mirror, MirrorError
from reconciler.git.remote import Author, BadRemoteError, check_branch
from reconciler.git.trees import TooLargeTreeError, tree_at, walk
from reconciler.values.outcomes import Done, Failed, Outcome
from reconciler.values.repository import BranchCommit
from reconciler.values.text import one_line

ATTEMPTS = 8
OUTGOING = "refs/reconciler/outgoing"
PUBLISHED = "refs/reconciler/published"
SCRATCH = "scratch.git"

DURABLE = ("-c", "core.fsync=committed,loose-object,reference", "-c", "core.fsyncMethod=fsync")
"""Options of git after which what it writes survives a power failure."""

_NO_BRACKETS = {ord(sign): None for sign in "<>"}
_PATH = re.compile(r"(?!.*(?:^|/)\.)[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")
_HASH = re.compile(r"[0-9a-f]{40,64}")
_TRAILER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_OUTRUN = re.compile(
    r"fetch first|non-fast-forward|stale info|cannot lock ref|reference already exists|incorrect old value|"
    r"failed to update ref|failed to lock|remote ref updated since checkout"
)


@dataclass(frozen=True, slots=True)
class BranchEdit:
    """A change to one file of a branch: `change` gets its bytes, None if there is no such plain file."""

    branch: str
    path: str
    change: Callable[[bytes | None], bytes]
    message: str
    trailers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FileCommit:
    """A commit that is not pushed yet: files to write (None: to remove), its author, and unix seconds."""

    files: Mapping[str, bytes | None]
    message: str
    author: Author
    at: int
    trailers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Changes:
    """From a branch's tip ("": no parent) to the next commit: contents to write, paths to remove."""

    tip: str
    written: Mapping[str, bytes]
    removed: Sequence[str] = ()
    mode: str = "100644"


@dataclass(frozen=True, slots=True)
class _Written:
    """The branch last written here, its commit and its blobs by path."""

    branch: str = ""
    commit: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


class BranchWriter:
    """Writes branches of the repository behind a mirror, whose lock the caller holds.

    Author, committer and signature (`commit.gpgSign`) are those of the mirror's git configuration.
    """

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._written = _Written()

    def write(self, commit: BranchCommit) -> Outcome:
        """Make the branch hold exactly the commit's files; Done("") if it does already.

        A commit that was not pushed is created anew on the current tip, so that a branch never gets it twice.
        """

        wanted: Mapping[str, str] = {}

        def changes(tip: str) -> _Changes | None:
            current = self._files(tip)
            nonlocal wanted
            wanted = {
                path: blob_id(content, self._mirror.object_format) for path, content in commit.files.items()
            }
            if tip and current == wanted:
                return None
            written = {
                path: commit.files[path] for path, blob in sorted(wanted.items()) if current.get(path) != blob
            }
            return _Changes(tip, written, sorted(current.keys() - wanted.keys()))

        outcome = self._publish(commit, changes)
        if isinstance(outcome, Done) and outcome.detail:
            self._written = _Written(commit.branch, outcome.detail, wanted)
        return outcome

    def replace(self, commit: BranchCommit) -> Outcome:
        """Make the branch hold one commit without a parent, with exactly these files."""
        with self._scratch() as options:
            return self._publish(commit, lambda _: _Changes("", commit.files), options)

    def edit(self, edit: BranchEdit) -> Outcome:
        """Change one file of the branch; Done("") if its content stays the same."""

        def changes(tip: str) -> _Changes | None:
            ran = self._mirror.run("ls-tree", "-z", tip, "--", edit.path)
            mode, _, blob = (ran.text.partition("\t")[0].split() + [""] * 3)[:3]
            is_file = mode in ("100644", "100755")
            before = self._mirror.run("cat-file", "blob", blob).output if is_file else None
            after = edit.change(before)
            return (
                _Changes(tip, {edit.path: after}, mode=mode if is_file else "100644")
                if after != before
                else None
            )

        return self._publish(edit, changes)

    def commit_each(self, commits: Sequence[FileCommit], tip: str) -> tuple[str, ...]:
        """The ids of new commits in the mirror, each on the one before, from a tip ("": none) on; they are on
        disk. Nothing is pushed, and no ref names them. MirrorError if the mirror cannot be written.
        """
        committer = self._mirror.remote.author
        ran = self._mirror.run(
            *DURABLE, "fast-import", "--quiet", "--force", "--done", stdin=_commits(commits, tip, committer)
        )
        ids = tuple(ran.text.split())
        if ran.code != 0 or len(ids) != len(commits) or not all(map(_HASH.fullmatch, ids)):
            raise MirrorError(f"git could not write the commits ({last_line(ran)})")
        return self._signed(commits, ids, tip) if self._signs else ids

    def _signed(self, commits: Sequence[FileCommit], ids: Sequence[str], tip: str) -> tuple[str, ...]:
        """The same commits, signed."""
        made: list[str] = []
        for commit, unsigned in zip(commits, ids, strict=True):
            parent = made[-1] if made else tip
            made.append(self.recommit(unsigned, parent, _message(commit), commit.author))
        return tuple(made)

    def recommit(self, commit: str, parent: str, message: str, author: Author) -> str:
        """A commit with the tree and the author's date of another one, on another parent ("": none)."""
        date = self._mirror.run("log", "-1", "--format=@%at +0000", "--end-of-options", commit).text
        variables = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            "GIT_AUTHOR_DATE": date,
        }
        options = (*(("-S",) if self._signs else ()), *(("-p", parent) if parent else ()))
        made = self._mirror.run(
            *DURABLE,
            "commit-tree",
            *options,
            f"{commit}^{{tree}}",
            stdin=message.encode(),
            variables=variables,
        )
        if made.code != 0 or not _HASH.fullmatch(made.text):
            raise MirrorError(f"git could not make the commit ({last_line(made)})")
        return made.text

    def last_trailer(self, branch: str, name: str) -> str:
        """A trailer of the branch's last commit; "" if there is none. Raises MirrorError, BadRemoteError."""
        ref = f"refs/heads/{check_branch(branch)}"
        tip = self._mirror.remote_tips(ref).get(ref)
        if tip is None:
            return ""
        tip = self._fetched(ref, tip)
        ran = self._mirror.run(
            "log", "-1", f"--format=%(trailers:key={name},valueonly)", "--end-of-options", tip
        )
        if ran.code != 0:
            raise MirrorError(f"commit {tip[:12]} of {branch} cannot be read from the mirror")
        return ran.text.strip()

    def check_push(self, branch: str, commit: str) -> Outcome:
        """Whether the repository accepts a push to a branch, as far as it is known without pushing: its hooks
        do not run. `commit` is any that the mirror holds.
        """
        ran = self._push(branch, commit, "--dry-run", "--force")
        return Done("") if ran.code == 0 else self._rejection(branch, ran)

    def _publish(
        self,
        commit: BranchCommit | BranchEdit,
        changes: Callable[[str], _Changes | None],
        objects: Sequence[str] = (),
    ) -> Outcome:
        """Commit and push the changes to a branch's tip; again on the new tip if others pushed in between.

        The first attempt assumes the commit last written here, which saves a request; the push checks it.
        `objects` are git options that name the repository for the new commit; by default the mirror.
        """
        try:
            ref = f"refs/heads/{check_branch(commit.branch)}"
            for attempt in range(ATTEMPTS):
                if attempt:
                    time.sleep(min(2.0, 0.05 * 2**attempt) * (0.5 + random.random()))  # noqa: S311  # jitter
                is_assumed = not attempt and commit.branch == self._written.branch
                tip = self._written.commit if is_assumed else self._mirror.remote_tips(ref).get(ref, "")
                change = changes(self._fetched(ref, tip) if tip and not objects else tip)
                if change is None:
                    if is_assumed:
                        continue
                    return Done("")
                made = self._commit(commit, change, objects)
                ran = self._push(commit.branch, made, f"--force-with-lease={ref}:{tip}", objects=objects)
                if ran.code == 0:
                    return Done(made)
                if not _OUTRUN.search(ran.text + ran.errors):
                    return self._rejection(commit.branch, ran)
        except (MirrorError, BadRemoteError) as error:
            self._mirror.clean_after(error)
            self._written = _Written()
            return Failed("PublishFailed", str(error))
        return Failed(
            "PublishOutrun",
            f"others pushed to {commit.branch} {ATTEMPTS} times during this push",
            "make sure that nobody else writes this branch",
        )

    def _fetched(self, ref: str, tip: str) -> str:
        """The branch's tip, fetched if the mirror does not hold it."""
        if tip == self._written.commit or self._mirror.has_commit(tip):
            return tip
        self._mirror.fetch(ref, PUBLISHED)
        return self._mirror.tip(PUBLISHED) or ""

    @cached_property
    def _signs(self) -> bool:
        return self._mirror.run("config", "--type=bool", "commit.gpgSign").text == "true"

    def _files(self, commit: str) -> Mapping[str, str]:
        """The blobs of a commit ("": none) by path; an entry of another mode than ours counts as other
        content.
        """
        if commit in ("", self._written.commit):
            return self._written.files if commit else {}
        tree = tree_at(self._mirror, commit, "")
        if tree is None:
            raise MirrorError(f"the branch's commit {commit[:12]} cannot be read from the mirror")
        try:
            entries = walk(self._mirror, tree)
        except TooLargeTreeError as error:
            raise MirrorError(
                f"the branch's commit {commit[:12]}, which is not ours, {error}; remove the branch"
            ) from None
        return {
            each.path.decode("utf-8", "backslashreplace"): each.id if each.mode == "100644" else ""
            for each in entries
        }

    @contextmanager
    def _scratch(self) -> Iterator[Sequence[str]]:
        """A repository beside the mirror for the time of one push: the mirror keeps every object, and a
        parentless commit every five minutes would fill the disk.
        """
        directory = self._mirror.directory.parent / SCRATCH
        shutil.rmtree(directory, ignore_errors=True)
        options = (f"--git-dir={directory}",)
        try:
            yield options
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def _commit(self, commit: BranchCommit | BranchEdit, changes: _Changes, objects: Sequence[str]) -> str:
        """The id of the new commit. fast-import writes its tree; it cannot sign, commit-tree can."""
        if objects:
            form = f"--object-format={self._mirror.object_format}"
            self._mirror.run(*objects, "init", "--quiet", "--bare", "--template=", form)
        message = _message(commit).encode()
        ran = self._mirror.run(
            *objects, "fast-import", "--quiet", "--force", "--done", stdin=_stream(changes)
        )
        if ran.code != 0 or not _HASH.fullmatch(ran.text):
            raise MirrorError(f"git could not write the files of the commit ({last_line(ran)})")
        options = (*(("-S",) if self._signs else ()), *(("-p", changes.tip) if changes.tip else ()))
        made = self._mirror.run(*objects, "commit-tree", *options, f"{ran.text}^{{tree}}", stdin=message)
        if made.code == 0 and _HASH.fullmatch(made.text):
            return made.text
        if self._mirror.remote.signing_key is None:
            raise MirrorError(f"git could not make the commit ({last_line(made)})")
        raise MirrorError(
            f"git could not sign the commit ({last_line(made)}); repository.signing_key must be a private "
            "ssh key without a passphrase, readable by its owner only"
        )

    def _push(self, branch: str, commit: str, *options: str, objects: Sequence[str] = ()) -> GitResult:
        return self._mirror.contact(
            *objects, "push", "--porcelain", "--no-verify", *options, "--end-of-options", self._mirror.url,
            f"{commit}:refs/heads/{check_branch(branch)}",
        )  # fmt: skip

    def _rejection(self, branch: str, ran: GitResult) -> Outcome:
        """Why a push failed, and what to do."""
        remote = self._mirror.remote
        rejected = re.search(r"^!\t\S+\t\[(?:remote )?rejected\] \((.*)\)$", ran.text, re.MULTILINE)
        if not rejected:
            return Failed("PushFailed", git_error(ran, remote))
        lines = [line.strip() for line in ran.errors.splitlines() if line.startswith("remote:")]
        why = f"{remote.redacted_url} rejects commits on {branch}: {rejected[1]}"
        why += f" ({last_line(GitResult(1, b'', lines[0]))})" if lines else ""
        return Failed("PushRejected", why, f"allow the daemon's user to push to {branch}")


def blob_id(content: bytes, object_format: str) -> str:
    return hashlib.new(object_format, b"blob %d\0" % len(content) + content).hexdigest()


def _commits(commits: Sequence[FileCommit], tip: str, committer: Author) -> bytes:
    """What fast-import reads: commits on each other, of which it writes the ids."""
    parts = [f"reset {OUTGOING}\n\n".encode()]
    for number, commit in enumerate(commits, start=1):
        message, parent = _message(commit).encode(), f":{number - 1}" if number > 1 else tip
        parts += [
            f"commit {OUTGOING}\nmark :{number}\n{_who('author', commit.author, commit.at)}"
            f"{_who('committer', committer, commit.at)}data {len(message)}\n".encode(),
            message,
            f"\nfrom {parent}\n".encode() if parent else b"\n",
            *(_file(path, content, "100644") for path, content in commit.files.items()),
            f"\nget-mark :{number}\n".encode(),
        ]
    return b"".join([*parts, b"done\n"])


def _who(role: str, author: Author, at: int) -> str:
    name, email = (one_line(text).translate(_NO_BRACKETS) for text in (author.name, author.email))
    return f"{role} {name} <{email}> {at} +0000\n"


def _file(path: str, content: bytes | None, mode: str) -> bytes:
    if not _PATH.fullmatch(path):
        raise MirrorError(f"{path!r} is not a valid path for a file of this program")
    if content is None:
        return f"D {path}\n".encode()
    return b"M %b inline %b\ndata %d\n%b\n" % (mode.encode(), path.encode(), len(content), content)


def _stream(changes: _Changes) -> bytes:
    """What fast-import reads: a commit of which only the tree is used."""
    head = f"reset {OUTGOING}\n\ncommit {OUTGOING}\nmark :1\ncommitter <> 0 +0000\ndata 0\n"
    parts = [head.encode(), *([f"from {changes.tip}\n".encode()] if changes.tip else ())]
    parts += [b"D " + _quoted(path) + b"\n" for path in changes.removed]
    parts += [_file(path, content, changes.mode) for path, content in changes.written.items()]
    return b"".join([*parts, b"\nget-mark :1\ndone\n"])


def _quoted(path: str) -> bytes:
    return b'"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").encode() + b'"'


def _message(commit: BranchCommit | BranchEdit | FileCommit) -> str:
    trailers = []
    for name, value in commit.trailers:
        if not _TRAILER.fullmatch(name):
            raise MirrorError(f"{name!r} is not a valid trailer name")
        trailers.append(f"{name}: {' '.join(value.split())}")
    body = commit.message.strip()
    return body + ("\n\n" + "\n".join(trailers) if trailers else "") + "\n"
