"""The private bare mirror of the state repository: lock, recovery after a kill, fetches."""

import contextlib
import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from reconciler.git.backoff import Backoff, credentials_version, failure_of
from reconciler.git.batch import COMMAND, ObjectReader
from reconciler.git.git_environment import make_environment
from reconciler.git.git_errors import git_error
from reconciler.git.git_process import (
    BACKED_OFF,
    NETWORK_SECONDS,
    NO_VARIABLES,
    GitCommands,
    GitResult,
    GitRunner,
)
from reconciler.git.remote import Remote, check_remote

LOCK_SECONDS = 90.0
LOOSE_MAX = 2_000
PACKS_MAX = 30
TIPS_KEPT = 16
"""Cached commits of refs: only the holder of the lock moves one."""

_LEFTOVERS = (
    "objects/pack/tmp_*",
    "objects/pack/.tmp-*",
    "objects/??/tmp_obj_*",
    "objects/tmp_objdir-*",
    "objects/incoming-*",
    "fast_import_crash_*",
    "*.lock",
    "refs/**/*.lock",
    "gc.pid",
)
"""Leftovers of killed git commands: only the holder of the lock writes here, so none is in use."""

SHA256_DIGITS = 64

ANSWERED = re.compile(
    r"^!\t\S+\t\[(?:remote )?rejected\]|fetch first|non-fast-forward|stale info|couldn't find remote ref",
    re.MULTILINE,
)
"""A rejection by a remote that accepted our login and works."""

_DAMAGE = re.compile(r"is too small|corrupt|is empty|bad pack|garbage|does not match index|wrong index")


class MirrorError(Exception):
    """The mirror or the repository behind it cannot be used; the text is a sentence for the operator."""


class BackedOffError(MirrorError):
    """The repository is not contacted now; the text says until when."""


class DamagedMirrorError(MirrorError):
    """Objects of the mirror cannot be read; it is recreated."""


class Mirror:
    """A bare copy of the state repository below the state directory; used by one thread.

    It is a cache, recreated after removal. Commits stay in it even if a branch is rewritten. `runner`
    replaces git in our isolated environment.
    """

    def __init__(
        self, remote: Remote, state: Path, backoff: Backoff | None = None, runner: GitCommands | None = None
    ) -> None:
        self.remote = check_remote(remote)
        self._backoff = backoff or Backoff()
        self._credentials_at = 0
        self.object_format = "sha1"
        self.directory = state / "mirror.git"
        self._lock_path = state / "mirror.lock"
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.url = self.remote.url
        if runner is None:
            environment = make_environment(self.remote, state / "git", self.directory)
            self.url, runner = environment.url, GitRunner(environment, state)
        self._runner: GitCommands = runner
        self.reader = ObjectReader(lambda: runner.start(*COMMAND))
        self._tips: dict[str, str] = {}
        self._is_clean = False

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the mirror, and make it ready and clean; a git that outlives its daemon keeps the lock.

        Raises MirrorError if the lock is not free within LOCK_SECONDS, or if no mirror can be made.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._lock_path, flags, 0o600)
        try:
            self._wait_for(descriptor)
            self._runner.lock_descriptors = (descriptor,)
            self._make_ready()
            yield
        except MirrorError as error:
            self.clean_after(error)
            raise
        except OSError as error:
            self.clean_after(error)
            raise MirrorError(
                f"the state directory {self._lock_path.parent}: {error.strerror or error}"
            ) from None
        finally:
            self.reader.close()
            self._runner.lock_descriptors = ()
            os.close(descriptor)

    def clean_after(self, error: Exception) -> None:
        """Remove the leftovers of a failed command before the next one; without a command there are none."""
        self._is_clean = self._is_clean and isinstance(error, BackedOffError)

    def close(self) -> None:
        """Kill the command that runs, which would keep the lock, and run no further one; from any thread."""
        self._runner.close()

    def run(
        self, *arguments: str, stdin: bytes = b"", variables: Mapping[str, str] = NO_VARIABLES
    ) -> GitResult:
        """Run a local git command on the mirror, with further environment variables."""
        return self._runner.run(*arguments, stdin=stdin, variables=variables)

    def contact(self, *arguments: str) -> GitResult:
        """Run a git command that contacts the repository; after a failure, a repository on another machine
        is not contacted for a while.
        """
        if self.remote.is_local:
            return self._runner.run(*arguments, seconds=NETWORK_SECONDS)
        if (changed := credentials_version(self.remote.credentials)) != self._credentials_at:
            self._credentials_at = changed
            self._backoff.succeeded()
        if why := self._backoff.wait_reason():
            return GitResult(BACKED_OFF, b"", why)
        ran = self._runner.run(*arguments, seconds=NETWORK_SECONDS)
        if ran.code == 0 or ANSWERED.search(ran.text + ran.errors):
            self._backoff.succeeded()
        else:
            self._backoff.failed(failure_of(ran), git_error(ran, self.remote))
        return ran

    def remote_tips(self, *refs: str) -> Mapping[str, str]:
        """The commits that the repository's refs name; refs that do not exist are missing."""
        ran = self.contact("ls-remote", "--refs", "--", self.url, *refs)
        if ran.code == BACKED_OFF:
            raise BackedOffError(ran.errors)
        if ran.code != 0:
            raise MirrorError(git_error(ran, self.remote))
        pairs = [line.split("\t", 1) for line in ran.text.splitlines() if "\t" in line]
        if pairs:
            self._adopt_format(pairs[0][0])
        return {ref: commit for commit, ref in pairs if not refs or ref in refs}

    def fetch(self, ref: str, local_ref: str) -> None:
        """Fetch a ref of the repository into a ref of the mirror."""
        self._tips.pop(local_ref, None)
        ran = self.contact(
            "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--force",
            "--end-of-options", self.url, f"+{ref}:{local_ref}",
        )  # fmt: skip
        if ran.code != 0:
            is_ours = str(self.directory) in ran.errors and _DAMAGE.search(ran.errors)
            raise (DamagedMirrorError if is_ours else MirrorError)(git_error(ran, self.remote))
        self._tidy()

    def tip(self, ref: str) -> str | None:
        """The commit that a ref of the mirror names; None without one."""
        if ref not in self._tips:
            name = f"{ref}^{{commit}}"
            found = self.reader.info([name]).get(name)
            if found is None:
                return None
            self._tips = {ref: found.id, **dict(list(self._tips.items())[: TIPS_KEPT - 1])}
        return self._tips[ref]

    def set_tip(self, ref: str, commit: str) -> None:
        """Make a ref of the mirror name a commit that the mirror has."""
        self.run("update-ref", ref, commit)
        self._tips.pop(ref, None)

    def has_commit(self, commit: str) -> bool:
        """Whether the mirror has this commit."""
        return bool(commit) and self.tip(commit) is not None

    def descends(self, newer: str, older: str) -> bool:
        """Whether `older` is an ancestor of `newer`, or the same; False if it is unknown."""
        return self.run("merge-base", "--is-ancestor", older, newer).code == 0

    def is_damaged(self) -> bool:
        """Whether git itself finds damage: a remote's message about our directory proves nothing, and a new
        mirror would lack the revision in force.
        """
        ran = self.run("fsck", "--full", "--no-dangling", "--no-progress")
        return ran.code != 0 and ran.has_ended_itself

    def recreate(self) -> None:
        """Replace a damaged mirror by an empty one."""
        self.reader.close()
        shutil.rmtree(self.directory, ignore_errors=True)
        self._is_clean = False
        self._make_ready()

    def _adopt_format(self, commit: str) -> None:
        """Use the remote's object format, known by the length of its ids; a mirror with commits keeps its
        own, because only it may have the revision in force.
        """
        wanted = "sha256" if len(commit) == SHA256_DIGITS else "sha1"
        if wanted == self.object_format:
            return
        ran = self.run("for-each-ref", "--count=1")
        if not ran.has_ended_itself:
            raise MirrorError(git_error(ran, self.remote))
        if ran.text:
            raise MirrorError(
                f"{self.remote.redacted_url} has {wanted} objects and had {self.object_format} before: it is "
                f"another repository; if that is intended, stop the daemon and remove {self.directory}"
            )
        self.object_format = wanted
        self.recreate()

    def _wait_for(self, descriptor: int) -> None:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise MirrorError(
                        f"another git command holds {self._lock_path} for more than {LOCK_SECONDS:.0f} s; "
                        f"find it with: fuser {self._lock_path}"
                    ) from None
                time.sleep(0.05)

    def _make_ready(self) -> None:
        if self._is_clean and (self.directory / "HEAD").is_file():
            return
        self._tips.clear()
        found = None
        if self.directory.is_dir():
            self._clean()
            found = self._bare_object_format()
        if found is None:
            shutil.rmtree(self.directory, ignore_errors=True)
            form = f"--object-format={self.object_format}"
            ran = self.run("init", "--quiet", "--bare", "--template=", form, str(self.directory))
            if ran.code != 0:
                raise MirrorError(git_error(ran, self.remote))
            self.directory.chmod(0o700)
        self.object_format = found or self.object_format
        self._is_clean = True
        self._tidy()

    def _bare_object_format(self) -> str | None:
        """The object format of the mirror; None if git finds that the directory is no bare repository.

        Raises MirrorError if git could not look: a new mirror would lack the revision in force.
        """
        ran = self.run("rev-parse", "--is-bare-repository", "--show-object-format")
        if not ran.has_ended_itself:
            raise MirrorError(git_error(ran, self.remote))
        is_bare, _, object_format = ran.text.partition("\n")
        return object_format if is_bare == "true" else None

    def _clean(self) -> None:
        for pattern in _LEFTOVERS:
            for path in self.directory.glob(pattern):
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

    def _tidy(self) -> None:
        """Pack loose objects; unreachable ones stay, as they may be the last good revision."""
        objects = self.directory / "objects"
        loose, packs = sum(1 for _ in objects.glob("??/*")), sum(1 for _ in objects.glob("pack/*.pack"))
        if loose > LOOSE_MAX or packs > PACKS_MAX:
            self.run("repack", "-a", "-d", "-k", "-q")
            self.run("prune-packed", "-q")
