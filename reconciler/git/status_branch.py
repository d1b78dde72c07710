"""The status branch: a commit through fast-import, pushed fast-forward, made again on a new tip if outrun."""

import hashlib
import random
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.git.batch import Objects
from reconciler.git.git_errors import git_error, last_line
from reconciler.git.git_process import Ran
from reconciler.git.mirror import Mirror, MirrorError
from reconciler.git.remote import BadRemoteError, Remote, check_branch
from reconciler.git.trees import TooLargeTreeError, tree_at, walk
from reconciler.values.outcomes import Done, Failed, Outcome
from reconciler.values.repository import StatusCommit

ATTEMPTS = 8
OUTGOING = "refs/reconciler/outgoing"
PUBLISHED = "refs/reconciler/published"

_PATH = re.compile(r"(?!.*(?:^|/)\.)[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")
_NO_NAME = re.compile(r"[<>\x00-\x1f]")
_HASH = re.compile(r"[0-9a-f]{40,64}")
_TRAILER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_OUTRUN = re.compile(
    r"fetch first|non-fast-forward|stale info|cannot lock ref|reference already exists|incorrect old value|"
    r"failed to update ref|failed to lock|remote ref updated since checkout"
)


def publish(mirror: Mirror, commit: StatusCommit) -> Outcome:
    """Make the branch hold exactly the commit's files; Done("") where it does already, then nothing is made.

    A commit that was made and not pushed is made again, on the tip of then: a branch never gets two of it.
    The mirror is held by the caller.
    """
    try:
        ref = f"refs/heads/{check_branch(commit.branch)}"
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(min(2.0, 0.05 * 2**attempt) * (0.5 + random.random()))  # noqa: S311  # spreads rivals, no secret
            done = _publish_once(mirror, ref, commit)
            if done is not None:
                return done
    except (MirrorError, BadRemoteError) as error:
        mirror.doubt()
        return Failed("PublishFailed", str(error))
    return Failed(
        "PublishOutrun",
        f"others pushed to {commit.branch} {ATTEMPTS} times while this status was pushed",
        "make sure that one daemon alone writes this branch",
    )


def last_trailer(mirror: Mirror, branch: str, name: str) -> str:
    """A trailer of the branch's last commit; "" where there is none. The mirror is held by the caller."""
    ref = f"refs/heads/{check_branch(branch)}"
    tip = mirror.remote_tips(ref).get(ref)
    if tip is None:
        return ""
    if not mirror.has_commit(tip):
        mirror.fetch(ref, PUBLISHED)
    ran = mirror.run("log", "-1", f"--format=%(trailers:key={name},valueonly)", "--end-of-options", tip)
    if ran.code != 0:
        raise MirrorError(f"the status branch's commit {tip[:12]} cannot be read from the mirror")
    return ran.text.strip()


def rehearse(mirror: Mirror, commit: str, branch: str) -> Outcome:
    """Whether we could push to a branch, without pushing; what hooks of the other side say is not asked.

    `commit` is any that the mirror holds. The mirror is held by the caller.
    """
    ref = f"refs/heads/{check_branch(branch)}"
    ran = mirror.ask(
        "push", "--dry-run", "--porcelain", "--no-verify", "--force", "--end-of-options", mirror.url,
        f"{commit}:{ref}",
    )  # fmt: skip
    return Done("") if ran.code == 0 else not_taken(mirror, ran, branch)


def _publish_once(mirror: Mirror, ref: str, commit: StatusCommit) -> Outcome | None:
    """One attempt on the branch's tip of now; None when somebody else moved it meanwhile."""
    tip = mirror.remote_tips(ref).get(ref)
    if tip and not mirror.has_commit(tip):
        mirror.fetch(ref, PUBLISHED)
        tip = mirror.tip(PUBLISHED)
    standing = _tree(mirror, tip) if tip else {}
    wanted = {path: _blob_id(content, standing) for path, content in commit.files.items()}
    if tip and standing == wanted:
        return Done("")
    changed = {
        path: commit.files[path] for path, blob in sorted(wanted.items()) if standing.get(path) != blob
    }
    step = _Step(tip or "", changed, sorted(standing.keys() - wanted.keys()))
    made = _make(mirror, commit, step, mirror.place)
    ran = mirror.ask("push", "--porcelain", "--no-verify", "--end-of-options", mirror.url, f"{made}:{ref}")
    if ran.code == 0:
        return Done(made)
    said = ran.text + ran.errors
    if _OUTRUN.search(said):
        return None
    return not_taken(mirror, ran, commit.branch)


def not_taken(mirror: Mirror, ran: Ran, branch: str) -> Outcome:
    """Why a push to a branch of ours was not accepted, and what to do."""
    rejected = re.search(r"^!\t\S+\t\[(?:remote )?rejected\] \((.*)\)$", ran.text, re.MULTILINE)
    if rejected:
        remote = next((line for line in ran.errors.splitlines() if line.startswith("remote:")), "").strip()
        why = f"{mirror.place.shown} does not take commits on {branch}: {rejected[1]}"
        why += f" ({last_line(Ran(1, b'', remote))})" if remote else ""
        return Failed("PushRejected", why, f"let the daemon's user push to {branch}")
    return Failed("PushFailed", git_error(ran, mirror.place))


def _tree(mirror: Mirror, commit: str) -> dict[str, str]:
    tree = tree_at(mirror, commit, "")
    if tree is None:
        raise MirrorError(f"the status branch's commit {commit[:12]} cannot be read from the mirror")
    try:
        entries = walk(mirror, tree)
    except TooLargeTreeError as error:
        raise MirrorError(
            f"the status branch's commit {commit[:12]}, which is not ours, {error}; remove the branch"
        ) from None
    # An entry of another mode than ours counts as other content, and is replaced.
    return {
        each.path.decode("utf-8", "backslashreplace"): each.id if each.mode == "100644" else ""
        for each in entries
    }


def _blob_id(content: bytes, standing: Mapping[str, str]) -> str:
    wide = any(len(blob) == 64 for blob in standing.values())
    digest = hashlib.sha256 if wide else hashlib.sha1
    return digest(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass(frozen=True, slots=True)
class _Step:
    """From a branch's tip ("" for none) to what a commit shall hold: contents to write, paths to remove."""

    tip: str
    changed: Mapping[str, bytes]
    gone: Sequence[str]


def make_commit(objects: Objects, commit: StatusCommit, place: Remote) -> str:
    """A commit without a parent, in these objects; MirrorError where git cannot make it."""
    return _make(objects, commit, _Step("", dict(sorted(commit.files.items())), ()), place)


def _make(objects: Objects, commit: StatusCommit, step: _Step, place: Remote) -> str:
    stream = _stream(commit, step, place)
    ran = objects.run("fast-import", "--quiet", "--force", "--done", given=stream)
    made = ran.text
    if ran.code != 0 or not _HASH.fullmatch(made):
        raise MirrorError(f"git could not make the status commit ({last_line(ran)})")
    return _signed(objects, commit, made, step.tip) if place.signing_key is not None else made


def _signed(objects: Objects, commit: StatusCommit, made: str, tip: str) -> str:
    """The same commit with our signature: fast-import cannot sign, commit-tree can."""
    parents = ("-p", tip) if tip else ()
    ran = objects.run("commit-tree", "-S", *parents, f"{made}^{{tree}}", given=_message(commit).encode())
    if ran.code != 0 or not _HASH.fullmatch(ran.text):
        raise MirrorError(
            f"git could not sign the commit ({last_line(ran)}); repository.signing_key must be a private ssh "
            "key without a passphrase that its owner alone may read"
        )
    return ran.text


def _stream(commit: StatusCommit, step: _Step, place: Remote) -> bytes:
    author = place.author
    name, email = (_NO_NAME.sub("", text).strip() for text in (author.name, author.email))
    who = f"{name} <{email}> {int(time.time())} +0000"
    message = _message(commit).encode()
    parts = [
        f"reset {OUTGOING}\n\ncommit {OUTGOING}\nmark :1\ncommitter {who}\n".encode(),
        b"data %d\n%s\n" % (len(message), message),
    ]
    if step.tip:
        parts.append(f"from {step.tip}\n".encode())
    parts += [b"D " + _quoted(path) + b"\n" for path in step.gone]
    for path, content in step.changed.items():
        if not _PATH.fullmatch(path):
            raise MirrorError(f"{path!r} is no name for a status file")
        parts.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content))
    parts.append(b"\nget-mark :1\ndone\n")
    return b"".join(parts)


def _quoted(path: str) -> bytes:
    return b'"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").encode() + b'"'


def _message(commit: StatusCommit) -> str:
    trailers = []
    for name, value in commit.trailers:
        if not _TRAILER.fullmatch(name):
            raise MirrorError(f"{name!r} is no name for a trailer")
        trailers.append(f"{name}: {' '.join(value.split())}")
    body = commit.message.strip()
    return body + ("\n\n" + "\n".join(trailers) if trailers else "") + "\n"
