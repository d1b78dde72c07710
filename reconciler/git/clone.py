"""Somebody's own clone of the state repository, read and never written: where a pull request is checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from reconciler.git.commits import commit_heading
from reconciler.git.git_environment import make_world
from reconciler.git.git_errors import last_line
from reconciler.git.git_process import OUTPUT_BYTES_MAX, GitRunner, Ran
from reconciler.git.mirror import DamagedMirrorError, MirrorError
from reconciler.git.read import blobs, listing
from reconciler.git.remote import Remote
from reconciler.git.signatures import signer
from reconciler.git.working_tree import edited
from reconciler.values.repository import Commit
from reconciler.values.text import printable

_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
MESSAGES_MAX = 500


class CloneError(MirrorError):
    """The clone does not have what was asked for; the sentence says what to run."""


class ConflictError(CloneError):
    """A merge that git cannot make: `files` are changed on both sides."""

    def __init__(self, files: tuple[str, ...]) -> None:
        super().__init__(
            f"it conflicts with the base in {', '.join(files)}; merge the base into the branch and push again"
        )
        self.files = files


class Clone:
    """The git repository that a directory belongs to; belongs to one thread.

    `home` is a directory of our own for git's configuration; `path` is the provider's folder in the
    repository.
    """

    def __init__(
        self, directory: Path, home: Path, path: str = "", allowed_signers: Path | None = None
    ) -> None:
        found, self._work_tree = _git_directory(directory.resolve())
        self.place = Remote(str(found), path=path, allowed_signers=allowed_signers)
        self._world = make_world(self.place, home, found, alone=True)
        self._home = home
        self._runner = GitRunner(self._world, found)

    def run(self, *arguments: str, given: bytes = b"") -> Ran:
        """A git command on the clone's objects; never raises for what git does."""
        return self._runner.run(*arguments, given=given)

    def resolve(self, revision: str) -> str:
        """The commit that a branch, tag, hash or `HEAD~1` names; CloneError says how to get it."""
        ran = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if ran.code != 0 or not _HASH.fullmatch(ran.text):
            raise CloneError(
                f"this clone has no commit {revision}; fetch it (git fetch origin), and where the clone is "
                "shallow its history, too (git fetch --unshallow origin; actions/checkout: fetch-depth: 0)"
            )
        return ran.text

    def descends(self, newer: str, older: str) -> bool:
        """Whether `older` is an ancestor of `newer`, or the same; False where the clone does not know it."""
        return self.run("merge-base", "--is-ancestor", older, newer).code == 0

    @property
    def is_shallow(self) -> bool:
        """Whether the clone's history ends before its beginning."""
        return self.run("rev-parse", "--is-shallow-repository").text == "true"

    def messages(self, base: str, head: str) -> tuple[str, ...]:
        """The whole messages of the commits that `head` adds to `base` ("" for nothing), the newest first, at
        most MESSAGES_MAX.
        """
        words = ("log", f"--max-count={MESSAGES_MAX}", "--no-notes", "--no-show-signature", "--format=%B%x00")
        ran = self.run(*words, head, *((f"^{base}",) if base else ()), "--")
        return tuple(message.strip("\n") for message in ran.text.split("\0") if message.strip())

    def merged(self, base: str, head: str) -> str:
        """The tree that merging `head` into `base` gives; CloneError names the files that conflict."""
        self._write_aside()
        ran = self.run("merge-tree", "--write-tree", "--name-only", "--no-messages", base, head)
        lines = ran.text.splitlines()
        if ran.code == 0 and lines and _HASH.fullmatch(lines[0]):
            return lines[0]
        if ran.code == 1:
            raise ConflictError(tuple(printable(line, 300) for line in dict.fromkeys(lines[1:]) if line))
        if "unrelated histories" in ran.errors:
            raise CloneError(
                f"commit {head[:12]} and the base {base[:12]} have no commit in common here; where the clone "
                "is shallow, fetch its history (git fetch --unshallow origin; actions/checkout: "
                "fetch-depth: 0)"
            )
        raise CloneError(
            f"this git (it takes 2.38 or newer) cannot tell what a merge would give ({last_line(ran)}); "
            "merge the base into the branch and ask again"
        )

    def _write_aside(self) -> None:
        """Let new objects go to our own directory: a clone may belong to somebody else, or be read-only."""
        found = self.run("rev-parse", "--git-path", "objects").text
        aside = self._home / "objects"
        aside.mkdir(exist_ok=True)
        theirs = str(Path(self.place.url, found)).replace("\\", "\\\\").replace('"', '\\"')
        places = {"GIT_OBJECT_DIRECTORY": str(aside), "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{theirs}"'}
        variables = {**self._world.variables, **places}
        self._runner = GitRunner(replace(self._world, variables=variables), Path(self.place.url))

    def commit(self, commit: str, tree: str = "") -> Commit:
        """A commit's words, and its files or those of another tree; MirrorError where they are not there."""
        words = commit_heading(self, commit)
        try:
            files = listing(self, tree or commit, self.place.path)
        except DamagedMirrorError:
            raise CloneError(
                f"this clone does not hold the files of commit {commit[:12]}; make one that holds all "
                "(git clone without --filter), nothing is fetched here"
            ) from None
        return Commit(
            id=commit,
            author=words.author,
            subject=words.subject,
            committed_at=words.committed_at,
            files=files.files,
            sizes=files.sizes,
            refused=files.refused,
            signer=signer(self, commit),
        )

    def holds_folder(self, commit: str) -> bool:
        """Whether the commit holds the provider's folder."""
        return self.run("cat-file", "-t", f"{commit}:{self.place.path}").text == "tree"

    def changed(self, old: str, new: str, paths: Sequence[str]) -> tuple[str, ...]:
        """The files at or below `paths`, from the top of the repository, that differ between two trees; the
        changed entries at the top alone where there are too many to name.
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
        """Whether the clone holds this commit."""
        return self.run("cat-file", "-e", "--end-of-options", f"{commit}^{{commit}}").code == 0

    def signer(self, commit: str) -> str | None:
        """Who of the allowed signers signed a commit; None for nobody."""
        return signer(self, commit)

    def read(self, wanted: Sequence[str]) -> Mapping[str, bytes]:
        """The blobs' bytes; unknown and over-long ones are missing."""
        return blobs(self, wanted)

    def file(self, commit: str, path: str) -> bytes:
        """One file of a commit, however long; CloneError where it is not there."""
        ran = self.run("cat-file", "blob", f"{commit}:{path}")
        if ran.code != 0:
            too_long = f"or is longer than {OUTPUT_BYTES_MAX} bytes"
            raise CloneError(f"commit {commit[:12]} holds no file {path} that can be read ({too_long})")
        return ran.output

    def branches(self, prefix: str) -> Mapping[str, str]:
        """Branch names that begin so -> the commit, of the clone's own and of its remotes, the remotes'
        first.
        """
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
        """Paths edited in the clone's working tree, which count for nothing; empty where it has none."""
        if self._work_tree is None:
            return ()
        options = ("--untracked-files=no", "--", self.place.path or ".")
        return edited(self, self._work_tree, Path(self.place.url), *options)


def _git_directory(directory: Path) -> tuple[Path, Path | None]:
    """Where the repository's objects are, and its working tree.

    A bare repository counts only where no clone is around it: a commit can bring one along as plain files,
    with a configuration of its own.
    """
    around = (directory, *directory.parents)
    for place in around:
        found = place / ".git"
        if found.is_dir():
            return found, place
        if found.is_file():
            return _linked(found), place
    for place in around:
        if (place / "HEAD").is_file() and (place / "objects").is_dir():
            return place, None
    raise CloneError(f"{directory} is in no git repository; call this in a clone of the state repository")


def _linked(link: Path) -> Path:
    """Where a work tree's `.git` file points to."""
    first, _, named = link.read_text(encoding="utf-8", errors="replace").strip().partition("gitdir:")
    there = (link.parent / named.strip()).resolve()
    if first or not named or not (there / "HEAD").is_file():
        raise CloneError(f"{link} names no git repository that is there; call this in a clone of its own")
    return there
