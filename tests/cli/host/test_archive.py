"""Hostile archives are refused in a sentence, in bounded memory, whatever they hold."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.cli.host.archive import (
    FORMAT,
    HOST,
    JOURNAL,
    MANIFEST,
    MEMBERS_MAX,
    SEAL,
    ArchiveError,
    CheckedArchive,
    Manifest,
    check_archive,
    extract,
)
from reconciler.values.text import one_line

CONTENTS = {HOST: b"a: 1\n", JOURNAL: b"x" * 700, "keyring/provider.info": b"sealed", "state/drain": b""}
MEMORY_MAX = 8 << 20
"""Of one check: the chunk in hand, the small members, tarfile's own."""

KINDS = (
    tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE,
    tarfile.CONTTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.GNUTYPE_SPARSE,
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, b"Z",
)  # fmt: skip


def manifest_of(contents: dict[str, bytes]) -> bytes:
    made = Manifest(
        format=FORMAT, program="1", provider="p", made_at="t", journal=1, host_file="/etc/h.yaml",
        key="provider", backend="file",
        files={name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    )  # fmt: skip
    return made.model_dump_json().encode()


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    made = tarfile.TarInfo(name)
    made.size, made.type = size, kind
    made.linkname = "/etc/passwd" if kind in (tarfile.LNKTYPE, tarfile.SYMTYPE) else ""
    return made.tobuf(tarfile.GNU_FORMAT)


def member(name: str, content: bytes, kind: bytes = tarfile.REGTYPE) -> bytes:
    return header(name, len(content), kind) + content + bytes(-len(content) % 512)


def archive(*extra: bytes, contents: dict[str, bytes] = CONTENTS) -> bytes:
    """A good one, with more members at its end."""
    begin = member(MANIFEST, manifest_of(contents)) + member(SEAL, b"0" * 64)
    return begin + b"".join(member(*each) for each in contents.items()) + b"".join(extra) + bytes(1024)


def check(content: bytes) -> CheckedArchive | None:
    """What it is, None where it is refused; any other exception is a fault."""
    try:
        return check_archive(io.BytesIO(content))
    except ArchiveError as error:
        words = str(error)
    assert words == one_line(words)
    return None


def test_a_written_archive_is_read_back(tmp_path: Path) -> None:
    file = io.BytesIO(archive())
    checked = check_archive(file)
    assert checked.digest == hashlib.sha256(archive()).hexdigest()
    assert set(checked.small) == {HOST, "keyring/provider.info"}
    extract(file, checked, tmp_path / "into")
    found = {str(p.relative_to(tmp_path / "into")): p for p in (tmp_path / "into").rglob("*") if p.is_file()}
    assert {name: path.read_bytes() for name, path in found.items()} == CONTENTS
    assert {path.stat().st_mode & 0o777 for path in found.values()} == {0o600}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["state/drain", "state/x", MANIFEST])
def test_only_plain_files(kind: bytes, name: str) -> None:
    assert check(archive(member(name, b"x" * 600, kind))) is None


@pytest.mark.parametrize(
    "hostile",
    [
        member("state/drain", b""),  # twice
        member(MANIFEST, manifest_of(CONTENTS)),
        member(SEAL, b"1" * 64),
        member("/etc/passwd", b"x"),
        member("state/../../x", b"x"),
        member("./state/drain", b"x"),
        member("keyring/.ssh.info", b"x"),
        member("keyring/a/b.info", b"x"),
        header(JOURNAL, 1 << 60),
        header("state/drain", -5 & ((1 << 64) - 1)),
        header("keyring/a.info", 1 << 40),
        b"\xff" * 512,
    ],
)
def test_unlisted_members_are_rejected(hostile: bytes) -> None:
    assert check(archive()) is not None
    assert check(archive(hostile)) is None


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(archive()),
        b"",
        bytes(10_240),
        b"PK\x03\x04" + bytes(1000),
        member(HOST, b"x") + archive(),
        member(MANIFEST, b"[" * 500_000),
        member(MANIFEST, json.dumps({"format": 10**400}).encode()),
        member(MANIFEST, b'{"format": 2, "files": {"' + b"a" * 100_000 + b'": 1}}'),
        header(MANIFEST, 1 << 40) + b"x" * 4096,
        header(MANIFEST, 1 << 40, tarfile.XHDTYPE) + b"x" * 4096,
    ],
)
def test_files_that_are_not_backups(content: bytes) -> None:
    assert check(content) is None


def test_the_number_of_members_is_limited() -> None:
    contents = {f"keyring/{n}.info": b"" for n in range(MEMBERS_MAX + 5)}
    assert check(archive(contents=contents)) is None


def test_memory_is_limited_whatever_the_file_contains() -> None:
    large = archive(contents=CONTENTS | {JOURNAL: b"j" * (64 << 20)})
    file = io.BytesIO(large)
    tracemalloc.start()
    try:
        check_archive(file)
        assert tracemalloc.get_traced_memory()[1] < MEMORY_MAX
    finally:
        tracemalloc.stop()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good archive with bytes changed, cut out, put in, or cut off."""
    found = bytearray(archive())
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(found) - 1, 0)))
        what = draw(st.sampled_from(("set", "cut", "insert", "end")))
        if what == "set" and found:
            piece = draw(st.binary(min_size=1, max_size=12))
            found[at : at + len(piece)] = piece
        elif what == "cut":
            del found[at : at + draw(st.integers(1, 600))]
        elif what == "insert":
            found[at:at] = draw(st.binary(max_size=600))
        else:
            del found[at:]
    return bytes(found)


names = st.one_of(
    st.sampled_from((*CONTENTS, MANIFEST, SEAL, "state/.ssh/config")), st.text(min_size=1, max_size=60)
)
members = st.builds(
    lambda name, content, kind: member(name.encode("utf-8", "replace").decode()[:40], content, kind),
    names.filter(lambda name: "\0" not in name),
    st.binary(max_size=700),
    st.sampled_from((tarfile.REGTYPE, *KINDS)),
)  # fmt: skip


@settings(max_examples=400, deadline=500)
@given(damaged())
def test_a_damaged_archive_is_rejected_or_unchanged(content: bytes) -> None:
    checked = check(content)
    if checked is not None:
        good = json.loads(manifest_of(CONTENTS))["files"]
        assert dict(checked.manifest.files) == good or checked.manifest_bytes != manifest_of(CONTENTS)


@settings(max_examples=400, deadline=500)
@given(st.lists(members, max_size=6), st.binary(max_size=600))
def test_any_members(found: list[bytes], tail: bytes) -> None:
    check(b"".join(found) + tail)
    assert check(archive(*found, tail)) is None or not found
