"""A user's clone of the state repository, read and never written: where a pull request is checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from reconciler.git.batch import COMMAND, ObjectReader
from reconciler.git.commits import commit_heading
from reconciler.git.git_environment import make_environment
from reconciler.git.git_errors import last_line
from reconciler.git.git_process import OUTPUT_BYTES_MAX, GitResult, GitRunner
from reconciler.git.mirror import DamagedMirrorError, MirrorError
from reconciler.git.read import blobs, list_tree
from reconciler.git.remote import Remote
from reconciler.git.signatures import signer
from reconciler.git.trees import tree_at
from reconciler.git.working_tree import uncommitted_paths
from reconciler.values.repository import Commit
from reconciler.values.text import printable

_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
MESSAGES_MAX = 500


class CloneError(MirrorError):
    """The clone lacks an object; the text says what to run."""


class ConflictError(CloneError):
    """A merge conflict: both sides change `files`."""

    def __init__(self, files: tuple[str, ...]) -> None:
        super().__init__(
            f"it conflicts with the base in {', '.join(files)}; merge the base into the branch and push again"
        )
        self.files = files


class Clone:
    """The git repository that a directory belongs to; used by one thread.

    `home` is the daemon's directory for git's configuration, `path` the provider's folder in the repository.
    """

    def __init__(
        self, directory: Path, home: Path, path: str = "", allowed_signers: Path | None = None
    ) -> None:
        found, self._work_tree = _git_directory(directory.resolve())
        self.remote = Remote(str(found), path=path, allowed_signers=allowed_signers)
        self._environment = make_environment(self.remote, home, found, offline=True)
        self._home = home
        self._runner = GitRunner(self._environment, found)
        self.reader = ObjectReader(lambda: self._runner.start(*COMMAND))

    def run(self, *arguments: str, stdin: bytes = b"") -> GitResult:
        """Run a git command on the clone's objects; never raises for what git does."""
        return self._runner.run(*arguments, stdin=stdin)

    def close(self) -> None:
        """End the git process that reads objects; the next read starts another."""
        self.reader.close()

    def resolve(self, revision: str) -> str:
        """The commit that a branch, tag, hash or `HEAD~1` names; CloneError says how to fetch it."""
        name = f"{revision}^{{commit}}"
        found = self.reader.info([name]).get(name)
        if found is None:
            raise CloneError(
                f"this clone has no commit {revision}; fetch it (git fetch origin), and if the clone is "
                "shallow its history (git fetch --unshallow origin; actions/checkout: fetch-depth: 0)"
            )
        return found.id

    def descends(self, newer: str, older: str) -> bool:
        """Whether `older` is an ancestor of `newer`, or the same; False if the clone lacks it."""
        return self.run("merge-base", "--is-ancestor", older, newer).code == 0

    @property
    def is_shallow(self) -> bool:
        """Whether the clone's history is truncated."""
        return self.run("rev-parse", "--is-shallow-repository").text == "true"

    def messages(self, base: str, head: str) -> tuple[str, ...]:
        """Messages of commits of `head` not in `base` ("": none), newest first, at most MESSAGES_MAX."""
        words = ("log", f"--max-count={MESSAGES_MAX}", "--no-notes", "--no-show-signature", "--format=%B%x00")
        ran = self.run(*words, head, *((f"^{base}",) if base else ()), "--")
        return tuple(message.strip("\n") for message in ran.text.split("\0") if message.strip())

    def merged(self, base: str, head: str) -> str:
        """The tree of `head` merged into `base`; CloneError names the files that conflict."""
        self._redirect_writes()
        ran = self.run("merge-tree", "--write-tree", "--name-only", "--no-messages", base, head)
        lines = ran.text.splitlines()
        if ran.code == 0 and lines and _HASH.fullmatch(lines[0]):
            return lines[0]
        if ran.code == 1:
            raise ConflictError(tuple(printable(line, 300) for line in dict.fromkeys(lines[1:]) if line))
        if "unrelated histories" in ran.errors:
            raise CloneError(
                f"commit {head[:12]} and the base {base[:12]} have no common ancestor in this clone; if it "
                "is shallow, fetch all (git fetch --unshallow origin; actions/checkout: fetch-depth: 0)"
            )
        raise CloneError(
            f"git cannot merge in memory ({last_line(ran)}); it needs version 2.38 or newer; merge the base "
            "into the branch and try again"
        )

    def _redirect_writes(self) -> None:
        """Write new objects to our own directory: the clone may belong to another user or be read-only."""
        found = self.run("rev-parse", "--git-path", "objects").text
        aside = self._home / "objects"
        aside.mkdir(exist_ok=True)
        theirs = str(Path(self.remote.url, found)).replace("\\", "\\\\").replace('"', '\\"')
        variables = {"GIT_OBJECT_DIRECTORY": str(aside), "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{theirs}"'}
        environment = replace(self._environment, variables={**self._environment.variables, **variables})
        self._runner = GitRunner(environment, Path(self.remote.url))
        self.reader.close()

    def commit(self, commit: str, tree: str = "") -> Commit:
        """A commit, with its files or those of another tree; MirrorError if they are missing."""
        words = commit_heading(self, commit)
        try:
            files = list_tree(self, tree or commit, self.remote.path)
        except DamagedMirrorError:
            raise CloneError(
                f"this clone lacks files of commit {commit[:12]}; clone without --filter: nothing is fetched "
                "on demand"
            ) from None
        return Commit(
            id=commit,
            author=words.author,
            subject=words.subject,
            committed_at=words.committed_at,
            files=files.files,
            sizes=files.sizes,
            unread_entries=files.unread_entries,
            signer=signer(self, commit),
        )

    def has_folder(self, commit: str) -> bool:
        """Whether the commit has the provider's folder."""
        return tree_at(self, commit, self.remote.path) is not None

    def changed(self, old: str, new: str, paths: Sequence[str]) -> tuple[str, ...]:
        """The files at or below `paths`, relative to the repository's top, that differ between two trees;
        only the changed entries at the top if there are too many.
        """
        words = ("diff-tree", "--no-renames", "--name-only", "-z")
        for deep in (("-r",), ()):
            ran = self.run(*words, *deep, "--end-of-options", old, new, "--", *paths)
            if ran.code == 0:
                return tuple(
                    printable(path) for path in ran.output.decode("utf-8", "replace").split("\0") if path
                )
        raise CloneError(f"git cannot compare {old[:12]} and {new[:12]} ({last_line(ran)})")

    def has(self, commit: str) -> bool:
        """Whether the clone has this commit."""
        return bool(self.reader.info([f"{commit}^{{commit}}"]))

    def signer(self, commit: str) -> str | None:
        """The allowed signer of a commit; None if there is none."""
        return signer(self, commit)

    def read(self, wanted: Sequence[str]) -> Mapping[str, bytes]:
        """The blobs' bytes; unknown and too large ones are missing."""
        return blobs(self, wanted)

    def file(self, commit: str, path: str) -> bytes:
        """A file of a commit; CloneError if it is missing or larger than OUTPUT_BYTES_MAX."""
        ran = self.run("cat-file", "blob", f"{commit}:{path}")
        if ran.code != 0:
            raise CloneError(f"commit {commit[:12]} has no file {path} of at most {OUTPUT_BYTES_MAX} bytes")
        return ran.output

    def branches(self, prefix: str) -> Mapping[str, str]:
        """Branch name -> commit for names with a prefix, of remotes and, if no remote has it, local."""
        ran = self.run("for-each-ref", "--format=%(refname)%00%(objectname)", "refs/remotes", "refs/heads")
        found: dict[str, str] = {}
        for line in ran.text.splitlines():
            ref, _, commit = line.partition("\0")
            name = ref.removeprefix("refs/heads/")
            if ref.startswith("refs/remotes/"):
                name = ref.removeprefix("refs/remotes/").partition("/")[2]
            if name.startswith(prefix) and (ref.startswith("refs/remotes/") or name not in found):
                found[name] = commit
        return found

    def uncommitted(self) -> tuple[str, ...]:
        """Paths with uncommitted changes in the clone's working tree, which are ignored."""
        if self._work_tree is None:
            return ()
        options = ("--untracked-files=no", "--", self.remote.path or ".")
        return uncommitted_paths(self, self._work_tree, Path(self.remote.url), *options)


def _git_directory(directory: Path) -> tuple[Path, Path | None]:
    """The git directory and the working tree.

    A bare repository counts only outside of any clone: a commit can contain one as plain files, with its own
    configuration.
    """
    candidates = (directory, *directory.parents)
    for candidate in candidates:
        found = candidate / ".git"
        if found.is_dir():
            return found, candidate
        if found.is_file():
            return _linked(found), candidate
    for candidate in candidates:
        if (candidate / "HEAD").is_file() and (candidate / "objects").is_dir():
            return candidate, None
    raise CloneError(f"{directory} is not in a git repository; run this in a clone of the state repository")


def _linked(link: Path) -> Path:
    """The git directory that a work tree's `.git` file points to."""
    first, _, named = link.read_text(encoding="utf-8", errors="replace").strip().partition("gitdir:")
    there = (link.parent / named.strip()).resolve()
    if first or not named or not (there / "HEAD").is_file():
        raise CloneError(f"{link} names no existing git repository; run this in an independent clone")
    return there
