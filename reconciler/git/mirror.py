"""The private bare mirror: opened, locked, cleaned of what a kill left, asked and filled by git alone."""

import contextlib
import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from reconciler.git.backoff import Backoff, changed_at, failure_of
from reconciler.git.git_environment import make_world
from reconciler.git.git_errors import git_error
from reconciler.git.git_process import LEFT_ALONE, NETWORK_SECONDS, TIMED_OUT, GitCommands, GitRunner, Ran
from reconciler.git.remote import Remote, checked

LOCK_SECONDS = 90.0
LOOSE_MAX = 2_000
PACKS_MAX = 30

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
"""What killed git commands leave; nobody but the holder of the lock writes here, so all of it is dead."""

SHA256_DIGITS = 64

ANSWERED = re.compile(
    r"^!\t\S+\t\[(?:remote )?rejected\]|fetch first|non-fast-forward|stale info|couldn't find remote ref",
    re.MULTILINE,
)
"""A refusal that shows that the remote let us in and works."""

_DAMAGE = re.compile(r"is too small|corrupt|is empty|bad pack|garbage|does not match index|wrong index")


class MirrorError(Exception):
    """The mirror or the repository behind it cannot be used now; the text is a sentence for the operator."""


class DamagedMirrorError(MirrorError):
    """Objects that the mirror should hold cannot be read; it is made again."""


class Mirror:
    """A bare copy of the state repository below the state directory; belongs to one thread.

    It is a cache: removed, it is made again. What was once read stays in it, also where a branch was
    rewritten. `runner` runs git otherwise than in our own, isolated environment.
    """

    def __init__(
        self, place: Remote, state: Path, backoff: Backoff | None = None, runner: GitCommands | None = None
    ) -> None:
        self.place = checked(place)
        self._backoff = backoff or Backoff()
        self._credentials_at = 0
        self.object_format = "sha1"
        self.directory = state / "mirror.git"
        self._lock_path = state / "mirror.lock"
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.url = self.place.url
        if runner is None:
            environment = make_world(self.place, state / "git", self.directory)
            self.url, runner = environment.url, GitRunner(environment, state)
        self._runner = runner
        self._is_clean = False

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the mirror alone, ready and clean; a git that outlived its daemon holds it until it ends.

        Raises MirrorError when another command of ours goes on too long, or where no mirror can be made.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._lock_path, flags, 0o600)
        try:
            self._wait_for(descriptor)
            self._runner.held = (descriptor,)
            self._make_ready()
            yield
        except MirrorError:
            self.doubt()
            raise
        except OSError as error:
            self.doubt()
            raise MirrorError(
                f"the state directory {self._lock_path.parent}: {error.strerror or error}"
            ) from None
        finally:
            self._runner.held = ()
            os.close(descriptor)

    def doubt(self) -> None:
        """A command failed, perhaps on a full disk: what it left is cleared away before the next."""
        self._is_clean = False

    def run(self, *arguments: str, given: bytes = b"") -> Ran:
        """A git command on the mirror alone."""
        return self._runner.run(*arguments, given=given)

    def ask(self, *arguments: str) -> Ran:
        """A git command that contacts the repository behind the mirror; one on another machine is left alone
        for a while after failures, whatever they were about.
        """
        if self.place.is_local:
            return self._runner.run(*arguments, seconds=NETWORK_SECONDS)
        if (changed := changed_at(self.place.credentials)) != self._credentials_at:
            self._credentials_at = changed
            self._backoff.succeeded()
        if why := self._backoff.rest():
            return Ran(LEFT_ALONE, b"", why)
        ran = self._runner.run(*arguments, seconds=NETWORK_SECONDS)
        if ran.code == 0 or ANSWERED.search(ran.text + ran.errors):
            self._backoff.succeeded()
        else:
            self._backoff.failed(failure_of(ran), git_error(ran, self.place))
        return ran

    def remote_tips(self, *refs: str) -> Mapping[str, str]:
        """The commits that the repository's refs name now; those that are not there are missing."""
        ran = self.ask("ls-remote", "--refs", "--", self.url, *refs)
        if ran.code != 0:
            raise MirrorError(git_error(ran, self.place))
        pairs = [line.split("\t", 1) for line in ran.text.splitlines() if "\t" in line]
        if pairs:
            self._adopt_format(pairs[0][0])
        return {ref: commit for commit, ref in pairs if not refs or ref in refs}

    def fetch(self, ref: str, kept_as: str) -> None:
        """Bring what one ref of the repository names into the mirror, under a ref of ours."""
        ran = self.ask(
            "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--force",
            "--end-of-options", self.url, f"+{ref}:{kept_as}",
        )  # fmt: skip
        if ran.code != 0:
            is_ours = str(self.directory) in ran.errors and _DAMAGE.search(ran.errors)
            raise (DamagedMirrorError if is_ours else MirrorError)(git_error(ran, self.place))
        self._tidy()

    def tip(self, ref: str) -> str | None:
        """The commit that a ref of the mirror names."""
        ran = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        return ran.text if ran.code == 0 else None

    def has_commit(self, commit: str) -> bool:
        """Whether the mirror holds this commit."""
        return bool(commit) and self.run("cat-file", "-e", f"{commit}^{{commit}}").code == 0

    def descends(self, newer: str, older: str) -> bool:
        """Whether `older` is an ancestor of `newer`, or the same; False where it is not known at all."""
        return self.run("merge-base", "--is-ancestor", older, newer).code == 0

    def is_damaged(self) -> bool:
        """Whether git finds damage here by itself: what a remote says of our directory proves nothing, and a
        mirror that is put aside no longer holds the revision in force.
        """
        ran = self.run("fsck", "--full", "--no-dangling", "--no-progress")
        return ran.code not in (0, TIMED_OUT) and not ran.used_up

    def remake(self) -> None:
        """Put a damaged mirror aside for good and start an empty one."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self._is_clean = False
        self._make_ready()

    def _adopt_format(self, commit: str) -> None:
        """Make the mirror of the remote's object format, which the length of its ids shows; one that holds
        something keeps its own, as the revision in force may be there alone.
        """
        wanted = "sha256" if len(commit) == SHA256_DIGITS else "sha1"
        if wanted == self.object_format:
            return
        if self.run("for-each-ref", "--count=1").text:
            raise MirrorError(
                f"{self.place.shown} has {wanted} objects and had {self.object_format} when last read: "
                f"it is another repository; if that is meant, stop the daemon and remove {self.directory}"
            )
        self.object_format = wanted
        self.remake()

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
                        f"look for it with: fuser {self._lock_path}"
                    ) from None
                time.sleep(0.05)

    def _make_ready(self) -> None:
        if self._is_clean and (self.directory / "HEAD").is_file():
            return
        if self.directory.is_dir():
            self._clean()
        if self.run("rev-parse", "--is-bare-repository").text != "true":
            shutil.rmtree(self.directory, ignore_errors=True)
            form = f"--object-format={self.object_format}"
            ran = self.run("init", "--quiet", "--bare", "--template=", form, str(self.directory))
            if ran.code != 0:
                raise MirrorError(git_error(ran, self.place))
            self.directory.chmod(0o700)
        self.object_format = self.run("rev-parse", "--show-object-format").text or "sha1"
        self._is_clean = True
        self._tidy()

    def _clean(self) -> None:
        for pattern in _LEFTOVERS:
            for path in self.directory.glob(pattern):
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

    def _tidy(self) -> None:
        """Pack what has piled up; unreachable objects stay, they may be somebody's last good version."""
        counted = dict(
            line.split(": ", 1) for line in self.run("count-objects", "-v").text.splitlines() if ": " in line
        )
        if int(counted.get("count", 0)) > LOOSE_MAX or int(counted.get("packs", 0)) > PACKS_MAX:
            self.run("repack", "-a", "-d", "-k", "-q")
            self.run("prune-packed", "-q")
