"""A backup as a file: a tar of regular files whose first member says what the others are, and their sums."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from reconciler.cli.faults import ToldError

FORMAT = 1
"""The form of the file; a newer one is refused."""

MANIFEST = "backup.json"
MANIFEST_BYTES_MAX = 16 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself: `journal` is the version of its tables (0: there is none), `files` are
    sha256 sums by name.
    """

    program: str
    provider: str
    made_at: str
    journal: int
    files: Mapping[str, str]


def write_archive(path: Path, manifest: Manifest, sources: Mapping[str, Path]) -> None:
    """Write it whole or not at all, for its owner alone; ToldError where the file is there already."""
    if path.exists():
        raise ToldError(f"error: {path} is there already; name a new file, a backup is never written over")
    draft = path.with_name(f".{path.name}.new")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                _add(tar, MANIFEST, json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1).encode())
                for name, source in sources.items():
                    tar.add(source, arcname=name, recursive=False, filter=_plain)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        raise ToldError(f"error: {path} is there already; name a new file") from None
    finally:
        draft.unlink(missing_ok=True)


def read_manifest(path: Path) -> Manifest:
    """What the backup says of itself; ToldError for what is no backup, or one of a newer version."""
    try:
        with tarfile.open(path, mode="r:") as tar:
            first = tar.next()
            if first is None or first.name != MANIFEST or first.size > MANIFEST_BYTES_MAX:
                raise ValueError("its first member is not ours")
            told: dict[str, Any] = json.loads(_bytes(tar, first))
        if int(told["format"]) > FORMAT:
            raise _newer(path, str(told.get("program", "")))
        files = {str(name): str(digest) for name, digest in told["files"].items()}
        return Manifest(
            str(told["program"]), str(told["provider"]), str(told["made_at"]), int(told["journal"]), files
        )
    except (tarfile.TarError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ToldError(f"error: {path} is no backup of provider-daemon ({error})") from None


def refuse_newer(path: Path, manifest: Manifest, journal: int) -> None:
    """ToldError where its journal's tables are newer than this program knows."""
    if manifest.journal > journal:
        raise _newer(path, manifest.program)


def read_member(path: Path, manifest: Manifest, name: str) -> bytes:
    """One small member's bytes; ToldError where it is not what it was."""
    try:
        with tarfile.open(path, mode="r:") as tar:
            content = _bytes(tar, tar.getmember(name))
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise ToldError(f"error: {path} is damaged ({error}); take another backup") from None
    if hashlib.sha256(content).hexdigest() != manifest.files.get(name):
        raise ToldError(f"error: {path} is damaged ({name} is not what it was); take another backup")
    return content


def extract(path: Path, manifest: Manifest, into: Path) -> None:
    """Put every member below a directory, each for its owner alone; ToldError where one is damaged, missing
    or strange.
    """
    found: dict[str, str] = {}
    try:
        with tarfile.open(path, mode="r:") as tar:
            for member in tar:
                if member.name == MANIFEST:
                    continue
                if not member.isreg() or not is_safe(member.name) or member.name not in manifest.files:
                    raise ToldError(f"error: {path} holds {member.name!r}, which no backup of ours does")
                found[member.name] = _extract_one(tar, member, into / member.name)
    except tarfile.TarError as error:
        raise ToldError(f"error: {path} is damaged ({error}); take another backup") from None
    if found != dict(manifest.files):
        wrong = sorted(n for n in manifest.files if found.get(n) != manifest.files[n])
        raise ToldError(f"error: {path} is damaged ({wrong[0]} is not what it was); take another backup")


def make_private(directory: Path) -> None:
    """Make a directory and those above it that are missing, each for its owner alone."""
    if not directory.is_dir():
        make_private(directory.parent)
        directory.mkdir(mode=0o700, exist_ok=True)


def is_safe(name: str) -> bool:
    """Whether a member's name stays below the directory that it is put in."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\0" not in name and bool(path.parts)


def digest_of(path: Path) -> str:
    """A file's sha256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _extract_one(tar: tarfile.TarFile, member: tarfile.TarInfo, to: Path) -> str:
    make_private(to.parent)
    source = tar.extractfile(member)
    assert source is not None, "a regular member has bytes"
    digest = hashlib.sha256()
    handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        while piece := source.read(1 << 20):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    tar.addfile(member, io.BytesIO(content))


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


def _bytes(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    source = tar.extractfile(member)
    if source is None:
        raise ValueError("a member is no file")
    return source.read()


def _newer(path: Path, program: str) -> ToldError:
    return ToldError(
        f"error: {path} was written by a newer provider-daemon ({program or 'of unknown version'}); install "
        "that version, then restore"
    )
