"""The file form of a backup: a tar of listed plain files; its first member has the digests of the others."""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from reconciler.cli.errors import CliError
from reconciler.values.text import one_line

FORMAT = 2
"""The version of the form; others are rejected. Version 1 was not authenticated."""

MANIFEST, SEAL = "backup.json", "backup.hmac"
"""The first member, and the second, if a key was available: the first one's HMAC-SHA256 in hexadecimal."""
HOST, JOURNAL, KEYRING, STATE = "host.yaml", "journal.sqlite", "keyring", "state"

MEBIBYTE = 1 << 20
LISTED = (
    (re.compile(re.escape(HOST)), MEBIBYTE),
    (re.compile(re.escape(JOURNAL)), 64 << 30),
    (re.compile(rf"{KEYRING}/(?:[^/.][^/]*\.(?:info|address)|keyhash)"), 16 << 10),
    (re.compile(rf"{STATE}/(?:drain|stop-spending|identity\.age)"), MEBIBYTE),
    (re.compile(rf"{STATE}/adapters/[a-z][-a-z0-9]*/places\.json"), 64 * MEBIBYTE),
)
"""The allowed members of a backup, with the maximum bytes of each."""

KEPT_STATE = ("drain", "stop-spending", "identity.age", "adapters/*/places.json")
"""The files of the state directory that a backup has, as patterns."""
MEMBERS_MAX = 1_000
NAME_MAX = 100
"""Characters of a name in a plain tar header; longer ones need headers of variable length."""

SEAL_BYTES = 64
_HELD_MAX = MEBIBYTE
"""Members up to this size are kept in memory: host file and keyring, for authentication."""


class Manifest(BaseModel):
    """`journal` is the version of its tables (0: none), `files` has SHA-256 digests by name, `host_file` is
    the original path of the host file, `key` and `backend` name the authenticating key of the keyring.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: int
    program: str
    provider: str
    made_at: str
    journal: int
    host_file: str
    key: str
    backend: Literal["file", "test"]
    files: dict[str, str]


class _Form(BaseModel):
    format: int
    program: str = ""


class ArchiveError(Exception):
    """The file is not a complete backup; the text says why."""


@dataclass(frozen=True, slots=True)
class CheckedArchive:
    """An archive whose members match the manifest; `digest` is that of the whole file."""

    manifest: Manifest
    manifest_bytes: bytes
    seal: bytes | None
    digest: str
    small: Mapping[str, bytes]


def write_archive(path: Path, manifest: bytes, seal: str | None, sources: Mapping[str, bytes | Path]) -> str:
    """Write the archive atomically, readable only by its owner; its SHA-256. CliError if the file exists."""
    exists = CliError(f"error: {path} exists; name a new file, a backup is never overwritten")
    if path.exists():
        raise exists
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".provider-backup-")  # mode 0600, a new file
    try:
        with os.fdopen(handle, "wb") as file:
            _write_member(file, MANIFEST, manifest)
            if seal is not None:
                _write_member(file, SEAL, seal.encode())
            for name, source in sources.items():
                _write_member(file, name, source)
            file.write(bytes(2 * tarfile.BLOCKSIZE))
            file.flush()
            os.fsync(file.fileno())
        digest = digest_of(Path(draft))
        os.link(draft, path)
    except FileExistsError:
        raise exists from None
    finally:
        Path(draft).unlink(missing_ok=True)
    return digest


def is_listed(name: str) -> bool:
    """Whether a backup may have a member of this name."""
    return _bytes_max(name) is not None


def check_archive(file: BinaryIO) -> CheckedArchive:
    """Verify a whole archive without writing; ArchiveError unless all members match the manifest."""
    whole = _Hashing(file)
    members = _members(whole)
    manifest_bytes = _first(members)
    manifest = _manifest(manifest_bytes)
    seal: bytes | None = None
    digests, small = dict[str, str](), dict[str, bytes]()
    for name, size, chunks in members:
        if name == SEAL and seal is None and not digests and size == SEAL_BYTES:
            seal = b"".join(chunks)
            continue
        _admit(manifest, name, digests)
        digest, held = hashlib.sha256(), list[bytes]()
        for chunk in chunks:
            digest.update(chunk)
            if size <= _HELD_MAX:
                held.append(chunk)
        digests[name] = digest.hexdigest()
        if name == HOST or name.startswith(f"{KEYRING}/"):
            small[name] = b"".join(held)
    _compare(manifest, digests)
    while whole.read(MEBIBYTE):
        continue
    return CheckedArchive(manifest, manifest_bytes, seal, whole.hexdigest(), small)


def extract(file: BinaryIO, checked: CheckedArchive, into: Path) -> None:
    """Write every member below a directory, readable only by its owner; ArchiveError if one differs from
    what was verified.
    """
    digests = dict[str, str]()
    file.seek(0)
    for name, _, chunks in _members(file):
        if name in (MANIFEST, SEAL):
            continue
        _admit(checked.manifest, name, digests)
        digest = hashlib.sha256()
        make_private((into / name).parent)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(into / name, flags, 0o600), "wb") as written:
            for chunk in chunks:
                digest.update(chunk)
                written.write(chunk)
            written.flush()
            os.fsync(written.fileno())
        digests[name] = digest.hexdigest()
    _compare(checked.manifest, digests)


def make_private(directory: Path) -> None:
    """Make a directory and its missing parents, accessible only to their owner."""
    if not directory.is_dir():
        make_private(directory.parent)
        directory.mkdir(mode=0o700, exist_ok=True)


def digest_of(path: Path) -> str:
    """A file's SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Hashing:
    """A file that is hashed while it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        self._digest.update(piece)
        return piece

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def _members(file: BinaryIO | _Hashing) -> Iterator[tuple[str, int, Iterator[bytes]]]:
    """Name, size and chunks of each member. Only plain files with plain headers: a link, device, sparse file
    or extended header is rejected, so that memory is bounded.
    """
    for _ in range(MEMBERS_MAX + 3):
        header = file.read(tarfile.BLOCKSIZE)
        try:
            found = tarfile.TarInfo.frombuf(header, "utf-8", "strict")
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # the stubs leave it out
            return
        except (tarfile.TarError, ValueError):
            reason = "it ends too early" if len(header) < tarfile.BLOCKSIZE else "a header is invalid"
            raise ArchiveError(reason) from None
        name = found.name
        if found.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or name != one_line(name, NAME_MAX):
            raise ArchiveError(f"it contains {one_line(name, NAME_MAX)!r}, which is not a plain file")
        if (most := {MANIFEST: MEBIBYTE, SEAL: SEAL_BYTES}.get(name) or _bytes_max(name)) is None:
            raise ArchiveError(f"it contains {name!r}, which is not allowed in a backup")
        if not 0 <= found.size <= most:
            raise ArchiveError(f"it contains {name!r} with {found.size} bytes, which is too large for it")
        chunks = _chunks(file, found.size)
        yield name, found.size, chunks
        for _ in chunks:
            continue
        _exactly(file, -found.size % tarfile.BLOCKSIZE)
    raise ArchiveError(f"it contains more than {MEMBERS_MAX} files")


def _chunks(file: BinaryIO | _Hashing, size: int) -> Iterator[bytes]:
    while size > 0:
        chunk = _exactly(file, min(size, MEBIBYTE))
        size -= len(chunk)
        yield chunk


def _exactly(file: BinaryIO | _Hashing, size: int) -> bytes:
    found = file.read(size)
    if len(found) < size:
        raise ArchiveError("it ends too early")
    return found


def _first(members: Iterator[tuple[str, int, Iterator[bytes]]]) -> bytes:
    name, _, chunks = next(members, ("", 0, iter(())))
    if name != MANIFEST:
        raise ArchiveError(f"it does not begin with {MANIFEST}")
    return b"".join(chunks)


def _manifest(content: bytes) -> Manifest:
    try:
        form = _Form.model_validate_json(content)
        program = one_line(form.program, 40) or "of unknown version"
        if form.format > FORMAT:
            raise newer(program)
        if form.format < FORMAT:
            raise ArchiveError(
                f"provider-daemon {program} wrote it without authentication; restore it with that version, "
                "then make a new backup"
            )
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = one_line(".".join(str(part) for part in first["loc"]), 80)
        raise ArchiveError(f"{MANIFEST}: {where}: {one_line(first['msg'], 120)}") from None


def kept_files(state: Path) -> Iterator[Path]:
    """The files of a state directory that a backup has."""
    for pattern in KEPT_STATE:
        yield from sorted(state.glob(pattern))


def newer(program: str) -> ArchiveError:
    """The error for an archive or journal of a later version."""
    return ArchiveError(f"a newer provider-daemon ({one_line(program, 40)}) wrote it; install that version")


def _bytes_max(name: str) -> int | None:
    return next((most for form, most in LISTED if form.fullmatch(name)), None)


def _admit(manifest: Manifest, name: str, before: Mapping[str, str]) -> None:
    if name not in manifest.files or name in (MANIFEST, SEAL):
        raise ArchiveError(f"it contains {name!r}, which is not allowed in a backup")
    if name in before:
        raise ArchiveError(f"it contains {name!r} twice")


def _compare(manifest: Manifest, digests: Mapping[str, str]) -> None:
    differing = sorted(n for n in manifest.files if digests.get(n) != manifest.files[n])
    if differing:
        name = one_line(differing[0], NAME_MAX)
        raise ArchiveError(f"{name!r} is missing or changed; use another backup")


def _write_member(file: BinaryIO, name: str, source: bytes | Path) -> None:
    member = tarfile.TarInfo(name)
    member.mode = 0o600
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as content:
        member.size = content.seek(0, os.SEEK_END)
        content.seek(0)
        file.write(member.tobuf(tarfile.GNU_FORMAT))
        while piece := content.read(MEBIBYTE):
            file.write(piece)
    file.write(bytes(-member.size % tarfile.BLOCKSIZE))
